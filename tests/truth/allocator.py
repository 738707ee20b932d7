"""Y and Z of one server by general solvers: twins of the exact allocation.

Two ways that share nothing: CVXPY on a convex restatement, and SciPy's SLSQP from many starts on P1 as printed,
which is not convex. All arrays have one entry per device served.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

Floats = NDArray[np.float64]


def band_cost(local_ms: Floats, uplink_ms: Floats, energy_ms: Floats, weight: float, share: Floats) -> float:
    """The terms of P1 that y touches, as printed."""
    return float(np.sum(weight * (local_ms - uplink_ms / share) ** 2 + energy_ms * share))


def band_by_cvxpy(
    local_ms: Floats, uplink_ms: Floats, energy_ms: Floats, weight: float
) -> tuple[float, Floats]:
    """Least band cost and its shares.

    Below y = c / D the gap c / y - D is positive and convex; above it both terms grow, so that y stays
    below and only the positive part of the gap is charged. Shares, gaps and costs are scaled to sizes near 1.
    """
    cp = pytest.importorskip("cvxpy")

    n, most = len(local_ms), np.minimum(1.0, uplink_ms / local_ms)
    wanted = 1 / (local_ms / uplink_ms + np.cbrt(energy_ms / (2 * weight * uplink_ms**2)))
    size = np.minimum(wanted, 1 / n)
    v = cp.Variable(n, pos=True)  # y in units of size
    reach = np.maximum(local_ms, uplink_ms / size)
    late = cp.multiply(uplink_ms / size / reach, cp.inv_pos(v)) - local_ms / reach
    unit = float(np.max(weight * reach**2))
    cost = (
        cp.sum_squares(cp.multiply(np.sqrt(weight / unit) * reach, cp.pos(late)))
        + (energy_ms * size / unit) @ v
    )
    problem = cp.Problem(cp.Minimize(cost), [v <= most / size, size @ v <= 1])
    problem.solve(solver=cp.CLARABEL)
    share = np.clip(np.asarray(v.value, dtype=float) * size, 1e-12, most)
    share /= max(1.0, share.sum())
    return band_cost(local_ms, uplink_ms, energy_ms, weight, share), share


def band_by_slsqp(
    local_ms: Floats, uplink_ms: Floats, energy_ms: Floats, weight: float, starts: int = 8, seed: int = 0
) -> float:
    """The best local minimum of the printed problem from several starts."""
    from scipy.optimize import minimize

    rng = np.random.default_rng(seed)
    n = len(local_ms)
    unit = band_cost(local_ms, uplink_ms, energy_ms, weight, np.full(n, 1 / n)) or 1.0

    def value(y: Floats) -> float:
        return band_cost(local_ms, uplink_ms, energy_ms, weight, y) / unit

    def slope(y: Floats) -> Floats:
        gap = local_ms - uplink_ms / y
        return np.asarray((2 * weight * gap * uplink_ms / y**2 + energy_ms) / unit)

    budget: Any = {"type": "ineq", "fun": lambda y: 1 - y.sum(), "jac": lambda y: -np.ones(n)}
    best = np.inf
    for start in range(starts):
        first = np.full(n, 1 / n) if start == 0 else rng.dirichlet(np.ones(n)) * rng.uniform(0.2, 1)
        found = minimize(
            value,
            np.maximum(first, 1e-6),
            jac=slope,
            bounds=[(1e-6, 1.0)] * n,
            constraints=[budget],
            method="SLSQP",
            options={"maxiter": 500, "ftol": 1e-13},
        )
        share = np.clip(found.x, 1e-6, 1.0)
        share /= max(1.0, share.sum())
        best = min(best, band_cost(local_ms, uplink_ms, energy_ms, weight, share))
    return best


def compute_by_slsqp(flop: Floats, flop_per_ms: float) -> float:
    """Least sum of f_i / (z_i F) under sum z <= 1, by SLSQP."""
    from scipy.optimize import minimize

    n = len(flop)
    unit = float(flop.sum()) * n / flop_per_ms
    budget: Any = {"type": "ineq", "fun": lambda z: 1 - z.sum()}
    found = minimize(
        lambda z: float(np.sum(flop / (z * flop_per_ms))) / unit,
        np.full(n, 1 / n),
        jac=lambda z: -flop / (z**2 * flop_per_ms) / unit,
        bounds=[(1e-6, 1.0)] * n,
        constraints=[budget],
        method="SLSQP",
        options={"maxiter": 500, "ftol": 1e-14},
    )
    share = found.x / max(1.0, found.x.sum())
    return float(np.sum(flop / (share * flop_per_ms)))
