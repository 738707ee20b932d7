"""Figures: what their parts stand for, and files of them, checked before drawing, written whole or not at all."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from uara.base.errors import InputError, MissingExtra
from uara.base.extras import needs
from uara.base.files import check_output, is_stream, replacing

if TYPE_CHECKING:
    from matplotlib.artist import Artist
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

SUFFIXES = (".png", ".svg", ".pdf")
_MARK = "uara_mark"


class Mark(NamedTuple):
    """What a part of a figure stands for, where the figure is shown in a page."""

    series: str = ""
    """Name of the series that it belongs to; a legend hides and shows all parts of one."""
    notes: Sequence[str] = ()
    """What a pointer over each of its points says, in their order."""


def mark(part: Artist, *, series: str = "", notes: Sequence[str] = ()) -> None:
    """Say what a part of a figure stands for."""
    setattr(part, _MARK, Mark(series, tuple(notes)))


def marked(figure: Figure) -> list[tuple[Artist, Mark]]:
    """The parts of a figure that :func:`mark` has named."""
    return [(part, getattr(part, _MARK)) for part in figure.findobj(lambda part: hasattr(part, _MARK))]


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


def blank(path: str | Path | None, size: tuple[float, float]) -> Figure:
    """A figure of a size in inches: of its own where it becomes a file, of pyplot where a notebook shows it.

    Raises
    ------
    InputError, MissingExtra
        As :func:`check_picture`, of a path.
    """
    needs("matplotlib.figure", extra="plot")
    if path is not None:
        from matplotlib.figure import Figure

        check_picture(Path(path))
        return Figure(figsize=size, layout="constrained")
    from matplotlib import pyplot

    return pyplot.figure(figsize=size, layout="constrained")


def only_one(path: str | Path | None, ax: Axes | None) -> None:
    """:class:`InputError` if a picture is to go into a file and into axes of somebody else's figure."""
    if path is not None and ax is not None:
        raise InputError("name a file or give axes, not both", source="plot")


def save(figure: Figure, path: str | Path, **settings: Any) -> None:
    """Write a figure in the format of its suffix, PNG where there is none: a pipe, say.

    Parameters
    ----------
    settings
        Further arguments of matplotlib's ``savefig``.
    """
    path = Path(path)
    with replacing(path) as temporary:
        figure.savefig(temporary, format=path.suffix.lower().lstrip(".") or "png", **settings)
