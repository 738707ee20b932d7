"""The proportional rule: shares follow weights, and a server's cost is a function of seven sums over its devices.

So a trial costs some twenty nanoseconds, however many devices there are. With the weights w_y and w_z of the
candidates, and ``held = max(sum of w_y, reserve)``, the shares are ``y = w_y / held`` and ``z = w_z / sum of w_z``.
"""

from __future__ import annotations

import numpy as np

from uara.base.kernels import kernel
from uara.base.quantities import Floats
from uara.p1.coefficients import Coefficients

Seven = tuple[float, float, float, float, float, float, float]
SUMS = 7
"""Of w_z, f / w_z, w_y, lambda D c / w_y, lambda (c / w_y)^2, a w_y, and wait + lambda D^2."""


def terms_of(numbers: Coefficients, band_weight: Floats, compute_weight: Floats) -> Floats:
    """(K, 7) What each candidate adds to the sums of its server, under (K,) weights of Y and of Z."""
    weight, ratio = numbers.sync_weight_per_ms, numbers.uplink_ms / band_weight
    columns = [
        compute_weight,
        numbers.work / compute_weight,
        band_weight,
        weight * numbers.local_ms * ratio,
        weight * ratio**2,
        numbers.band_cost_ms * band_weight,
        numbers.wait_ms + weight * numbers.local_ms**2,
    ]
    return np.stack(columns, axis=1)


@kernel(inline="always", allocates=False)
def cost_of(sums: Seven, speed: float, reserve: float) -> float:
    """Cost in ms of a set that is not empty, at a server of this speed (F_j in units of work per ms)."""
    work_weight, inverse, band_weight, mixed, square, sending, fixed = sums
    held = max(band_weight, reserve)
    return work_weight * inverse / speed + held * (held * square - 2.0 * mixed) + sending / held + fixed


@kernel(inline="always", allocates=False)
def sums_at(sums: Floats, j: int) -> Seven:
    """The sums of server j, a row of (E, 7)."""
    return sums[j, 0], sums[j, 1], sums[j, 2], sums[j, 3], sums[j, 4], sums[j, 5], sums[j, 6]


@kernel(inline="always", allocates=False)
def plus(sums: Seven, terms: Floats, k: int) -> Seven:
    """The sums when candidate k has come, whose terms are a row of (K, 7)."""
    return (
        sums[0] + terms[k, 0],
        sums[1] + terms[k, 1],
        sums[2] + terms[k, 2],
        sums[3] + terms[k, 3],
        sums[4] + terms[k, 4],
        sums[5] + terms[k, 5],
        sums[6] + terms[k, 6],
    )


@kernel(inline="always", allocates=False)
def less(sums: Seven, terms: Floats, k: int) -> Seven:
    """The sums when candidate k has gone."""
    return (
        sums[0] - terms[k, 0],
        sums[1] - terms[k, 1],
        sums[2] - terms[k, 2],
        sums[3] - terms[k, 3],
        sums[4] - terms[k, 4],
        sums[5] - terms[k, 5],
        sums[6] - terms[k, 6],
    )
