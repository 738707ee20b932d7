"""The ranking as a table: the same one on a terminal, in a README, on a page and in a paper."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from uara.base.cells import NONE, Cell, Column, Make, Table, number, percent, significant, words
from uara.bench.metrics import scored
from uara.bench.ranking import overall

if TYPE_CHECKING:
    import pandas as pd

    from uara.bench.results import Results

BRIEF, USUAL = 1, 3
"""Places of the columns that a short and a usual table have; see :class:`uara.base.cells.Column`."""

Row = Mapping[str, Any]
Figure = tuple[Column, Callable[[Row], Cell]]
"""A column of the ranking, and its cell from a row of :func:`uara.bench.ranking.overall`."""


def _of(key: str, make: Make) -> Callable[[Row], Cell]:
    return lambda row: make(row[key])


def _excess(row: Row) -> Cell:
    """The excess; in brackets that of the answered instances where others were not."""
    make = percent(3)
    cell = make(row["excess"])
    if math.isinf(row["excess"]) and math.isfinite(row["excess_answered"]):
        return replace(cell, text=f"{cell.text} ({make(row['excess_answered']).text})")
    return cell


def _interval(row: Row) -> Cell:
    low, high = row["excess_low"], row["excess_high"]
    return Cell(f"{100 * low:.2f} … {100 * high:.2f}" if math.isfinite(low) else NONE, 100 * low)


FIGURES: dict[str, Figure] = {
    "label": (Column("solver", numeric=False), _of("label", words)),
    "rank": (
        Column("rank", "solvers that the test cannot tell apart share a rank", place=2),
        _of("rank", number(0)),
    ),
    "excess": (
        Column(
            "excess %",
            "geometric mean of controllable part / best known, less 1; infinite where a run failed, and in brackets "
            "that of the instances it answered",
            place=1,
        ),
        _excess,
    ),
    "interval": (
        Column("95 % interval %", "of the excess: bootstrap over the drops; none below six of them", place=3),
        _interval,
    ),
    "gap_to_bound": (
        Column(
            "gap to bound %",
            "(objective - best bound of anybody) / controllable part; a failure counts as 100 %",
            place=1,
        ),
        _of("gap_to_bound", percent(4)),
    ),
    "proven_gap": (
        Column(
            "own proof %",
            "the gap that the solver's own bound proves, over the instances where it has one; a failure counts as "
            "100 %",
            place=2,
        ),
        _of("proven_gap", percent(4)),
    ),
    "controllable_ms": (
        Column("controllable ms", "geometric mean over the instances; infinite where a run failed", place=4),
        _of("controllable_ms", number(1)),
    ),
    "latency_mean_ms": (
        Column(
            "latency ms",
            "mean over the devices; geometric mean over the instances; infinite where a run failed",
            place=1,
        ),
        _of("latency_mean_ms", number(1)),
    ),
    "latency_p95_ms": (
        Column("p95 ms", "95th percentile over the devices; infinite where a run failed", place=3),
        _of("latency_p95_ms", number(1)),
    ),
    "energy_j": (
        Column("energy J", "of all devices; infinite where a run failed", place=5),
        _of("energy_j", number(1)),
    ),
    "runtime_s": (
        Column(
            "runtime s",
            "geometric mean shifted by 0.1 s, compilation and imports apart; a failure counts ten times its limit",
            place=1,
        ),
        _of("runtime_s", significant(3)),
    ),
    "runtime_noise": (
        Column(
            "noise %",
            "relative standard deviation of the runtime of repeated runs; none where a run failed",
            place=5,
        ),
        _of("runtime_noise", percent(1)),
    ),
    "setup_s": (
        Column("set-up s", "median of imports and compilation; a failure is infinite", place=5),
        _of("setup_s", significant(2)),
    ),
    "primal_integral_s": (
        Column(
            "primal integral s",
            "seconds lost to bad answers until the least time limit on the instance; a failure loses all of them",
            place=5,
        ),
        _of("primal_integral_s", significant(3)),
    ),
    "peak_memory_mb": (
        Column("memory MB", "largest resident memory of a run; a failure counts its limit at least", place=5),
        _of("peak_memory_mb", number(0)),
    ),
    "solved": (
        Column("solved %", "runs that ended ok, of those that were not skipped", place=2),
        _of("solved", percent(0)),
    ),
}


def of_results(results: Results) -> Table:
    """The ranking of the runs of a result file."""
    return standings(scored(results), results.suite.get("name", ""))


def standings(runs: pd.DataFrame, name: str = "", tests: pd.DataFrame | None = None) -> Table:
    """The ranking of these scored runs, the best first.

    Columns in which every row says the same are dropped, and solvers of which every run was left out.
    """
    rows = [
        [make(row) for _, make in FIGURES.values()]
        for row in overall(runs, tests).to_dict("records")
        if not math.isnan(row["solved"])
    ]
    return Table([column for column, _ in FIGURES.values()], rows, name).distinct()


def pairs(tests: pd.DataFrame) -> Table:
    """Every pair of solvers, by excess, as :func:`uara.bench.ranking.duels` compares them."""
    figures: list[Figure] = [
        (Column("solver", numeric=False), _of("first", words)),
        (Column("against", numeric=False), _of("second", words)),
        (Column("instances", place=1), _of("instances", number(0))),
        (
            Column(
                "drops", "independent ones: variants and parts of one drop count once in the test", place=1
            ),
            _of("units", number(0)),
        ),
        (
            Column("lower", "instances on which the first is better", place=1),
            _of("lower", number(0)),
        ),
        (Column("equal", place=1), _of("equal", number(0))),
        (Column("higher", place=1), _of("higher", number(0))),
        (
            Column("mean difference of excess %", "infinite where one of them failed", place=1),
            _of("mean_difference", percent(3)),
        ),
        (
            Column(
                "p", "Wilcoxon signed-rank over the drops, Holm-adjusted; a failure is worse than any answer"
            ),
            _of("p_value", significant(2)),
        ),
    ]
    rows = [[make(row) for _, make in figures] for row in tests.to_dict("records")]
    return Table([column for column, _ in figures], rows).distinct()
