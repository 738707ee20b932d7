"""Ranking tables: by instance and overall, with ties and noise shown."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from uara.bench.statistics import bootstrap_interval, holm, paired_p_value, shifted_geometric_mean

if TYPE_CHECKING:
    import pandas as pd

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


def cells(runs: pd.DataFrame, column: str, *, penalise: bool = False) -> pd.DataFrame:
    """Mean of a column over the seeds and repetitions: a row an instance, a column a solver.

    Parameters
    ----------
    penalise
        Give a failed run the worst value that anybody has at its instance, so that failing never helps in a
        mean; otherwise failed runs are left out. Skipped runs always are.
    """
    order = list(dict.fromkeys(runs["label"]))
    values = runs[["instance", "label"]].assign(value=runs[column].where(runs["status"] == "ok"))
    if penalise:
        worst = values.groupby("instance")["value"].transform("max")
        values["value"] = values["value"].fillna(worst).where(runs["status"] != "skipped")
    table = values.pivot_table(index="instance", columns="label", values="value", aggfunc="mean", sort=False)
    return table.reindex(columns=order)


def overall(runs: pd.DataFrame) -> pd.DataFrame:
    """One row a solver, the best first, for runs as :func:`uara.bench.metrics.scored` gives them.

    Columns
    -------
    rank
        By the mean excess over the best known answers, failures counting as the worst answer anybody had.
        Solvers that a paired Wilcoxon test over the instances (Holm-adjusted) cannot tell from the first of
        them share a rank. A solver that was skipped somewhere has none: its means are over other instances.
    excess, excess_low, excess_high
        That mean (geometric, of controllable part / best known one, less 1) with its 95 % bootstrap interval over
        the instances.
    gap_to_bound, proven_gap
        Means: of the distance to the best bound of anybody, and of what the solver's own bound proves.
    controllable_ms, latency_mean_ms, latency_p95_ms, energy_j, runtime_s
        Geometric means over the instances (runtime: shifted by 0.1 s).
    solved
        Share of the runs that are not skipped and ended ``ok``.
    """
    import pandas as pd

    excess = cells(runs, "excess", penalise=True)
    means = {column: cells(runs, column) for column in METRICS}
    rows: list[dict[str, Any]] = []
    for label, own in runs.groupby("label", sort=False):
        tried = own[own["status"] != "skipped"]
        solved = own[own["status"] == "ok"]
        values = excess[label].dropna() if len(solved) else excess[label].iloc[:0]
        low, high = np.expm1(bootstrap_interval(np.log1p(values), name=str(label)))
        row: dict[str, Any] = {
            "label": label,
            "excess": float(np.expm1(np.log1p(values).mean())) if len(values) else math.nan,
            "excess_low": float(low),
            "excess_high": float(high),
            "gap_to_bound": _mean(cells(own, "gap_to_bound")),
            "proven_gap": _mean(cells(own, "gap")),
            **{
                name: shifted_geometric_mean(means[name][label].dropna(), shift)
                for name, shift in METRICS.items()
            },
            "runtime_noise": runtime_noise(own),
            "setup_s": solved["setup_s"].median(),
            "primal_integral_s": tried["primal_integral_s"].mean(),
            "peak_memory_mb": tried["peak_memory_mb"].max(),
            "runs": len(own),
            "skipped": int((own["status"] == "skipped").sum()),
            "solved": len(solved) / len(tried) if len(tried) else math.nan,
        }
        rows.append(row)
    table = pd.DataFrame(rows).sort_values("excess", na_position="last", kind="stable").reset_index(drop=True)
    table.insert(0, "rank", _ranks(table, excess))
    return table


def _mean(table: pd.DataFrame) -> float:
    values = table.to_numpy(dtype=float).ravel()
    values = values[np.isfinite(values)]
    return float(values.mean()) if values.size else math.nan


def _ranks(table: pd.DataFrame, excess: pd.DataFrame) -> list[float]:
    ranks: list[float] = []
    leader, rank = "", 0
    others = list(table.loc[table["skipped"] == 0, "label"])
    for _, row in table.iterrows():
        if math.isnan(row["excess"]) or row["skipped"]:
            ranks.append(math.nan)
            continue
        if not leader or told_apart(excess, leader, others[others.index(row["label"]) :]).get(
            row["label"], False
        ):
            leader, rank = row["label"], 1 + sum(not math.isnan(each) for each in ranks)
        ranks.append(rank)
    return ranks


def told_apart(values: pd.DataFrame, leader: str, others: list[str]) -> dict[str, bool]:
    """Whether each of the others differs significantly from the leader over the instances both have."""
    tests = {}
    for other in others:
        if other != leader:
            both = values[[leader, other]].dropna()
            tests[other] = paired_p_value(both[leader], both[other])
    return {name: value < SIGNIFICANCE for name, value in holm(tests).items()}


def duels(runs: pd.DataFrame, column: str = "excess") -> pd.DataFrame:
    """Every pair of solvers: on how many instances the first is lower, equal, higher; adjusted p-value."""
    import pandas as pd

    rows: list[dict[str, Any]] = []
    tests: dict[str, float] = {}
    solving = set(runs.loc[runs["status"] == "ok", "label"])
    values = cells(runs[runs["label"].isin(solving)], column, penalise=True)
    labels = list(values.columns)
    for place, first in enumerate(labels):
        for second in labels[place + 1 :]:
            both = values[[first, second]].dropna()
            scale = 1e-9 + 1e-9 * both.abs().max(axis=1)
            difference = both[first] - both[second]
            tests[f"{len(rows)}"] = paired_p_value(both[first], both[second])
            rows.append(
                {
                    "first": first,
                    "second": second,
                    "instances": len(both),
                    "lower": int((difference < -scale).sum()),
                    "equal": int((difference.abs() <= scale).sum()),
                    "higher": int((difference > scale).sum()),
                    "mean_difference": difference.mean() if len(both) else math.nan,
                }
            )
    adjusted = holm(tests)
    table = pd.DataFrame(rows)
    if rows:
        table["p_value"] = [adjusted[str(place)] for place in range(len(rows))]
    return table


def per_instance(runs: pd.DataFrame) -> pd.DataFrame:
    """One row an instance and solver: means over seeds and repetitions, and how the runs ended."""
    import pandas as pd

    rows = []
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
    for (instance, label), own in runs.groupby(["instance", "label"], sort=False):
        solved = own[own["status"] == "ok"]
        statuses = own["status"].value_counts().to_dict()
        rows.append(
            {
                "instance": instance,
                "label": label,
                **{name: solved[name].mean() if len(solved) else math.nan for name in names},
                "spread": _spread(solved["controllable_ms"]),
                "status": ", ".join(
                    name if count == len(own) else f"{count} {name}" for name, count in statuses.items()
                ),
                "reason": next((text for text in own["reason"] if isinstance(text, str) and text), ""),
            }
        )
    return pd.DataFrame(rows)


def _spread(values: pd.Series) -> float:
    """Standard deviation over the seeds, relative to the mean."""
    return float(values.std() / values.mean()) if len(values) > 1 and values.mean() else math.nan


def runtime_noise(runs: pd.DataFrame) -> float:
    """Median over instances and seeds of the relative standard deviation of repeated runtimes."""
    solved = runs[runs["status"] == "ok"]
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
                    "excess_difference": float((excess[label] - excess[other]).dropna().mean()),
                }
            )
    return pd.DataFrame(rows)
