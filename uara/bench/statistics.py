"""Means, intervals and tests that comparisons of solvers stand on."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from uara.base.intervals import CONFIDENCE, bootstrap
from uara.base.randomness import stream

if TYPE_CHECKING:
    import pandas as pd

Floats = NDArray[np.float64]
FEWEST_UNITS = 6
"""With fewer units a signed-rank test cannot reach the 5 % level (its least p-value is 2 / 2^n), and a percentile
interval of the mean covers far less than it says (81 % of the time with four)."""
TIE = 1e-9
"""Costs that differ by less than this, relative, are equal: in tests, in counts and in profiles."""


def unit_of(instance: str) -> str:
    """The independent unit that an instance belongs to: its drop.

    Everything before the first ``@`` or ``[`` of the name: ``e8_m90@energy_weight_ms_per_j=20`` is a variant of
    ``e8_m90``, and ``drop500[e8,m90]`` a part of ``drop500``. What one drop shows twice is no second observation.
    Another seed is another drop, so that a seed among the varied parts stays: ``net@devices=30,seed=2`` belongs to
    ``net@seed=2`` (devices of one seed are nested).
    """
    base = re.split(r"[@\[]", instance, maxsplit=1)[0]
    seed = re.search(r"[@,](seed=[^,@\[]+)", instance)
    return f"{base}@{seed[1]}" if seed else base


def shifted_geometric_mean(values: ArrayLike, shift: float = 0.0) -> float:
    """``(prod (v + shift))^(1/n) - shift``: a mean that neither the largest nor the smallest values rule.

    NaN where there are no values, or one of them is not above ``-shift``.
    """
    from scipy.stats import gmean

    array = np.asarray(values, dtype=float) + shift
    return float(gmean(array) - shift) if array.size and (array > 0).all() else math.nan


def bootstrap_interval(values: ArrayLike, *, name: str = "") -> tuple[float, float]:
    """95 % percentile interval of the mean of independent values; the same values give the same interval.

    NaN where there are fewer than six values, since the interval would be far too narrow, or infinite ones.
    """
    array = np.asarray(values, dtype=float)
    if array.size < FEWEST_UNITS or not np.isfinite(array).all():
        return math.nan, math.nan
    return bootstrap([array], np.mean, stream(0, "bootstrap", name))


def tied(first: ArrayLike, second: ArrayLike) -> NDArray[np.bool_]:
    """Where two costs, or their logarithms, are the same for all purposes; infinite ones are."""
    a, b = np.asarray(first, dtype=float), np.asarray(second, dtype=float)
    with np.errstate(invalid="ignore"):
        close = np.abs(a - b) <= TIE * np.maximum(1.0, np.maximum(np.abs(a), np.abs(b)))
    return np.asarray((a == b) | (close & np.isfinite(a) & np.isfinite(b)))


class SignedRank(NamedTuple):
    """A signed-rank test."""

    p_value: float
    balance: float
    """Sum of the signed ranks of ``first - second``: below 0 where the first is mostly lower."""


def signed_rank(first: ArrayLike, second: ArrayLike) -> SignedRank:
    """Two-sided Wilcoxon signed-rank test of paired values; a p-value of 1 where all pairs are equal.

    Pairs that are :func:`tied` count as zeros (Pratt's treatment); a difference to an infinite cost is the largest.
    """
    from scipy.stats import rankdata, wilcoxon

    a, b = np.asarray(first, dtype=float), np.asarray(second, dtype=float)
    with np.errstate(invalid="ignore"):
        difference = np.nan_to_num(np.where(tied(a, b), 0.0, a - b))
    if difference.size == 0 or not difference.any():
        return SignedRank(1.0, 0.0)
    balance = float((np.sign(difference) * rankdata(np.abs(difference))).sum())
    return SignedRank(float(wilcoxon(difference, zero_method="pratt", method="auto").pvalue), balance)


class Estimate(NamedTuple):
    """A mean with its 95 % interval, and the two-sided p-value of its being zero."""

    mean: float
    low: float
    high: float
    p_value: float


def t_estimate(mean: float, error: float, degrees: float) -> Estimate:
    """Student's interval and test of a mean with this standard error; NaN without degrees of freedom."""
    from scipy.stats import t

    if degrees <= 0:
        return Estimate(mean, math.nan, math.nan, math.nan)
    half = error * float(t.ppf((1 + CONFIDENCE) / 2, degrees))
    ratio = abs(mean) / error if error > 0 else math.inf if mean else 0.0
    p_value = 2 * float(t.sf(ratio, degrees))
    return Estimate(mean, mean - half, mean + half, p_value)


def holm(p_values: Mapping[str, float]) -> dict[str, float]:
    """Holm's step-down adjustment of p-values for the number of tests."""
    names = sorted(p_values, key=p_values.__getitem__)
    factors = np.arange(len(names), 0, -1)
    steps = np.maximum.accumulate(factors * np.array([p_values[name] for name in names]))
    return dict(zip(names, np.minimum(steps, 1.0).tolist(), strict=True))


def profiles(costs: pd.DataFrame) -> dict[str, Profile]:
    """Dolan and More's performance profile of each solver.

    Parameters
    ----------
    costs
        A row a run: ``label``, ``instance``, and its ``cost``, infinite for a failure. Instances that nobody solved
        are in the denominator; one that a solver has no run on counts as failed.

    Notes
    -----
    E. D. Dolan and J. J. More, "Benchmarking optimization software with performance profiles", Math. Program.
    91 (2002). Several runs of a solver on an instance share that instance's weight of 1. The ratio is to the
    cheapest run of anybody on that instance.
    """
    best = costs.groupby("instance")["cost"].transform("min")
    count = costs.groupby(["label", "instance"])["cost"].transform("size")
    factor = (costs["cost"] / best).where(best > 0, 1.0)
    share = 1 / (count * costs["instance"].nunique())
    found = {}
    for label, own in costs.assign(factor=factor, share=share).groupby("label", sort=False):
        steps = own[np.isfinite(own["cost"])].sort_values("factor", kind="stable")
        found[str(label)] = Profile(steps["factor"].to_numpy(), steps["share"].cumsum().to_numpy())
    return found


class Profile:
    """A step function: the share of instances that a solver solves within a factor of the best."""

    def __init__(self, factors: Floats, shares: Floats) -> None:
        self.factors, self.shares = factors, shares

    def at(self, factor: float) -> float:
        """Share of the instances solved within this factor."""
        place = int(np.searchsorted(self.factors, factor * (1 + TIE), side="right"))
        return float(self.shares[place - 1]) if place else 0.0


def primal_gap(value: float, best: float) -> float:
    """``(value - best) / value`` of a cost: 0 for the best one."""
    return max(0.0, (value - best) / value) if value > 0 else 0.0


def primal_integral(
    times_s: Sequence[float], values: Sequence[float], best: float, horizon_s: float
) -> float:
    """Seconds lost to bad incumbents until the horizon.

    Parameters
    ----------
    times_s, values
        When each incumbent was found, and its cost (positive); in order of time.
    best
        The best cost that is known.
    horizon_s
        End of the integral.

    Notes
    -----
    T. Berthold, "Measuring the impact of primal heuristics", Oper. Res. Lett. 41 (2013): the integral of the
    primal gap, which is 1 before the first incumbent and ``(value - best) / value`` after it.
    """
    total, last_s, gap = 0.0, 0.0, 1.0
    for time_s, value in zip(times_s, values, strict=True):
        until = min(max(time_s, last_s), horizon_s)
        total += gap * (until - last_s)
        last_s = until
        gap = min(gap, primal_gap(value, best))
    return total + gap * max(0.0, horizon_s - last_s)
