"""From recorded runs to comparable numbers: gaps to the best bound, times to target, primal integrals."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from uara.bench.execution.execute import LATE_S
from uara.bench.execution.referee import AGREEMENT
from uara.bench.statistics import primal_integral

if TYPE_CHECKING:
    import pandas as pd

    from uara.bench.results import Results

TARGET = 0.01
"""An answer within this relative distance of the best known controllable part counts as solving an instance."""
LATE = 10.0
"""A failure costs so many times its time limit, where runtimes are averaged."""


def references(results: Results) -> pd.DataFrame:
    """What is known of each instance: the best answer, the best bound, who found them, the gap between the two.

    A bound that was re-computed from a certificate comes before one that is only claimed, whatever its value;
    ``bound_kind`` says which it is.
    """
    import pandas as pd

    rows = []
    for instance, runs in results.runs.groupby("instance", sort=False):
        solved = runs[runs["status"] == "ok"]
        row: dict[str, Any] = {"instance": instance, "bound_kind": "none", "best_solver": ""}
        if len(solved):
            best = solved.loc[solved["objective_ms"].idxmin()]
            row["best_ms"], row["best_solver"] = best["objective_ms"], best["label"]
            row["best_controllable_ms"] = best["controllable_ms"]
            row["constant_ms"] = best["objective_ms"] - best["controllable_ms"]
            for kind, column in (("certified", "certified_bound_ms"), ("claimed", "bound_ms")):
                if solved[column].notna().any():
                    row["bound_kind"], row["bound_ms"] = kind, solved[column].max()
                    row["bound_solver"] = solved.loc[solved[column].idxmax(), "label"]
                    break
        rows.append(row)
    numbers = ("bound_ms", "best_ms", "best_controllable_ms", "constant_ms")
    names = ["instance", "bound_kind", "best_solver", "bound_solver", *numbers]
    known = pd.DataFrame(rows, columns=names).set_index("instance").astype(dict.fromkeys(numbers, float))
    distance = (known["best_ms"] - known["bound_ms"]).clip(lower=0)
    known["gap"] = (distance / known["best_controllable_ms"]).mask(distance == 0, 0.0)
    return known


def contradictions(results: Results) -> list[str]:
    """Bounds that lie above a feasible answer of somebody: one of the two is wrong, and nothing may hide it."""
    found = []
    for instance, runs in results.runs[results.runs["status"] == "ok"].groupby("instance", sort=False):
        best = runs.loc[runs["objective_ms"].idxmin()]
        slack = AGREEMENT * abs(best["controllable_ms"])
        wrong = runs[runs["bound_ms"] > best["objective_ms"] + slack]
        for _, run in wrong.drop_duplicates("label").iterrows():
            found.append(
                f"{instance}: {run['label']} bounds the objective by {run['bound_ms']:.6f} ms from below, but "
                f"{best['label']} has a feasible answer of {best['objective_ms']:.6f} ms"
            )
    return found


def scored(results: Results) -> pd.DataFrame:
    """The runs with what follows from all of them together; :class:`uara.InputError` if there are none.

    Added columns
    -------------
    answered
        Whether the solver answered its instance: all of its runs there that were not skipped ended ``ok``. One
        that failed spoils the others, because the reference that they are measured by may have been its answer.
    gap_to_bound
        (objective - best bound) / controllable part: the distance to the optimum is at most this.
    excess
        controllable part / best known one - 1.
    allocation_gap, association_gap
        ``gap_to_bound`` in two parts: what the best shares for the same association would save, and the rest.
    time_to_target_s
        When the run first had an answer within 1 % of the best; infinite if never, or if it is not ``answered``.
    primal_integral_s
        Up to the smallest time limit that any run has on the instance, so that solvers are compared over one
        horizon; the whole horizon if it is not ``answered``.
    """
    results.refuse_empty()
    runs = results.runs.copy()
    known = references(results).reindex(runs["instance"]).reset_index(drop=True)
    solved = runs["status"] == "ok"
    failed = ~solved & (runs["status"] != "skipped")
    runs["answered"] = solved & ~failed.groupby([runs["instance"], runs["label"]]).transform("any")
    controllable = runs["controllable_ms"].where(solved)
    objective = runs["objective_ms"].where(solved)
    best_ms = known["best_controllable_ms"]
    runs["excess"] = (controllable / best_ms - 1).mask(controllable == best_ms, 0.0)
    distance = (objective - known["bound_ms"]).clip(lower=0)
    runs["gap_to_bound"] = (distance / controllable).mask(distance == 0, 0.0)
    if "measure_optimal_shares_ms" in runs:
        shares = (objective - runs["measure_optimal_shares_ms"]).clip(lower=0)
        runs["allocation_gap"] = shares / controllable
        runs["association_gap"] = (distance - shares).clip(lower=0) / controllable
    curves = dict(tuple(results.points.groupby("run_id", sort=False)))
    horizon = runs.groupby("instance")["time_limit_s"].transform("min")
    brief = runs[["run_id", "status", "answered", "runtime_s", "controllable_ms"]].to_dict("records")
    spent = [
        _spent(run, curves.get(run["run_id"]), best, until)
        for run, best, until in zip(brief, known["best_controllable_ms"], horizon, strict=True)
    ]
    runs["time_to_target_s"] = [target for target, _ in spent]
    runs["primal_integral_s"] = [integral for _, integral in spent]
    return runs


def costs(runs: pd.DataFrame, column: str) -> pd.Series:
    """A column of scored runs, lower being better, with what a failure costs; NaN where skipped or unknown.

    A run on an instance that its solver has not ``answered`` costs at least what any answer could: a gap of 1,
    :data:`LATE` times its time limit, all of its memory, the horizon of a primal integral; of other columns
    infinity. Answers cost at most that too. Gaps stay unknown for a solver that has none at all.
    """
    most: Any = math.inf
    if column in ("gap", "gap_to_bound"):
        most = (runs.groupby("label")[column].transform("count") > 0).map({True: 1.0, False: math.nan})
    elif column == "runtime_s":
        most = LATE * (runs["time_limit_s"] + LATE_S)
    elif column == "peak_memory_mb":
        most = runs[["peak_memory_mb", "memory_limit_mb"]].max(axis=1)
    elif column == "primal_integral_s":
        most = runs[column]
    values = np.minimum(runs[column].where(runs["answered"], math.inf), most)
    return values.where(runs["status"] != "skipped")


def incumbents(run: Any, points: pd.DataFrame | None) -> tuple[list[float], list[float]]:
    """When a run that succeeded had which answer (s, controllable ms); its final answer is the last one."""
    times: list[float] = []
    values: list[float] = []
    if points is not None:
        falling = points[np.isfinite(points["controllable_ms"])]
        times, values = falling["elapsed_s"].tolist(), falling["controllable_ms"].tolist()
    if not values or run["controllable_ms"] < values[-1]:
        times.append(run["runtime_s"])
        values.append(run["controllable_ms"])
    return times, values


def _spent(run: Any, points: pd.DataFrame | None, best: float, horizon_s: float) -> tuple[float, float]:
    if run["status"] == "skipped":
        return math.inf, math.nan
    if not run["answered"]:
        return math.inf, horizon_s
    times, values = incumbents(run, points)
    reached = [time for time, value in zip(times, values, strict=True) if value <= best * (1 + TARGET)]
    return (reached[0] if reached else math.inf), primal_integral(times, values, best, horizon_s)
