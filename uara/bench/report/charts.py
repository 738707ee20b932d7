"""The charts of the report."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from uara.bench.metrics import TARGET, costs, incumbents
from uara.bench.report.svg import Series, plot, stacked_bars
from uara.bench.results import Results
from uara.bench.statistics import Profile, bootstrap_interval, primal_gap, profile, unit_of

if TYPE_CHECKING:
    import pandas as pd

MOST_FACTOR = 1e6


def by_instance(runs: pd.DataFrame, column: str) -> dict[str, dict[str, list[float]]]:
    """Cost of every run by solver and instance; infinite for skipped ones too."""
    found: dict[str, dict[str, list[float]]] = {label: {} for label in dict.fromkeys(runs["label"])}
    spent = costs(runs, column).fillna(math.inf)
    for label, instance, cost in zip(runs["label"], runs["instance"], spent, strict=True):
        found[label].setdefault(instance, []).append(float(cost))
    return found


def profiles(runs: pd.DataFrame) -> dict[str, dict[str, Profile]]:
    """Performance profiles of quality and of time to target, over the same runs and the same failures."""
    instances = list(dict.fromkeys(runs["instance"]))
    return {
        "quality": profile(by_instance(runs, "controllable_ms"), instances),
        "time": profile(by_instance(runs, "time_to_target_s"), instances),
    }


def profile_chart(found: dict[str, Profile], places: dict[str, int], *, title: str, x_label: str) -> str:
    """Share of instances solved within a factor of the best."""
    highest = max((one.factors[-1] for one in found.values() if len(one.factors)), default=1.0)
    last = min(MOST_FACTOR, max(highest * 1.2, 1.1))
    series = []
    for label, one in found.items():
        factors = [1.0, *one.factors.tolist(), last]
        shares = [one.at(factor) for factor in factors]
        series.append(Series(label, factors, shares, place=places[label], step=True, dots=False))
    return plot(
        series,
        title=title,
        x_label=x_label,
        y_label="share of instances",
        x_log=True,
        y_limits=(0.0, 1.0),
    )


def mean_gap_chart(results: Results, runs: pd.DataFrame, places: dict[str, int]) -> str:
    """Mean primal gap over all runs against time."""
    times, curves = mean_gap_curves(results, runs)
    series = [
        Series(label, times.tolist(), (100 * gap).tolist(), place=places[label], dots=False)
        for label, gap in curves.items()
    ]
    return plot(
        series,
        title="Mean primal gap against time",
        x_label="seconds on the solver's clock",
        y_label="mean primal gap [%]",
        x_log=True,
        y_zero=True,
    )


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


def anytime_chart(
    results: Results, instance: str, runs: pd.DataFrame, known: pd.Series, places: dict[str, int]
) -> str:
    """Incumbents (solid) and bounds (dashed) of the first run of each solver on an instance."""
    points = results.points[results.points["instance"] == instance]
    curves = dict(tuple(points.groupby("run_id", sort=False)))
    series: list[Series] = []
    for label, own in runs[runs["instance"] == instance].groupby("label", sort=False):
        run = own.iloc[0]
        if run["status"] not in ("ok", "timeout", "memory"):
            continue
        mine, place = curves.get(run["run_id"]), places[str(label)]
        if run["status"] == "ok":
            times, values = incumbents(run, mine)
            end = max(run["runtime_s"], times[-1])
            series.append(Series(str(label), [*times, end], [*values, values[-1]], place=place, step=True))
        if mine is not None:
            bounds = mine[np.isfinite(mine["bound_ms"])]
            shown = (bounds["bound_ms"] - known["constant_ms"]).tolist()
            if shown:
                series.append(
                    Series(
                        str(label), bounds["elapsed_s"].tolist(), shown, place=place, step=True, dashed=True
                    )
                )
    best = known["best_controllable_ms"]
    limits = (0.0 if not math.isfinite(known["bound_ms"]) else 0.9 * best, 2.0 * best)
    return plot(
        [_positive(one) for one in series],
        title=f"Answers and bounds on {instance} against time",
        x_label="seconds on the solver's clock",
        y_label="controllable part [ms]",
        x_log=True,
        y_limits=limits if math.isfinite(best) else None,
    )


def _positive(one: Series) -> Series:
    one.x = [max(value, 1e-5) for value in one.x]
    return one


def gap_split_chart(table: pd.DataFrame) -> str:
    """Mean gap of each solver in its two parts."""
    rows = [
        (row["label"], [100 * row["association_gap"], 100 * row["allocation_gap"]])
        for row in table.to_dict("records")
    ]
    return stacked_bars(
        rows, ["association", "allocation"], title="Gap by its cause", unit="% of the controllable part"
    )


def sweep_chart(
    figure: dict[str, Any], runs: pd.DataFrame, places: dict[str, int]
) -> tuple[str, list[dict[str, Any]]]:
    """A measured column against a feature, a line a solver; and the numbers in it.

    Means over the instances of each drop, then over the drops, which the 95 % intervals are over too. There is no
    point where a solver failed.
    """
    x, y = figure["x"], figure["y"]
    own = _chosen(figure, runs, y)
    records: list[dict[str, Any]] = []
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
    return plot(series, title=figure["title"], x_label=pretty(x), y_label=pretty(y)), records


def pareto_chart(
    figure: dict[str, Any], runs: pd.DataFrame, places: dict[str, int]
) -> tuple[str, list[dict[str, Any]]]:
    """Two measured columns against each other, joined along a third; those that nobody dominates are marked.

    There is no point where a solver failed.
    """
    x, y, along = figure["x"], figure["y"], figure.get("along") or figure["x"]
    own = _chosen(figure, runs, x, y)
    named = own[["label"]].assign(along=own[along], x=own[x], y=own[y])
    means = named.groupby(["label", "along"], sort=False).mean().reset_index()
    means = means[np.isfinite(means[["x", "y"]]).all(axis=1)]
    records = []
    for row in means.to_dict("records"):
        x_gain, y_gain = means["x"] - row["x"], means["y"] - row["y"]
        beaten = (x_gain <= 0) & (y_gain <= 0) & ((x_gain < 0) | (y_gain < 0))
        records.append({**row, "front": not beaten.any()})
    series = []
    for label in dict.fromkeys(record["label"] for record in records):
        mine = sorted(
            (record for record in records if record["label"] == label), key=lambda record: record["along"]
        )
        notes = [
            f"{label}, {pretty(along)} {r['along']:g}{', on the front' if r['front'] else ''}" for r in mine
        ]
        xs, ys = [r["x"] for r in mine], [r["y"] for r in mine]
        series.append(Series(str(label), xs, ys, place=places[str(label)], notes=notes))
    front = sorted((record for record in records if record["front"]), key=lambda record: record["x"])
    if len(front) > 1:
        xs, ys = [r["x"] for r in front], [r["y"] for r in front]
        series.append(Series("nobody is better in both", xs, ys, place=len(places), dashed=True, dots=False))
    return plot(series, title=figure["title"], x_label=pretty(x), y_label=pretty(y)), records


def _chosen(figure: dict[str, Any], runs: pd.DataFrame, *measured: str) -> pd.DataFrame:
    """The runs that a figure shows, with what failures cost in the columns that it measures."""
    own = runs.assign(**{name: costs(runs, name) for name in measured if not name.startswith("feature_")})
    member = runs["groups"].map(lambda groups: figure["group"] in groups)
    own = own[member & (runs["status"] != "skipped")]
    return own[own["label"].isin(figure["solvers"])] if figure.get("solvers") else own


UNITS = {"_ms": "ms", "_s": "s", "_j": "J", "_mb": "MB", "_per_j": "per J"}


def pretty(column: str) -> str:
    """A column's name as an axis label: its unit in brackets."""
    name = column.removeprefix("feature_").removeprefix("measure_")
    if name.endswith("_ms_per_j"):
        return name.removesuffix("_ms_per_j").replace("_", " ") + " [ms/J]"
    for suffix, unit in UNITS.items():
        if name.endswith(suffix):
            return f"{name.removesuffix(suffix).replace('_', ' ')} [{unit}]"
    return name.replace("_", " ")


TARGET_WORDS = f"answer within {100 * TARGET:g} % of the best known"
