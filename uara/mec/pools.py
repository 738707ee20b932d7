"""Training pools by name: those that come with the package, and files."""

from __future__ import annotations

from pathlib import Path

from uara.base.errors import InputError, meant
from uara.mec.pool import Pool

POOLS = Path(__file__).parents[1] / "data" / "pools"
HELD_OUT_PART = 0.2
"""Part of a shipped pool's drops that ``NAME-train`` leaves to ``NAME-held-out``, as training does by default."""
_PARTS = ("", "-train", "-held-out")


def names() -> list[str]:
    """Names of the shipped pools and of their parts."""
    return [path.stem + part for path in sorted(POOLS.glob("*.npz")) for part in _PARTS]


def open_pool(name: str) -> Pool:
    """A pool from its name or its file.

    Parameters
    ----------
    name
        ``urban``, ``urban-train``, ``urban-held-out``, or a ``.npz`` file.

    Raises
    ------
    InputError
        If there is no such pool, or the file is none.
    """
    if name.endswith(".npz"):
        return Pool.load(Path(name))
    known = names()
    if name not in known:
        raise InputError(f"there is no pool {name!r}{meant(name, known)}", source="pool")
    for number, part in enumerate(("-train", "-held-out")):
        if name.endswith(part):
            return Pool.load(POOLS / f"{name.removesuffix(part)}.npz").split(HELD_OUT_PART)[number]
    return Pool.load(POOLS / f"{name}.npz")
