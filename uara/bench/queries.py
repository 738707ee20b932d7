"""How to compute the numbers of the report from the Parquet file, with pandas and nothing else.

Each query is a piece of Python that starts from ``rows = pandas.read_parquet(FILE)`` and leaves its result in
``answer``. The report prints them; the tests run them against the report's own numbers.
"""

from __future__ import annotations

from dataclasses import dataclass

_RUNS = """\
runs = rows[rows.record == "run"]
ok = runs[runs.status == "ok"]
"""
_BEST = """\
best = ok.groupby("instance").controllable_ms.min()
"""
_BOUND = """\
proven = ok.groupby("instance").certified_bound_ms.max()
bound = proven.fillna(ok.groupby("instance").bound_ms.max())
"""


@dataclass(frozen=True)
class Query:
    """A number of the report, and the code that computes it."""

    title: str
    code: str


QUERIES = {
    "statuses": Query(
        "Runs of each status, by solver",
        _RUNS + 'answer = runs.groupby(["label", "status"]).size()',
    ),
    "solved": Query(
        "Column “solved” of the ranking",
        _RUNS
        + 'tried = runs[runs.status != "skipped"]\n'
        + 'answer = (tried.status == "ok").groupby(tried.label).mean()',
    ),
    "excess": Query(
        "Column “excess” of the ranking",
        _RUNS
        + _BEST
        + """\
import numpy
excess = (runs.controllable_ms / runs.instance.map(best) - 1).where(runs.status == "ok")
excess = excess.fillna(excess.groupby(runs.instance).transform("max")).where(runs.status != "skipped")
means = numpy.log1p(excess.groupby([runs.label, runs.instance]).mean())
answer = numpy.expm1(means.groupby("label").mean())
answer = answer[answer.index.isin(ok.label)]""",
    ),
    "gap_to_bound": Query(
        "Column “gap to bound” of the ranking",
        _RUNS
        + _BOUND
        + """\
gap = (ok.objective_ms - ok.instance.map(bound)).clip(lower=0) / ok.controllable_ms
answer = gap.groupby([ok.label, ok.instance]).mean().groupby("label").mean()""",
    ),
    "proven_gap": Query(
        "Column “own proof” of the ranking",
        _RUNS + 'answer = ok.groupby(["label", "instance"]).gap.mean().groupby("label").mean()',
    ),
    "controllable_ms": Query(
        "Column “controllable” of the ranking (latency, p95 and energy alike)",
        _RUNS
        + """\
import numpy
means = ok.groupby(["label", "instance"]).controllable_ms.mean()
answer = numpy.exp(numpy.log(means).groupby("label").mean())""",
    ),
    "runtime_s": Query(
        "Column “runtime” of the ranking",
        _RUNS
        + """\
import numpy
means = ok.groupby(["label", "instance"]).runtime_s.mean()
answer = numpy.exp(numpy.log(means + 0.1).groupby("label").mean()) - 0.1""",
    ),
    "allocation_gap": Query(
        "The part of the gap that is due to the allocation",
        _RUNS
        + """\
gap = (ok.objective_ms - ok.measure_optimal_shares_ms).clip(lower=0) / ok.controllable_ms
answer = gap.groupby([ok.label, ok.instance]).mean().groupby("label").mean()""",
    ),
    "trajectory": Query(
        "Answers and bounds over time of one run",
        'points = rows[(rows.record == "point") & (rows.run_id == run_id)]\n'
        'answer = points[["elapsed_s", "controllable_ms", "bound_ms", "gap"]]',
    ),
    "machines": Query(
        "Machines and software",
        _RUNS
        + 'answer = runs[["host", "cpu", "cores", "threads", "python", "commit", "versions"]].drop_duplicates()',
    ),
}
