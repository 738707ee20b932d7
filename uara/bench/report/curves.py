"""Profiles and curves over time: their numbers, and the charts of them."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from uara.bench import statistics
from uara.bench.metrics import TARGET, costs, incumbents
from uara.bench.report.drawing import Drawing
from uara.bench.report.plotting import Axis, Series, line_chart, stacked_bars
from uara.bench.results import Results
from uara.bench.statistics import Profile, primal_gap

if TYPE_CHECKING:
    import pandas as pd

    from uara.bench.report.section import Facts

MOST_FACTOR = 1e6
EARLIEST_S = 1e-5
"""Earlier answers are drawn here: the axis is logarithmic."""
SECONDS = Axis("seconds on the solver's clock", log=True)
PROFILED = {"quality": ("the controllable part", "best"), "time": ("time to target", "fastest")}
"""What is profiled, and what its factors are relative to."""
TARGET_WORDS = f"answer within {100 * TARGET:g} % of the best known"


def profiles(runs: pd.DataFrame) -> dict[str, dict[str, Profile]]:
    """Performance profiles of quality and of time to target, over the same runs and the same failures."""
    columns = {"quality": "controllable_ms", "time": "time_to_target_s"}
    return {
        what: statistics.profiles(
            runs[["label", "instance"]].assign(
                cost=costs(runs, column).fillna(math.inf)
            )  # skipped: not solved
        )
        for what, column in columns.items()
    }


def profile_drawing(what: str, found: dict[str, Profile], places: dict[str, int]) -> Drawing:
    """Share of instances solved within a factor of the best, in ``quality`` or in ``time``."""
    highest = max((one.factors[-1] for one in found.values() if len(one.factors)), default=1.0)
    last = min(MOST_FACTOR, max(highest * 1.2, 1.1))
    series = []
    for label, one in found.items():
        factors = [1.0, *one.factors[one.factors <= last].tolist(), last]
        shares = [one.at(factor) for factor in factors]
        series.append(Series(label, factors, shares, place=places[label], step=True, dots=False))
    title, best = PROFILED[what]
    x, y = Axis(f"times the {best}", log=True), Axis("share of instances", limits=(0.0, 1.0))
    return Drawing(f"profile-{what}", f"Performance profile of {title}", lambda: line_chart(series, x, y))


def mean_gap_drawing(facts: Facts) -> Drawing:
    """Mean primal gap over all runs against time."""
    times, curves = mean_gap_curves(facts.results, facts.runs)
    series = [
        Series(label, times.tolist(), (100 * gap).tolist(), place=facts.places[label], dots=False)
        for label, gap in curves.items()
    ]
    y = Axis("mean primal gap [%]", zero=True)
    return Drawing("anytime", "Mean primal gap against time", lambda: line_chart(series, SECONDS, y))


def mean_gap_curves(results: Results, runs: pd.DataFrame) -> tuple[Any, dict[str, Any]]:
    """Times, and each solver's mean gap: 1 before the first answer, and throughout on an instance not answered."""
    curves = dict(tuple(results.points.groupby("run_id", sort=False)))
    tried = runs[runs["status"] != "skipped"]
    best = tried["controllable_ms"].where(tried["status"] == "ok").groupby(tried["instance"]).min()
    times = np.geomspace(1e-4, float(tried["time_limit_s"].max()) if len(tried) else 1.0, 80)
    found = {}
    for label, own in tried.groupby("label", sort=False):
        gaps = [
            gap_curve(run, curves.get(run["run_id"]), best[run["instance"]], times)
            for _, run in own.iterrows()
        ]
        found[str(label)] = np.mean(gaps, axis=0)
    return times, found


def gap_curve(run: Any, points: pd.DataFrame | None, best: float, times: Any) -> Any:
    """Primal gap of a run at each of the times."""
    gap = np.ones(len(times))
    if run["answered"]:
        for found, value in zip(*incumbents(run, points), strict=True):
            gap[times >= found] = np.minimum(gap[times >= found], primal_gap(value, best))
    return gap


def anytime_drawing(facts: Facts, instance: str, name: str) -> Drawing:
    """Incumbents (solid) and bounds (dashed) of the first run of each solver on an instance."""
    known = facts.known.loc[instance]
    series = _anytime_series(facts, instance, known["constant_ms"])
    best = known["best_controllable_ms"]
    least = 0.9 * best if math.isfinite(known["bound_ms"]) else 0.0
    y = Axis("controllable part [ms]", limits=(least, 2.0 * best) if math.isfinite(best) else None)
    return Drawing(
        name, f"Answers and bounds on {instance} against time", lambda: line_chart(series, SECONDS, y)
    )


def _anytime_series(facts: Facts, instance: str, constant_ms: float) -> list[Series]:
    curves = facts.curves(instance)
    own = facts.runs[facts.runs["instance"] == instance]
    series: list[Series] = []
    for label, mine in own.groupby("label", sort=False):
        run, place = mine.iloc[0], facts.places[str(label)]
        if run["status"] not in ("ok", "timeout", "memory"):
            continue
        points = curves.get(run["run_id"])
        if run["status"] == "ok":
            times, values = incumbents(run, points)
            end = max(run["runtime_s"], times[-1])
            x = _late([*times, end])
            series.append(Series(str(label), x, [*values, values[-1]], place=place, step=True))
        if points is not None and np.isfinite(points["bound_ms"]).any():
            bounds = points[np.isfinite(points["bound_ms"])]
            x, y = _late(bounds["elapsed_s"].tolist()), (bounds["bound_ms"] - constant_ms).tolist()
            series.append(Series(str(label), x, y, place=place, step=True, dashed=True))
    return series


def _late(times_s: list[float]) -> list[float]:
    return [max(time_s, EARLIEST_S) for time_s in times_s]


def gap_split_drawing(table: pd.DataFrame) -> Drawing:
    """Mean gap of each solver in its two parts."""
    rows = [
        (row["label"], [100 * row["association_gap"], 100 * row["allocation_gap"]])
        for row in table.to_dict("records")
    ]
    unit = "% of the controllable part"
    return Drawing(
        "gaps", "Gap by its cause", lambda: stacked_bars(rows, ["association", "allocation"], unit)
    )
