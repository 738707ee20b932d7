"""The numbers of a benchmark's report once more, straight from the rows of its result file, by pandas alone."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

LATE = 10
"""What a failure costs where runtimes are averaged, in time limits (and a tenth of a second more)."""


class Rows:
    """The rows of a result file, as ``pandas.read_parquet`` reads them.

    Attributes
    ----------
    tried
        Runs that were not skipped.
    answered
        Of each of them, whether its solver ended ok in all runs on the instance.
    """

    def __init__(self, rows: pd.DataFrame) -> None:
        self.rows = rows
        self.runs = rows[rows.record == "run"]
        self.ok = self.runs[self.runs.status == "ok"]
        self.tried = self.runs[self.runs.status != "skipped"]
        ended = self.tried.status == "ok"
        self.answered = ended.groupby([self.tried.label, self.tried.instance]).transform("all")
        self.best = self.ok.groupby("instance").controllable_ms.min()
        proven = self.ok.groupby("instance").certified_bound_ms.max()
        self.bound = proven.fillna(self.ok.groupby("instance").bound_ms.max())

    def means(self, values: Any) -> Any:
        """Mean of each solver on each instance."""
        return values.groupby([self.tried.label, self.tried.instance]).mean()


def solved(rows: Rows) -> Any:
    """Share of the runs that ended ok."""
    return (rows.tried.status == "ok").groupby(rows.tried.label).mean()


def excess(rows: Rows) -> Any:
    """Geometric mean over the drops of controllable part / best known, less 1."""
    tried = rows.tried
    values = (tried.controllable_ms / tried.instance.map(rows.best) - 1).where(rows.answered, np.inf)
    drop = tried.instance.str.extract(r"^([^@\[]*)", expand=False).rename("drop")
    drop += ("@" + tried.instance.str.extract(r"[@,](seed=[^,@\[]+)", expand=False)).fillna("")
    means = np.log1p(values.groupby([tried.label, drop, tried.instance]).mean())
    return np.expm1(means.groupby(["label", "drop"]).mean().groupby("label").mean())


def gap_to_bound(rows: Rows) -> Any:
    """Mean distance to the best bound of anybody."""
    tried = rows.tried
    gap = (tried.objective_ms - tried.instance.map(rows.bound)).clip(lower=0) / tried.controllable_ms
    return rows.means(gap.where(rows.answered, 1).clip(upper=1)).groupby("label").mean()


def proven_gap(rows: Rows) -> Any:
    """Mean gap that the solver's own bounds prove."""
    gap = rows.tried.gap.where(rows.answered, 1).clip(upper=1)
    known = rows.tried.label.isin(rows.ok[rows.ok.gap.notna()].label)
    return rows.means(gap.where(known)).groupby("label").mean()


def geometric(rows: Rows, column: str) -> Any:
    """Geometric mean over the instances of a column."""
    return np.exp(np.log(rows.means(rows.tried[column].where(rows.answered, np.inf))).groupby("label").mean())


def controllable_ms(rows: Rows) -> Any:
    """Geometric mean of the controllable part."""
    return geometric(rows, "controllable_ms")


def latency_mean_ms(rows: Rows) -> Any:
    """Geometric mean of the mean latency."""
    return geometric(rows, "latency_mean_ms")


def runtime_s(rows: Rows) -> Any:
    """Shifted geometric mean of the runtime."""
    most = LATE * (rows.tried.time_limit_s + 0.1)
    means = rows.means(rows.tried.runtime_s.where(rows.answered, np.inf).clip(upper=most))
    return np.exp(np.log(means + 0.1).groupby("label").mean()) - 0.1


def primal_integral_s(rows: Rows) -> Any:
    """Mean of the seconds lost to bad answers."""
    points = rows.rows[(rows.rows.record == "point") & (rows.rows.controllable_ms < np.inf)]
    horizon = rows.runs.groupby("instance").time_limit_s.min()

    def lost_s(run: Any) -> float:
        end, own = horizon[run.instance], points[points.run_id == run.run_id]
        if not rows.answered[run.name]:
            return float(end)
        times = np.clip([0, *own.elapsed_s, run.runtime_s, end], 0, end)
        values = np.minimum.accumulate([np.inf, *own.controllable_ms, run.controllable_ms])
        return float(((1 - rows.best[run.instance] / values).clip(0) * np.diff(times)).sum())

    return rows.tried.apply(lost_s, axis=1).groupby(rows.tried.label).mean()


def solved_within(rows: Rows, factor: float) -> Any:
    """Performance profile of the controllable part at a factor of the best answer."""
    tried = rows.tried
    best = tried[rows.answered].groupby("instance").controllable_ms.min()
    within = rows.answered & (tried.controllable_ms <= factor * tried.instance.map(best))
    return rows.means(within).groupby("label").sum() / rows.runs.instance.nunique()


def allocation_gap(rows: Rows) -> Any:
    """Mean part of the gap that is the allocation's, on instances with a bound."""
    ok = rows.ok
    gap = (ok.objective_ms - ok.measure_optimal_shares_ms).clip(lower=0) / ok.controllable_ms
    failed = ok.label.isin(rows.tried[~rows.answered].label)
    gap = gap.where(ok.instance.map(rows.bound).notna() & ~failed).dropna()
    return gap.groupby([ok.label, ok.instance]).mean().groupby("label").mean()
