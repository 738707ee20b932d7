"""Figures: what their parts stand for, and files of them, checked before drawing, written whole or not at all."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
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


@contextmanager
def panels(
    path: str | Path | None,
    ax: Axes | None,
    size: tuple[float, float],
    *,
    inputs: Collection[Path] = (),
    title: str = "",
    credit: Sequence[str] = (),
    **shape: Any,
) -> Iterator[list[Axes]]:
    """Panels to draw on in a ``with`` block, at whose end the picture is written.

    The same drawing always makes the same file. A dollar in a name is a dollar.

    Parameters
    ----------
    path
        A .png, .svg or .pdf file. Without one a notebook shows the picture.
    ax
        Axes of somebody else's figure: they are the only panel then.
    size
        Of the figure, in inches.
    inputs
        Files that must not be written over.
    title, credit
        Above the panels, and whose data they show, below them.
    shape
        Rows, columns and the like, as of matplotlib's ``subplots``.

    Raises
    ------
    InputError, MissingExtra
        As :func:`check_picture`, and where both a file and axes are given.
    """
    needs("matplotlib.figure", extra="plot")
    if path is not None and ax is not None:
        raise InputError("name a file or give axes, not both", source="plot")
    if path is not None:
        check_picture(Path(path), inputs=inputs)
    from matplotlib import pyplot, rc_context
    from matplotlib.figure import Figure

    with rc_context({"text.parse_math": False, "svg.hashsalt": "uara", "svg.fonttype": "none"}):
        if ax is not None:
            yield [ax]
            return
        figure = (pyplot.figure if path is None else Figure)(figsize=size, layout="constrained")
        yield list(figure.subplots(squeeze=False, **shape).flat)
        if title:
            figure.suptitle(title)
        if credit:
            figure.supxlabel("; ".join(credit), fontsize=7, color="0.4")
        if path is not None:
            dated = {"metadata": {"Date": None}} if Path(path).suffix.lower() == ".svg" else {}
            save(figure, path, **dated)


def save(figure: Figure, path: str | Path, **settings: Any) -> None:
    """Write a figure in the format of its suffix, PNG where there is none: a pipe, say.

    Parameters
    ----------
    settings
        Further arguments of matplotlib's ``savefig``; 150 dots per inch unless they say otherwise.
    """
    path = Path(path)
    with replacing(path) as temporary:
        form = path.suffix.lower().lstrip(".") or "png"
        figure.savefig(temporary, format=form, **{"dpi": 150, **settings})
