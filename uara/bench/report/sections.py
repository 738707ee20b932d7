"""What the report says: its tables, charts and pages, from the rows of a result file."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from uara.bench import queries
from uara.bench.claims import measured
from uara.bench.metrics import contradictions, references, scored
from uara.bench.ranking import duels, overall, payback, per_instance
from uara.bench.report import charts
from uara.bench.report.cells import Cell, Column, Table, number, percent, significant, words
from uara.bench.report.pages import instances_table, page
from uara.bench.report.svg import shortened
from uara.bench.results import Results, by_group, machines
from uara.bench.statistics import FEWEST_UNITS, unit_of
from uara.bench.terminal import excess

if TYPE_CHECKING:
    import pandas as pd

RANKING = [
    ("label", "solver", words, ""),
    ("rank", "rank", number(0), "solvers that the test cannot tell apart share a rank"),
    (
        "excess",
        "excess %",
        percent(3),
        "geometric mean of controllable part / best known, less 1; infinite where a run failed, and in brackets "
        "that of the instances it answered",
    ),
    ("interval", "95 % interval", words, "bootstrap over the drops; none below six of them"),
    (
        "gap_to_bound",
        "gap to bound %",
        percent(4),
        "(objective - best bound of anybody) / controllable part; a failure counts as 100 %",
    ),
    (
        "proven_gap",
        "own proof %",
        percent(4),
        "the gap that the solver's own bound proves, over the instances where it has one; a failure counts as 100 %",
    ),
    (
        "controllable_ms",
        "controllable ms",
        number(1),
        "geometric mean over the instances; infinite where a run failed",
    ),
    (
        "latency_mean_ms",
        "latency ms",
        number(1),
        "mean over the devices; geometric mean over the instances; infinite where a run failed",
    ),
    ("latency_p95_ms", "p95 ms", number(1), "95th percentile over the devices; infinite where a run failed"),
    ("energy_j", "energy J", number(1), "of all devices; infinite where a run failed"),
    (
        "runtime_s",
        "runtime s",
        significant(3),
        "geometric mean shifted by 0.1 s, compilation and imports apart; a failure counts ten times its limit",
    ),
    (
        "runtime_noise",
        "noise %",
        percent(1),
        "relative standard deviation of the runtime of repeated runs; none where a run failed",
    ),
    ("setup_s", "set-up s", significant(2), "median of imports and compilation; a failure is infinite"),
    (
        "primal_integral_s",
        "primal integral s",
        significant(3),
        "seconds lost to bad answers until the least time limit on the instance; a failure loses all of them",
    ),
    (
        "peak_memory_mb",
        "memory MB",
        number(0),
        "largest resident memory of a run; a failure counts its limit at least",
    ),
    ("solved", "solved %", percent(0), "runs that ended ok, of those that were not skipped"),
]

MOST_REASON, MOST_LOG = 300, 2000
"""Characters that are shown of why a run failed, and of the end of what it printed; the result file has the rest."""
BUSY = 2.5
"""Load for each thread of a run beyond which a machine counts as busy with something else."""


def build(results: Results) -> dict[str, Any]:
    """Everything that the template shows."""
    runs = scored(results)
    known = references(results)
    labels = list(dict.fromkeys(runs["label"]))
    places = {label: place for place, label in enumerate(labels)}
    found = charts.profiles(runs)
    return {
        "suite": results.suite,
        "counts": results.counts(),
        "missing": results.missing,
        "warnings": warnings(results, runs),
        "machines": machines(results),
        "legend": list(places.items()),
        "ranking": ranking_table(runs, "all instances"),
        "group_rankings": [ranking_table(own, group) for group, own in by_group(results, runs).items()],
        "duels": duels_table(runs),
        "quality_profile": charts.profile_chart(
            found["quality"],
            places,
            title="Performance profile of the controllable part",
            x_label="times the best",
        ),
        "time_profile": charts.profile_chart(
            found["time"], places, title="Performance profile of time to target", x_label="times the fastest"
        ),
        "target": charts.TARGET_WORDS,
        "anytime": charts.mean_gap_chart(results, runs, places),
        **gap_split(runs),
        "figures": figures(results, runs, places),
        "claims": claims_table(results, runs),
        "payback": payback_table(runs),
        "failures": failures_table(runs),
        "instances": instances_table(runs, known),
        "pages": [page(results, name, runs, known.loc[name], places) for name in known.index],
        "queries": queries.QUERIES,
    }


def warnings(results: Results, runs: pd.DataFrame) -> list[str]:
    """What a reader must not overlook."""
    found = [f"Contradiction: {line}" for line in contradictions(results)]
    if results.missing:
        found.append(
            f"{results.missing} planned runs have not been done yet: every number here is provisional."
        )
    count = runs["instance"].map(unit_of).nunique()
    if count < FEWEST_UNITS:
        found.append(f"On {count} independent drops no test can tell solvers apart: ranks are shared.")
    tried = runs[runs["status"] != "skipped"]
    for label, own in tried.groupby("label", sort=False):
        if not (own["status"] == "ok").any():
            found.append(f"{label} never succeeded: {', '.join(sorted(set(own['status'])))}.")
    if len(tried) and tried["load_1min"].astype(float).median() > BUSY * tried["threads"].median():
        found.append(
            f"The machine was busy with other work: its load was {tried['load_1min'].median():.1f} in the median, "
            f"for runs of {tried['threads'].median():.0f} thread. Runtimes are too long by an unknown factor."
        )
    commits = sorted(set(tried["commit"].dropna()) - {""})
    if len(commits) > 1:
        found.append(f"The runs were made at {len(commits)} states of the code: {', '.join(commits)}.")
    return found


def ranking_table(runs: pd.DataFrame, name: str) -> Table:
    """The overall ranking of these runs."""
    rows = []
    for record in overall(runs).to_dict("records"):
        low, high = record["excess_low"], record["excess_high"]
        record["interval"] = f"{100 * low:.2f}\u2009…\u2009{100 * high:.2f}" if math.isfinite(low) else "–"
        cells = {key: make(record[key]) for key, _, make, _ in RANKING}
        cells["excess"] = replace(
            cells["excess"], text=excess(record, lambda share, n: percent(n)(share).text)
        )
        rows.append(list(cells.values()))
    columns = [Column(title, note, make is not words) for _, title, make, note in RANKING]
    return Table(columns, rows, name)


def duels_table(runs: pd.DataFrame) -> Table:
    """Every pair of solvers."""
    columns = [
        Column("solver", numeric=False),
        Column("against", numeric=False),
        Column("instances"),
        Column("drops", "independent ones: variants and parts of one drop count once in the test"),
        Column("lower", "instances on which the first is better"),
        Column("equal"),
        Column("higher"),
        Column("mean difference of excess %", "infinite where one of them failed"),
        Column("p", "Wilcoxon signed-rank over the drops, Holm-adjusted; a failure is worse than any answer"),
    ]
    rows = [
        [
            words(row["first"]),
            words(row["second"]),
            *(number(0)(row[name]) for name in ("instances", "units", "lower", "equal", "higher")),
            percent(3)(row["mean_difference"]),
            significant(2)(row["p_value"]),
        ]
        for row in duels(runs).to_dict("records")
    ]
    return Table(columns, rows)


def gap_split(runs: pd.DataFrame) -> dict[str, Any]:
    """The gap of each solver split into association and allocation, where the problem kind can tell.

    Both parts and the whole are means over the same instances: those with a bound. Solvers that failed on one of
    theirs are left out, since an answer that does not exist has no cause.
    """
    if "allocation_gap" not in runs:
        return {"split": None, "split_chart": ""}
    names = ["gap_to_bound", "association_gap", "allocation_gap"]
    known = per_instance(runs).dropna(subset=names)
    means = known.groupby("label", sort=False)[names].mean()
    means = means[np.isfinite(means).all(axis=1)].reset_index()
    if means.empty:
        return {"split": None, "split_chart": ""}
    rows = [
        [words(row["label"]), *(percent(3)(row[name]) for name in names)] for row in means.to_dict("records")
    ]
    columns = [
        Column("solver", numeric=False),
        Column("gap %"),
        Column("association %"),
        Column("allocation %"),
    ]
    return {"split": Table(columns, rows), "split_chart": charts.gap_split_chart(means)}


def figures(results: Results, runs: pd.DataFrame, places: dict[str, int]) -> list[dict[str, Any]]:
    """The suite's figures, each with its numbers and the claim that belongs to it."""
    found = []
    for figure in results.suite.get("figures", []):
        missing = [
            name
            for name in (figure["x"], figure["y"], figure.get("along"))
            if name and not (name in runs and runs[name].dtype.kind in "fi" and runs[name].notna().any())
        ]
        if missing:
            found.append({**figure, "missing": missing})
            continue
        draw = charts.pareto_chart if figure["kind"] == "pareto" else charts.sweep_chart
        chart, records = draw(figure, runs, places)
        names = list(records[0]) if records else []
        columns = [
            Column({"x": charts.pretty(figure["x"]), "y": charts.pretty(figure["y"])}.get(n, n))
            for n in names
        ]
        rows = [[_figure_cell(record[name]) for name in names] for record in records]
        found.append({**figure, "chart": chart, "table": Table(columns, rows)})
    return found


def _figure_cell(value: Any) -> Cell:
    if isinstance(value, bool):
        return Cell("yes" if value else "no")
    return words(value) if isinstance(value, str) else significant(5)(value)


def claims_table(results: Results, runs: pd.DataFrame) -> list[dict[str, Any]]:
    """Published reductions beside those measured."""
    found = []
    for claim in results.suite.get("claims", []):
        outcome = measured(claim, runs)
        columns = [Column("what", numeric=False), Column("published %"), Column("measured %")]
        rows = [
            [words("mean reduction"), percent(1)(claim.get("mean_reduction")), percent(1)(outcome.mean)],
            [
                words("largest reduction"),
                percent(1)(claim.get("largest_reduction")),
                percent(1)(outcome.largest),
            ],
            [words("smallest reduction"), percent(1)(None), percent(1)(outcome.smallest)],
            *(
                [words(f"mean against {name}"), percent(1)(None), percent(1)(value)]
                for name, value in outcome.each.items()
            ),
        ]
        counts = {"instances": outcome.instances, "failed": outcome.failed}
        found.append({**claim, **counts, "table": Table(columns, rows)})
    return found


def payback_table(runs: pd.DataFrame) -> Table | None:
    """Where training pays."""
    records = payback(runs).to_dict("records")
    if not records:
        return None
    columns = [
        Column("learned solver", numeric=False),
        Column("against", numeric=False),
        Column("training s"),
        Column("saved s per instance", "a failure counts ten times its limit"),
        Column("pays back after instances"),
        Column(
            "excess difference %",
            "above 0: the learned solver's answers are worse; a failure is infinitely worse",
        ),
    ]
    rows = [
        [
            words(row["learned"]),
            words(row["against"]),
            number(0)(row["training_s"]),
            significant(3)(row["saved_s"]),
            number(0)(row["instances"]),
            percent(3)(row["excess_difference"]),
        ]
        for row in records
    ]
    return Table(columns, rows)


def failures_table(runs: pd.DataFrame) -> Table | None:
    """Every run that did not end ok, and why."""
    failed = runs[runs["status"] != "ok"].fillna({"reason": "", "log": ""})
    if not len(failed):
        return None
    names = ("label", "instance", "seed", "status", "reason")
    columns = [Column(name if name != "label" else "solver", numeric=name == "seed") for name in names]
    rows = []
    printed = set()
    for row in failed.to_dict("records"):
        log = row["log"][-MOST_LOG:]
        note = "" if (row["label"], log) in printed else log  # what each run prints is read once
        printed.add((row["label"], log))
        cells = [number(0)(row[name]) if name == "seed" else words(row[name]) for name in names[:-1]]
        rows.append([*cells, Cell(shortened(row["reason"], MOST_REASON), note=note)])
    return Table(columns, rows)
