"""The figures that a suite asks for: a measured column against a feature, or two of them against each other."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import numpy as np

from uara.base.cells import heading
from uara.bench.metrics import costs
from uara.bench.report.drawing import Drawing
from uara.bench.report.plotting import Axis, Series, line_chart
from uara.bench.statistics import bootstrap_interval, unit_of

if TYPE_CHECKING:
    import pandas as pd

Plain = dict[str, Any]


def suite_drawing(figure: Plain, runs: pd.DataFrame, places: dict[str, int]) -> tuple[Drawing, list[Plain]]:
    """A figure of a suite, and the numbers in it."""
    draw = pareto if figure["kind"] == "pareto" else sweep
    series, records = draw(figure, runs, places)
    x, y = Axis(heading(figure["x"])), Axis(heading(figure["y"]))
    name = re.sub(r"[^A-Za-z0-9]+", "-", figure["title"]).strip("-").lower()
    return Drawing(f"figure-{name}", figure["title"], lambda: line_chart(series, x, y)), records


def sweep(figure: Plain, runs: pd.DataFrame, places: dict[str, int]) -> tuple[list[Series], list[Plain]]:
    """A measured column against a feature, a line a solver; and the numbers in it.

    Means over the instances of each drop, then over the drops, which the 95 % intervals are over too. There is no
    point where a solver failed.
    """
    x, y = figure["x"], figure["y"]
    own = _chosen(figure, runs, y)
    records: list[Plain] = []
    series = []
    for label, mine in own.groupby("label", sort=False):
        for value, group in mine.groupby(x):
            means = group.groupby("instance")[y].mean().dropna().groupby(unit_of, sort=False).mean()
            low, high = bootstrap_interval(means, name=f"{label} {value}")
            if len(means) and np.isfinite(means).all():
                records.append({"label": label, "x": value, "y": means.mean(), "low": low, "high": high})
        mine_records = [record for record in records if record["label"] == label]
        xs, ys, lows, highs = (
            [record[name] for record in mine_records] for name in ("x", "y", "low", "high")
        )
        series.append(Series(str(label), xs, ys, lows, highs, place=places[str(label)]))
    return series, records


def growth(records: list[Plain]) -> list[Plain]:
    """To which power of x each line of :func:`sweep` grows: the slope of log y over log x, by least squares.

    Over its points of positive x and y; a line of fewer than two values of x has none.
    """
    found = []
    for label in dict.fromkeys(record["label"] for record in records):
        points = [(r["x"], r["y"]) for r in records if r["label"] == label and r["x"] > 0 and r["y"] > 0]
        if len({x for x, _ in points}) > 1:
            x, y = np.log(np.array(points)).T
            slope = float(((x - x.mean()) * (y - y.mean())).sum() / ((x - x.mean()) ** 2).sum())
            sizes = [size for size, _ in points]
            found.append({"label": label, "from": min(sizes), "to": max(sizes), "power": slope})
    return found


def pareto(figure: Plain, runs: pd.DataFrame, places: dict[str, int]) -> tuple[list[Series], list[Plain]]:
    """Two measured columns against each other, joined along a third; those that nobody dominates are marked.

    There is no point where a solver failed.
    """
    x, y, along = figure["x"], figure["y"], figure.get("along") or figure["x"]
    own = _chosen(figure, runs, x, y)
    named = own[["label"]].assign(along=own[along], x=own[x], y=own[y])
    means = named.groupby(["label", "along"], sort=False).mean().reset_index()
    means = means[np.isfinite(means[["x", "y"]]).all(axis=1)]
    records = [{**row, "front": not _beaten(row, means)} for row in means.to_dict("records")]
    series = []
    for label in dict.fromkeys(record["label"] for record in records):
        mine = sorted(
            (record for record in records if record["label"] == label), key=lambda record: record["along"]
        )
        notes = [
            f"{label}, {heading(along)} {r['along']:g}{', on the front' if r['front'] else ''}" for r in mine
        ]
        xs, ys = [r["x"] for r in mine], [r["y"] for r in mine]
        series.append(Series(str(label), xs, ys, place=places[str(label)], notes=notes))
    front = sorted((record for record in records if record["front"]), key=lambda record: record["x"])
    if len(front) > 1:
        xs, ys = [r["x"] for r in front], [r["y"] for r in front]
        series.append(Series("nobody is better in both", xs, ys, place=len(places), dashed=True, dots=False))
    return series, records


def _beaten(row: Plain, means: pd.DataFrame) -> bool:
    """Whether some other point is at least as good in both and better in one."""
    x_gain, y_gain = means["x"] - row["x"], means["y"] - row["y"]
    return bool(((x_gain <= 0) & (y_gain <= 0) & ((x_gain < 0) | (y_gain < 0))).any())


def _chosen(figure: Plain, runs: pd.DataFrame, *measured: str) -> pd.DataFrame:
    """The runs that a figure shows, with what failures cost in the columns that it measures."""
    own = runs.assign(**{name: costs(runs, name) for name in measured if not name.startswith("feature_")})
    member = runs["groups"].map(lambda groups: figure["group"] in groups)
    own = own[member & (runs["status"] != "skipped")]
    return own[own["label"].isin(figure["solvers"])] if figure.get("solvers") else own
