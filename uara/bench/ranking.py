"""Ranking tables: by instance and overall, with ties and noise shown."""

from __future__ import annotations

import itertools
import math
from collections import Counter
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from uara.bench.metrics import costs, scored
from uara.bench.statistics import (
    bootstrap_interval,
    holm,
    shifted_geometric_mean,
    signed_rank,
    tied,
    unit_of,
)

if TYPE_CHECKING:
    import pandas as pd

    from uara.bench.results import Results

SIGNIFICANCE = 0.05
RUNTIME_SHIFT_S = 0.1
"""Shift of the geometric mean of runtimes: differences far below it do not count."""
METRICS = {
    "controllable_ms": 0.0,
    "latency_mean_ms": 0.0,
    "latency_p95_ms": 0.0,
    "energy_j": 0.0,
    "runtime_s": RUNTIME_SHIFT_S,
}
"""Columns whose geometric mean over the instances is shown, each with its shift."""


def cells(runs: pd.DataFrame, column: str) -> pd.DataFrame:
    """Mean of :func:`uara.bench.metrics.costs` over seeds and repetitions: a row an instance, a column a solver."""
    order = list(dict.fromkeys(runs["label"]))
    values = runs[["instance", "label"]].assign(value=costs(runs, column))
    table = values.pivot_table(index="instance", columns="label", values="value", aggfunc="mean", sort=False)
    return table.reindex(columns=order)


def of_results(results: Results) -> pd.DataFrame:
    """One row a solver, the best first: :func:`overall` of the runs of a result file."""
    return overall(scored(results))


def overall(runs: pd.DataFrame, tests: pd.DataFrame | None = None) -> pd.DataFrame:
    """One row a solver, the best first, for runs as :func:`uara.bench.metrics.scored` gives them.

    Parameters
    ----------
    tests
        What :func:`duels` says of the runs, where that is known already.

    Columns
    -------
    rank
        By the mean excess over the best known answers; among solvers that failed somewhere, by the share of their
        runs that did not, then by ``excess_answered``.
        A solver shares the rank of the first one before it that does not beat it by the tests of :func:`duels`.
        A solver that never succeeded has none, nor has one that did not run on every instance that others ran on:
        its means are over others.
    excess, excess_low, excess_high
        That mean (geometric, of controllable part / best known one, less 1; first over the instances of a unit,
        see :func:`uara.bench.statistics.unit_of`, then over the units) with its 95 % bootstrap interval over the
        units: NaN below six of them. Infinite, and without an interval, if a run failed.
    excess_answered
        The same over the instances that the solver answered alone.
    gap_to_bound, proven_gap
        Means: of the distance to the best bound of anybody, and of what the solver's own bound proves.
    controllable_ms, latency_mean_ms, latency_p95_ms, energy_j, runtime_s
        Geometric means over the instances (runtime: shifted by 0.1 s).
    solved
        Share of the runs that are not skipped and ended ``ok``.

    Failed runs count in every one of these means, with what :func:`uara.bench.metrics.costs` says.
    """
    import pandas as pd

    names = ("excess", "gap_to_bound", "gap", *METRICS)
    means = {column: cells(runs, column) for column in names}
    spent = {column: costs(runs, column) for column in ("setup_s", "primal_integral_s", "peak_memory_mb")}
    rows: list[dict[str, Any]] = []
    for label, own in runs.groupby("label", sort=False):
        tried = own["status"] != "skipped"
        solved = own["status"] == "ok"
        excess = means["excess"][label].dropna()
        values = _log_by_unit(excess)
        answered = _log_by_unit(excess[np.isfinite(excess)])
        low, high = np.expm1(bootstrap_interval(values, name=str(label)))
        row: dict[str, Any] = {
            "label": label,
            "excess": float(np.expm1(values.mean())),
            "excess_low": float(low),
            "excess_high": float(high),
            "excess_answered": float(np.expm1(answered.mean())),
            "gap_to_bound": float(means["gap_to_bound"][label].mean()),
            "proven_gap": float(means["gap"][label].mean()),
            **{
                name: shifted_geometric_mean(means[name][label].dropna(), shift)
                for name, shift in METRICS.items()
            },
            "runtime_noise": runtime_noise(own),
            "setup_s": spent["setup_s"][own.index].median(),
            "primal_integral_s": spent["primal_integral_s"][own.index].mean(),
            "peak_memory_mb": spent["peak_memory_mb"][own.index].max(),
            "runs": len(own),
            "skipped": int((~tried).sum()),
            "solved": solved.sum() / tried.sum() if tried.any() else math.nan,
        }
        rows.append(row)
    order = {"excess": True, "solved": False, "excess_answered": True}
    table = pd.DataFrame(rows).sort_values(list(order), ascending=list(order.values())).reset_index(drop=True)
    everywhere = means["excess"].notna().all()
    ranked = [bool(everywhere[row["label"]] and row["solved"]) for row in table.to_dict("records")]
    table.insert(0, "rank", _ranks(table["label"], ranked, duels(runs) if tests is None else tests))
    return table


def _mean(values: pd.Series) -> float:
    """The mean of what may hold infinities; NaN where they have both signs."""
    with np.errstate(invalid="ignore"):
        return float(values.mean())


def _log_by_unit(excess: Any) -> Any:
    """Mean of log(1 + excess) over the instances of each unit, for one solver or several side by side."""
    return np.log1p(excess.dropna()).groupby(unit_of, sort=False).mean()


def _ranks(labels: Iterable[str], ranked: Sequence[bool], pairs: pd.DataFrame) -> list[float]:
    """Rank of each solver: that of the leader before it, unless the leader beats it.

    The leader is the best of all, picked after the fact: adjusting for its own comparisons alone would split
    equal solvers far too often. The tests are therefore adjusted once, for all pairs.
    """
    beats = {
        (row["first"], row["second"]) if row["balance"] < 0 else (row["second"], row["first"])
        for row in pairs.to_dict("records")
        if row["p_value"] < SIGNIFICANCE
    }
    ranks: list[float] = []
    leader, rank = "", 0
    for label, counts in zip(labels, ranked, strict=True):
        if counts and (not leader or (leader, label) in beats):
            leader, rank = label, 1 + sum(not math.isnan(each) for each in ranks)
        ranks.append(rank if counts else math.nan)
    return ranks


def duels(runs: pd.DataFrame) -> pd.DataFrame:
    """Every pair of solvers beside each other, by excess.

    Columns
    -------
    instances, lower, equal, higher, mean_difference
        On how many instances both have runs, and the first is lower, equal, higher; a failure is higher than any
        answer, and equal to a failure.
    units
        Independent units among them: what the test is over.
    balance, p_value
        Signed-rank test of the mean logarithms over each unit, Holm-adjusted for all pairs; the first of the two
        is the better one where the balance is below 0.
    """
    import pandas as pd

    rows: list[dict[str, Any]] = []
    solving = set(runs.loc[runs["status"] == "ok", "label"])
    values = cells(runs[runs["label"].isin(solving)], "excess")
    for first, second in itertools.combinations(values.columns, 2):
        both = values[[first, second]].dropna()
        units = _log_by_unit(both)
        test = signed_rank(units[first], units[second])
        equal = tied(both[first], both[second])
        difference = (both[first] - both[second]).where(~equal, 0.0)
        rows.append(
            {
                "first": first,
                "second": second,
                "instances": len(both),
                "units": len(units),
                "lower": int(((difference < 0) & ~equal).sum()),
                "equal": int(equal.sum()),
                "higher": int(((difference > 0) & ~equal).sum()),
                "mean_difference": _mean(difference),
                "balance": test.balance,
                "p_value": test.p_value,
            }
        )
    adjusted = holm({str(place): row["p_value"] for place, row in enumerate(rows)})
    return pd.DataFrame([{**row, "p_value": adjusted[str(place)]} for place, row in enumerate(rows)])


def per_instance(runs: pd.DataFrame) -> pd.DataFrame:
    """One row an instance and solver: means of :func:`uara.bench.metrics.costs`, and how the runs ended."""
    keys = ["instance", "label"]
    names = [
        "objective_ms",
        *METRICS,
        "excess",
        "gap_to_bound",
        "gap",
        "primal_integral_s",
        "time_to_target_s",
    ]
    names += [name for name in ("allocation_gap", "association_gap") if name in runs]
    every = runs.groupby(keys, sort=False)
    table = runs[keys].assign(**{name: costs(runs, name) for name in names}).groupby(keys, sort=False).mean()
    table["spread"] = runs[runs["answered"]].groupby(keys, sort=False)["controllable_ms"].agg(_spread)
    table["status"] = every["status"].agg(_endings)
    table["reason"] = every["reason"].agg(_first_text)
    return table.reset_index()


def _endings(statuses: pd.Series) -> str:
    """How runs ended: one word if all ended so, otherwise each with its count."""
    counts = Counter(statuses)
    return ", ".join(
        name if count == len(statuses) else f"{count} {name}" for name, count in counts.most_common()
    )


def _first_text(reasons: pd.Series) -> str:
    return next((text for text in reasons if isinstance(text, str) and text), "")


def _spread(values: pd.Series) -> float:
    """Standard deviation over the seeds, relative to the mean."""
    return float(values.std() / values.mean()) if len(values) > 1 and values.mean() else math.nan


def runtime_noise(runs: pd.DataFrame) -> float:
    """Median over instances and seeds of the relative standard deviation of repeated runtimes; NaN if a run failed."""
    solved = runs[runs["answered"]]
    if len(solved) < (runs["status"] != "skipped").sum():
        return math.nan
    grouped = solved.groupby(["instance", "label", "seed"])["runtime_s"]
    spread = (grouped.std() / grouped.mean()).dropna()
    return float(spread.median()) if len(spread) else math.nan


def payback(runs: pd.DataFrame) -> pd.DataFrame:
    """For each learned solver and each other one: after how many instances training has paid for itself.

    Training pays where the learned solver is faster; ``excess_difference`` says what its answers cost or save.
    """
    import pandas as pd

    time_s, excess = cells(runs, "runtime_s"), cells(runs, "excess")
    learned = runs.dropna(subset=["training_s"]).groupby("label")["training_s"].first()
    rows = []
    for label, training_s in learned.items():
        for other in time_s.columns:
            both = time_s[[label, other]].dropna()
            if other == label or not len(both):
                continue
            saved_s = float((both[other] - both[label]).mean())
            rows.append(
                {
                    "learned": label,
                    "against": other,
                    "training_s": training_s,
                    "saved_s": saved_s,
                    "instances": math.ceil(training_s / saved_s) if saved_s > 0 else math.inf,
                    "excess_difference": _mean((excess[label] - excess[other]).dropna()),
                }
            )
    return pd.DataFrame(rows)
