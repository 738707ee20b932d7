"""Means, intervals and tests that comparisons of solvers stand on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

from uara.randomness import stream

Floats = NDArray[np.float64]
RESAMPLES = 2000
CONFIDENCE = 0.95


def shifted_geometric_mean(values: ArrayLike, shift: float = 0.0) -> float:
    """``(prod (v + shift))^(1/n) - shift``: a mean that neither the largest nor the smallest values rule.

    NaN where there are no values, or one of them is not above ``-shift``.
    """
    array = np.asarray(values, dtype=float)
    if array.size == 0 or not (array + shift > 0).all():
        return float("nan")
    return float(np.exp(np.mean(np.log(array + shift))) - shift)


def bootstrap_interval(values: ArrayLike, *, name: str = "") -> tuple[float, float]:
    """95 % percentile interval of the mean of independent values; the same values give the same interval.

    NaN where there are fewer than two values: nothing can be said then.
    """
    array = np.asarray(values, dtype=float)
    if array.size < 2:
        return float("nan"), float("nan")
    picks = stream(0, "bootstrap", name).integers(0, array.size, (RESAMPLES, array.size))
    tail = 50 * (1 - CONFIDENCE)
    low, high = np.percentile(array[picks].mean(axis=1), [tail, 100 - tail])
    return float(low), float(high)


def paired_p_value(first: ArrayLike, second: ArrayLike) -> float:
    """Two-sided Wilcoxon signed-rank test of paired values; 1 where all pairs are equal.

    Pairs that differ by less than 1e-9 relative are ties (Pratt's treatment of zeros).
    """
    from scipy.stats import wilcoxon

    a, b = np.asarray(first, dtype=float), np.asarray(second, dtype=float)
    difference = np.where(np.abs(a - b) <= 1e-9 * np.maximum(np.abs(a), np.abs(b)), 0.0, a - b)
    if difference.size == 0 or not difference.any():
        return 1.0
    return float(wilcoxon(difference, zero_method="pratt", method="auto").pvalue)


def holm(p_values: Mapping[str, float]) -> dict[str, float]:
    """Holm's step-down adjustment of p-values for the number of tests."""
    ordered = sorted(p_values.items(), key=lambda item: item[1])
    adjusted: dict[str, float] = {}
    largest = 0.0
    for place, (name, value) in enumerate(ordered):
        largest = max(largest, min(1.0, (len(ordered) - place) * value))
        adjusted[name] = largest
    return adjusted


def profile(
    costs: Mapping[str, Mapping[str, Sequence[float]]], instances: Sequence[str]
) -> dict[str, Profile]:
    """Dolan and More's performance profiles.

    Parameters
    ----------
    costs
        For each solver and instance, the cost of each of its runs, infinite for a failure. A solver without
        an entry for an instance failed there.
    instances
        All instances, also those that nobody solved: they are in the denominator.

    Notes
    -----
    E. D. Dolan and J. J. More, "Benchmarking optimization software with performance profiles", Math. Program.
    91 (2002). Several runs of a solver on an instance share that instance's weight of 1. The ratio is to the
    cheapest run of anybody on that instance.
    """
    best = {}
    for instance in instances:
        found = [cost for per in costs.values() for cost in per.get(instance, ())]
        best[instance] = min(found, default=np.inf)
    result = {}
    for solver, per in costs.items():
        ratios, weights = [], []
        for instance in instances:
            runs = per.get(instance, ())
            for cost in runs:
                if np.isfinite(cost):
                    ratios.append(cost / best[instance] if best[instance] > 0 else 1.0)
                    weights.append(1 / len(runs))
        order = np.argsort(ratios, kind="stable")
        steps = np.asarray(ratios, dtype=float)[order]
        shares = np.cumsum(np.asarray(weights, dtype=float)[order]) / max(len(instances), 1)
        result[solver] = Profile(steps, shares)
    return result


class Profile:
    """A step function: the share of instances that a solver solves within a factor of the best."""

    def __init__(self, factors: Floats, shares: Floats) -> None:
        self.factors, self.shares = factors, shares

    def at(self, factor: float) -> float:
        """Share of the instances solved within this factor."""
        place = int(np.searchsorted(self.factors, factor * (1 + 1e-12), side="right"))
        return float(self.shares[place - 1]) if place else 0.0


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
        gap = min(gap, max(0.0, (value - best) / value)) if value > 0 else 0.0
    return total + gap * max(0.0, horizon_s - last_s)
