"""Intervals by resampling: how far a number might be from what it estimates."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

RESAMPLES = 2000
CONFIDENCE = 0.95


def bootstrap(
    samples: Sequence[ArrayLike], statistic: Callable[..., NDArray[Any]], rng: np.random.Generator
) -> tuple[float, float]:
    """95 % percentile interval of a statistic of units that are drawn again, whole, with replacement.

    Parameters
    ----------
    samples
        One or more numbers of each unit, each of shape (units,); what belongs to a unit stays together.
    statistic
        Takes the samples, of shape (..., units), and an ``axis``.
    rng
        The draws; the same state gives the same interval.

    Notes
    -----
    B. Efron, "Bootstrap methods: another look at the jackknife", Ann. Statist. 7 (1979), as SciPy computes it. A
    single unit has an interval of no width.
    """
    from scipy.stats import bootstrap as resample

    arrays = [np.asarray(sample, dtype=np.float64) for sample in samples]
    if len(arrays[0]) == 1:
        value = float(statistic(*arrays, axis=-1))
        return value, value
    found = resample(
        arrays,
        statistic,
        paired=True,
        vectorized=True,
        n_resamples=RESAMPLES,
        confidence_level=CONFIDENCE,
        method="percentile",
        rng=rng,
    ).confidence_interval
    return float(found.low), float(found.high)
