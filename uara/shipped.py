"""Instances and traces that come with the toolkit, found by name in any folder.

They stand in ``instances/`` of the project. A wheel carries them beside the package, without the drops' solutions.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from pathlib import Path

from uara.base.errors import InputError, meant

FOLDERS = ("", "drops", "traces")
"""Where they stand, below the folder of instances."""
_TABLES = frozenset({"best_known", "instance.schema", "trace.schema"})


@dataclass(frozen=True)
class Shipped:
    """A file that comes with the toolkit."""

    name: str
    """What it is asked for by."""
    path: Path
    group: str
    """``instances``, ``drops`` or ``traces``."""


def folder() -> Path | None:
    """The folder of the shipped instances: the package's own, or the checkout's; None where there is none."""
    import uara

    for place in map(Path, uara.__path__):
        for found, beside in ((place / "instances", place), (place.parent / "instances", place.parent)):
            if (found / "best_known.json").is_file() and (beside == place or (beside / "solvers").is_dir()):
                return found
    return None


@cache
def shipped() -> dict[str, Shipped]:
    """All that ship, by name; the instances first, then the drops, then the traces."""
    root = folder()
    if root is None:
        return {}
    found: dict[str, Shipped] = {}
    for below in FOLDERS:
        for path in sorted((root / below).glob("*.json")):
            if path.stem not in _TABLES:
                found.setdefault(path.stem, Shipped(path.stem, path, below or "instances"))
    return found


def located(name: str | Path) -> Path:
    """The file that is meant: one of this path, else a shipped one of this name.

    Raises
    ------
    InputError
        If there is neither, and the word could be a name; it says which names are nearest.
    """
    path = Path(name)
    if path.exists() and not path.is_dir():
        return path
    if path.name != str(path):  # a path into a folder says what it is
        return path
    if path.name in shipped():
        return shipped()[path.name].path
    if path.suffix and path.stem not in shipped():
        return path
    if path.stem in shipped():
        hint = f"; {path.stem} without a suffix is a shipped instance"
    elif not shipped():
        hint = ""
    else:
        hint = f", and no shipped instance of this name{meant(path.name, shipped())} ('uara list' shows all)"
    raise InputError(f"no such file{hint}", source=str(path))
