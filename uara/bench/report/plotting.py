"""Kinds of chart: lines with dots and error bars, and bars in parts."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from uara.base.errors import printable
from uara.base.pictures import mark
from uara.bench.report.style import PALETTE, look, new_axes, set_ticks

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

AIR = 0.03
"""Free room at the ends of an axis, relative to its length."""
BAR_IN = 0.26
"""Height of a bar's row."""
LONGEST_NAME = 30


@dataclass(frozen=True)
class Series:
    """A line, a cloud of points, or both."""

    label: str
    x: Sequence[float]
    y: Sequence[float]
    low: Sequence[float] = ()
    high: Sequence[float] = ()
    place: int = 0
    """Which colour and dashes."""
    step: bool = False
    dots: bool = True
    dashed: bool = False
    notes: Sequence[str] = ()
    """What a pointer over each dot says; its coordinates where left out."""


@dataclass(frozen=True)
class Axis:
    """An axis of a chart."""

    label: str
    log: bool = False
    limits: tuple[float, float] | None = None
    """What is shown; everything where left out."""
    zero: bool = False
    """Whether zero is shown."""


def line_chart(series: Sequence[Series], x: Axis, y: Axis) -> Figure:
    """A chart with axes; what is not finite is not drawn."""
    figure, axes = new_axes()
    for one in series:
        _draw(axes, one, y.limits)
    for axis, name in ((x, "x"), (y, "y")):
        axes.set(**{f"{name}label": printable(axis.label)})
        if axis.log:
            axes.set(**{f"{name}scale": "log"})
    axes.margins(AIR)
    if y.limits:
        air = AIR * (y.limits[1] - y.limits[0] or abs(y.limits[0]) or 1.0)
        axes.set_ylim(y.limits[0] - air, y.limits[1] + air)
    elif y.zero:
        axes.set_ylim(bottom=0.0)
    for made in (axes.xaxis, axes.yaxis):
        set_ticks(made)
    return figure


def _draw(axes: Axes, one: Series, limits: tuple[float, float] | None) -> None:
    x, y = np.asarray(one.x, dtype=float), np.asarray(one.y, dtype=float)
    finite = np.isfinite(x) & np.isfinite(y)
    style = look(one.place, dashed=one.dashed)
    step: Any = "steps-post" if one.step else "default"
    (line,) = axes.plot(x[finite], y[finite], drawstyle=step, label=_named(one), **style)
    mark(line, series=one.label)
    inside = finite & ((y >= limits[0]) & (y <= limits[1]) if limits else True)
    if not one.dots or not inside.any():
        return
    if len(one.low):
        low, high = np.asarray(one.low, dtype=float), np.asarray(one.high, dtype=float)
        known = inside & np.isfinite(low) & np.isfinite(high)
        if known.any():
            mark(
                axes.vlines(x[known], low[known], high[known], color=style["color"], linewidth=1.0),
                series=one.label,
            )
    notes = one.notes or [f"{one.label}: {a:.6g}, {b:.6g}" for a, b in zip(x, y, strict=True)]
    (dots,) = axes.plot(x[inside], y[inside], "o", color=style["color"])
    mark(dots, series=one.label, notes=[note for note, shown in zip(notes, inside, strict=True) if shown])


def _named(one: Series) -> str:
    """The label in a legend; the bounds of a solver, which are dashed, share that of its answers."""
    return "_" if one.dashed and one.dots else printable(one.label).lstrip("_")


def stacked_bars(rows: Sequence[tuple[str, Sequence[float]]], parts: Sequence[str], unit: str) -> Figure:
    """A horizontal bar a row, in parts, the first row on top."""
    figure, axes = new_axes(height_in=0.65 + BAR_IN * max(len(rows), 1), left_in=2.0)
    places, left = np.arange(len(rows)), np.zeros(len(rows))
    for part, name in enumerate(parts):
        values = np.array([max(each[part], 0.0) if math.isfinite(each[part]) else 0.0 for _, each in rows])
        bars = axes.barh(places, values, left=left, height=0.7, color=PALETTE[part], label=name)
        for bar, (label, _), value in zip(bars, rows, values, strict=True):
            mark(bar, notes=[f"{label}, {name}: {value:.4g} {unit}"])
        left = left + values
    axes.set_yticks(places, [shortened(printable(label)) for label, _ in rows])
    axes.set(xlabel=unit, ylim=(len(rows) - 0.4, -0.6))
    axes.set_xlim(0.0, 1.05 * max(float(left.max(initial=0.0)), 1e-9))
    axes.grid(visible=False, axis="y")
    set_ticks(axes.xaxis)
    return figure


def shortened(words: str, longest: int = LONGEST_NAME) -> str:
    """The beginning of a text that is longer."""
    return words if len(words) <= longest else words[: longest - 1] + "…"
