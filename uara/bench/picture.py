"""The picture of a README: how fast each solver is, and how far from the optimum at most."""

from __future__ import annotations

import math
from pathlib import Path
from typing import TYPE_CHECKING, Any

from uara.base import pictures
from uara.base.errors import InputError, printable
from uara.bench.metrics import scored
from uara.bench.ranking import per_instance
from uara.bench.results import Results

if TYPE_CHECKING:
    from matplotlib.axes import Axes

LEAST_GAP = 1e-6
"""Smaller gaps are drawn here: the axis is logarithmic."""
LEAST_RUNTIME_S = 1e-4


def time_against_gap(
    results: Results,
    path: str | Path | None = None,
    instance: str | None = None,
    *,
    ax: Axes | None = None,
) -> Axes:
    """Draw the runtime of every solver on one instance against its gap to the best bound.

    Parameters
    ----------
    path
        A .svg, .png or .pdf file. Without one a notebook shows the picture.
    ax
        Axes to draw into.

    Raises
    ------
    InputError
        If there is no such instance, no bound is known for it, or the file is no picture or the results themselves.
    """
    inputs = [Path(results.source)] if results.source else []
    with pictures.panels(path, ax, (8, 4.8), inputs=inputs) as (axes,):
        _draw(axes, *points(results, instance))
    return axes


def _draw(axes: Axes, name: str, rows: list[dict[str, Any]]) -> None:
    for place, row in enumerate(rows):
        axes.scatter(row["x"], row["y"], s=55, color=f"C{place % 10}", zorder=3)
        if row["own"]:
            axes.scatter(row["x"], row["y"], s=150, facecolors="none", edgecolors=f"C{place % 10}", zorder=3)
    _label(axes, rows)
    axes.set(
        xscale="log",
        yscale="log",
        xlabel="runtime [s], compilation and imports apart",
        ylabel="distance to the optimum at most [%]",
        title=f"{printable(name)}: a ring marks solvers that prove a gap themselves",
    )
    for axis in (axes.xaxis, axes.yaxis):
        axis.set_major_formatter("{x:g}")
    axes.grid(alpha=0.3, which="major")
    axes.margins(x=0.18, y=0.12)


def points(results: Results, instance: str | None = None) -> tuple[str, list[dict[str, Any]]]:
    """The instance, and of each solver that answered it runtime, gap in per cent, and whether the proof is its own."""
    runs = scored(results)
    solved = runs[runs["answered"] & runs["gap_to_bound"].notna()]
    if solved.empty:
        raise InputError("no run has a gap: nothing proves a bound", source=results.source)
    most = str(solved.groupby("instance")["label"].nunique().idxmax())
    name = instance or results.suite.get("picture_instance") or most
    table = per_instance(solved[solved["instance"] == name])
    if table.empty:
        raise InputError(f"no bound is known for {name!r}", source=results.source)
    return name, [
        {
            "label": row["label"],
            "x": max(row["runtime_s"], LEAST_RUNTIME_S),
            "y": 100 * max(row["gap_to_bound"], LEAST_GAP),
            "own": math.isfinite(row["gap"]),
        }
        for row in table.to_dict("records")
    ]


def _label(axes: Any, rows: list[dict[str, Any]]) -> None:
    """Names beside the points; of points that lie close together, one below the other."""
    taken: list[tuple[float, float]] = []
    for place, row in enumerate(rows):
        x, y = math.log10(row["x"]), math.log10(row["y"])
        crowd = sum(abs(x - a) < 0.9 and abs(y - b) < 0.22 for a, b in taken)
        taken.append((x, y))
        axes.annotate(
            printable(row["label"]),
            (row["x"], row["y"]),
            (9, -3 - 11 * crowd),
            textcoords="offset points",
            fontsize=8,
            color=f"C{place % 10}",
        )
