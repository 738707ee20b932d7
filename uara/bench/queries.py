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
_ANSWERED = """\
tried = runs[runs.status != "skipped"]
answered = (tried.status == "ok").groupby([tried.label, tried.instance]).transform("all")
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
        + _ANSWERED
        + _BEST
        + r"""import numpy
excess = (tried.controllable_ms / tried.instance.map(best) - 1).where(answered, numpy.inf)
drop = tried.instance.str.extract(r"^([^@\[]*)", expand=False).rename("drop")
drop += ("@" + tried.instance.str.extract(r"[@,](seed=[^,@\[]+)", expand=False)).fillna("")
means = numpy.log1p(excess.groupby([tried.label, drop, tried.instance]).mean())
answer = numpy.expm1(means.groupby(["label", "drop"]).mean().groupby("label").mean())""",
    ),
    "gap_to_bound": Query(
        "Column “gap to bound” of the ranking",
        _RUNS
        + _ANSWERED
        + _BOUND
        + """\
gap = (tried.objective_ms - tried.instance.map(bound)).clip(lower=0) / tried.controllable_ms
gap = gap.where(answered, 1).clip(upper=1)
answer = gap.groupby([tried.label, tried.instance]).mean().groupby("label").mean()""",
    ),
    "proven_gap": Query(
        "Column “own proof” of the ranking",
        _RUNS
        + _ANSWERED
        + """\
gap = tried.gap.where(answered, 1).clip(upper=1).where(tried.label.isin(ok[ok.gap.notna()].label))
answer = gap.groupby([tried.label, tried.instance]).mean().groupby("label").mean()""",
    ),
    "controllable_ms": Query(
        "Column “controllable” of the ranking",
        _RUNS
        + _ANSWERED
        + """\
import numpy
value = tried.controllable_ms.where(answered, numpy.inf)
means = value.groupby([tried.label, tried.instance]).mean()
answer = numpy.exp(numpy.log(means).groupby("label").mean())""",
    ),
    "latency_mean_ms": Query(
        "Column “latency” of the ranking (p95 and energy alike)",
        _RUNS
        + _ANSWERED
        + """\
import numpy
value = tried.latency_mean_ms.where(answered, numpy.inf)
means = value.groupby([tried.label, tried.instance]).mean()
answer = numpy.exp(numpy.log(means).groupby("label").mean())""",
    ),
    "runtime_s": Query(
        "Column “runtime” of the ranking",
        _RUNS
        + _ANSWERED
        + """\
import numpy
value = tried.runtime_s.where(answered, numpy.inf).clip(upper=10 * (tried.time_limit_s + 0.1))
means = value.groupby([tried.label, tried.instance]).mean()
answer = numpy.exp(numpy.log(means + 0.1).groupby("label").mean()) - 0.1""",
    ),
    "primal_integral_s": Query(
        "Column “primal integral” of the ranking",
        _RUNS
        + _ANSWERED
        + _BEST
        + """\
import numpy
points = rows[(rows.record == "point") & (rows.controllable_ms < numpy.inf)]
horizon = runs.groupby("instance").time_limit_s.min()

def lost_s(run):
    end, own = horizon[run.instance], points[points.run_id == run.run_id]
    if not answered[run.name]:
        return end
    times = numpy.clip([0, *own.elapsed_s, run.runtime_s, end], 0, end)
    values = numpy.minimum.accumulate([numpy.inf, *own.controllable_ms, run.controllable_ms])
    return ((1 - best[run.instance] / values).clip(0) * numpy.diff(times)).sum()

answer = tried.apply(lost_s, axis=1).groupby(tried.label).mean()""",
    ),
    "quality_profile": Query(
        "Performance profile of the controllable part: the share of instances within 10 % of the best",
        _RUNS
        + _ANSWERED
        + """\
best = tried[answered].groupby("instance").controllable_ms.min()
within = answered & (tried.controllable_ms <= 1.1 * tried.instance.map(best))
answer = within.groupby([tried.label, tried.instance]).mean().groupby("label").sum() / runs.instance.nunique()""",
    ),
    "allocation_gap": Query(
        "The part of the gap that is due to the allocation",
        _RUNS
        + _ANSWERED
        + _BOUND
        + """\
gap = (ok.objective_ms - ok.measure_optimal_shares_ms).clip(lower=0) / ok.controllable_ms
gap = gap.where(ok.instance.map(bound).notna() & ~ok.label.isin(tried[~answered].label)).dropna()
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
