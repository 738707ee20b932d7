"""The ranking as a table: the same one on a terminal, in a README, on a page and in a paper."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from uara.base.cells import (
    NONE,
    Cell,
    Column,
    Figure,
    Table,
    figure,
    number,
    percent,
    significant,
    tabled,
    words,
)
from uara.bench.metrics import scored
from uara.bench.ranking import overall

if TYPE_CHECKING:
    import pandas as pd

    from uara.bench.results import Results

BRIEF, USUAL = 1, 3
"""Places of the columns that a short and a usual table have; see :class:`uara.base.cells.Column`."""


def _primal_gap(row: Mapping[str, Any]) -> Cell:
    """The primal gap; in brackets that of the answered instances where others were not."""
    make = percent(3)
    cell = make(row["excess"])
    if math.isinf(row["excess"]) and math.isfinite(row["excess_answered"]):
        return replace(cell, text=f"{cell.text} ({make(row['excess_answered']).text})")
    return cell


def _interval(row: Mapping[str, Any]) -> Cell:
    low, high = row["excess_low"], row["excess_high"]
    return Cell(f"{100 * low:.2f} … {100 * high:.2f}" if math.isfinite(low) else NONE, 100 * low)


_PRIMAL_GAP = (
    "geometric mean of controllable part / best known, less 1; infinite where a run failed, and in "
    "brackets that of the instances it answered"
)
FIGURES: Sequence[Figure] = (
    figure("solver", "label", words),
    figure("rank", "rank", number(0), "solvers that the test cannot tell apart share a rank", 2),
    (Column("primal gap %", _PRIMAL_GAP, place=1), _primal_gap),
    (Column("95 % interval %", "bootstrap of the primal gap over the drops; none below six", place=3), _interval),
    figure(
        "optimality gap %", "gap_to_bound", percent(4),
        "(objective - best dual bound of anybody) / controllable part; a failure counts as 100 %", 1,
    ),
    figure(
        "own proof %", "proven_gap", percent(4),
        "the gap that the solver's own bound proves, over the instances where it has one; a failure counts as 100 %", 2,
    ),
    figure(
        "controllable ms", "controllable_ms", number(1),
        "geometric mean over the instances; infinite where a run failed", 4,
    ),
    figure(
        "latency ms", "latency_mean_ms", number(1),
        "mean over the devices; geometric mean over the instances; infinite where a run failed", 1,
    ),
    figure(
        "p95 ms", "latency_p95_ms", number(1), "95th percentile over the devices; infinite where a run failed", 3
    ),
    figure("energy J", "energy_j", number(1), "of all devices; infinite where a run failed", 5),
    figure(
        "runtime s", "runtime_s", significant(3),
        "geometric mean shifted by 0.1 s, compilation and imports apart; a failure counts ten times its limit", 1,
    ),
    figure(
        "noise %", "runtime_noise", percent(1),
        "relative standard deviation of the runtime of repeated runs; none where a run failed", 5,
    ),
    figure("set-up s", "setup_s", significant(2), "median of imports and compilation; a failure is infinite", 5),
    figure(
        "primal integral s", "primal_integral_s", significant(3),
        "seconds lost to bad answers until the least time limit on the instance; a failure loses all of them", 5,
    ),
    figure(
        "memory MB", "peak_memory_mb", number(0),
        "largest resident memory of a run; a failure counts its limit at least", 5,
    ),
    figure("solved %", "solved", percent(0), "runs that ended ok, of those that were not skipped", 2),
)  # fmt: skip


def of_results(results: Results) -> Table:
    """The ranking of the runs of a result file."""
    return standings(scored(results), results.suite.get("name", ""))


def standings(runs: pd.DataFrame, name: str = "", tests: pd.DataFrame | None = None) -> Table:
    """The ranking of these scored runs, the best first.

    Columns in which every row says the same are dropped, and solvers of which every run was left out.
    """
    rows = [row for row in overall(runs, tests).to_dict("records") if not math.isnan(row["solved"])]
    return tabled(FIGURES, rows, name).distinct()


def pairs(tests: pd.DataFrame) -> Table:
    """Every pair of solvers, by primal gap, as :func:`uara.bench.ranking.duels` compares them."""
    drops = "independent ones: variants and parts of one drop count once in the test"
    test = "Wilcoxon signed-rank over the drops, Holm-adjusted; a failure is worse than any answer"
    figures = [
        figure("solver", "first", words),
        figure("against", "second", words),
        figure("instances", "instances", number(0), place=1),
        figure("drops", "units", number(0), drops, 1),
        figure("lower", "lower", number(0), "instances on which the first is better", 1),
        figure("equal", "equal", number(0), place=1),
        figure("higher", "higher", number(0), place=1),
        figure(
            "mean difference of primal gap %",
            "mean_difference",
            percent(3),
            "infinite where one of them failed",
            1,
        ),
        figure("p", "p_value", significant(2), test),
    ]
    return tabled(figures, tests.to_dict("records")).distinct()
