"""How the charts look: the same colours in a page and in files, sizes, ticks."""

from __future__ import annotations

import math
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.axis import Axis
    from matplotlib.figure import Figure

PALETTE = (
    *("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#b58900"),
    *("#56b4e9", "#7a4fbf", "#8c564b", "#4d4d4d", "#a6c000"),
)
"""Colours of the series; the style sheet has them as ``--c0`` and so on, some of them lighter where it is dark."""
EDGE = "#d0d6de"
"""Colour of grids."""
DASHES: tuple[tuple[float, ...], ...] = ((), (6, 3), (2, 3), (9, 3, 2, 3))
"""Dashes of the series, in widths of the line; the eleventh differs from the first by them."""
FONT_PT = 8.0
WIDTH_IN, HEIGHT_IN = 6.4, 3.6
MOST_TICKS = 9
_SETTINGS: Any = {
    "axes.edgecolor": "black",
    "axes.grid": True,
    "axes.axisbelow": True,
    "axes.spines.right": False,
    "axes.spines.top": False,
    "font.size": FONT_PT,
    "grid.color": EDGE,
    "grid.linewidth": 0.5,
    "lines.linewidth": 1.4,
    "lines.markeredgewidth": 0.0,
    "lines.markersize": 4.0,
    "svg.hashsalt": "uara",  # drawn again, the same bytes
    "text.parse_math": False,  # a dollar in a name is a dollar
    "xtick.major.size": 0.0,
    "ytick.major.size": 0.0,
}


def colour(place: int) -> str:
    """Colour of a series, as the page has it."""
    return f"var(--c{place % len(PALETTE)})"


def dash(place: int) -> tuple[float, ...]:
    """Dashes of a series."""
    return DASHES[place // len(PALETTE) % len(DASHES)]


def look(place: int, *, dashed: bool = False) -> dict[str, Any]:
    """Colour and dashes of a line."""
    pattern = (3, 3) if dashed else dash(place)
    return {"color": PALETTE[place % len(PALETTE)], "linestyle": (0, pattern) if pattern else "solid"}


@contextmanager
def drawing() -> Iterator[None]:
    """What is drawn inside looks so."""
    from matplotlib import rc_context

    with rc_context(_SETTINGS):
        yield


def new_axes(*, height_in: float = HEIGHT_IN, left_in: float = 0.72) -> tuple[Figure, Axes]:
    """A figure of the width of the page, with one pair of axes."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(WIDTH_IN, height_in))
    left, low = left_in / WIDTH_IN, 0.45 / height_in
    return figure, figure.add_axes((left, low, 0.985 - left, 1 - low - 0.1 / height_in))


def set_ticks(axis: Axis) -> None:
    """Round values, written without powers of ten; call it when the limits stand."""
    from matplotlib.ticker import LogLocator, MaxNLocator, NullLocator

    low, high = sorted(axis.get_view_interval())
    if axis.get_scale() == "log" and high / low > 5:
        digits = (1.0, 2.0, 5.0) if math.log10(high / low) < 3 else (1.0,)
        axis.set_major_locator(LogLocator(subs=digits, numticks=MOST_TICKS))
    else:
        axis.set_major_locator(MaxNLocator(6))
    axis.set_minor_locator(NullLocator())
    axis.set_major_formatter("{x:g}")
