"""Saving figures: checked before they are drawn, written whole or not at all."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

from uara.base.errors import InputError, MissingExtra
from uara.base.files import check_output, is_stream, replacing

if TYPE_CHECKING:
    from matplotlib.figure import Figure

SUFFIXES = (".png", ".svg", ".pdf")


def check_picture(path: Path, *, suffixes: Sequence[str] = SUFFIXES, inputs: Collection[Path] = ()) -> None:
    """Refuse a picture that cannot be drawn or must not be written, before any work is done for it.

    Raises
    ------
    InputError
        As :func:`uara.base.files.check_output`.
    MissingExtra
        If matplotlib is not installed.
    """
    if not is_stream(path) and path.suffix.lower() not in suffixes:
        kinds = f"{', '.join(suffixes[:-1])} or {suffixes[-1]}"
        raise InputError(f"pictures are written as {kinds}", source=str(path))
    check_output(path, suffixes=(), inputs=inputs)
    if find_spec("matplotlib") is None:
        raise MissingExtra("matplotlib", "plot")


def save(figure: Figure, path: Path, **settings: Any) -> None:
    """Write a figure in the format of its suffix, PNG where there is none: a pipe, say.

    Parameters
    ----------
    settings
        Further arguments of matplotlib's ``savefig``.
    """
    with replacing(path) as temporary:
        figure.savefig(temporary, format=path.suffix.lower().lstrip(".") or "png", **settings)
