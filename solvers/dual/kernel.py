"""The dual of P1 in 2E prices: its value, gradient and curvature in one compiled pass over candidate numbers.

At prices p of compute and mu of band a pair costs its device ``C_ij = wait_j + p_j s_i + psi_ij(mu_j)``; the
dual is ``sum_i min_j C_ij - sum_j (p_j^2 F_j / 4 + mu_j)`` (``docs/model.md``, section 3). It is concave with
kinks, so the ascent climbs ``-eps log sum_j exp(-C_ij / eps)`` in the place of the minimum, which lies below it.

Compute is measured in the units of :class:`uara.p1.coefficients.Coefficients`, so that both kinds of price are of
the size of milliseconds.
"""

from __future__ import annotations

import numpy as np

from uara.base.kernels import kernel
from uara.base.quantities import Floats, Indices
from uara.p1.certificate import Certificate
from uara.p1.coefficients import Coefficients
from uara.p1.server_cost import inverse_share


def certificate_of(numbers: Coefficients, prices: Floats) -> Certificate:
    """The (2E,) prices of the kernels' units as a certificate."""
    servers = numbers.servers
    return Certificate(prices[:servers] / np.sqrt(numbers.work_flop), prices[servers:])


def prices_of(numbers: Coefficients, certificate: Certificate) -> Floats:
    """The (2E,) prices of a certificate in the kernels' units."""
    compute = certificate.compute_price * np.sqrt(numbers.work_flop)
    return np.concatenate([compute, certificate.bandwidth_price])


@kernel(allocates=False, inner=True)
def cost_pass(
    numbers: Coefficients, prices: Floats, cost: Floats, share: Floats, bend: Floats, inverse: Floats
) -> None:
    """Cost C_ij, band share y_ij and dy/dmu of each pair at some prices.

    Parameters
    ----------
    prices
        (2E,) p and mu.
    cost, share, bend
        (K,) Output.
    inverse
        (K,) Warm start of 1/y: zeros at first, then what an earlier call left.
    """
    servers = len(numbers.work_per_ms)
    weight = numbers.sync_weight_per_ms
    for k in range(len(numbers.server)):
        j = numbers.server[k]
        cost[k] = numbers.wait_ms[k] + prices[j] * numbers.root_work[k]
        share[k], bend[k] = 0.0, 0.0
        if weight <= 0.0:
            continue
        local, uplink = numbers.local_ms[k], numbers.uplink_ms[k]
        band = numbers.band_cost_ms[k] + prices[servers + j]
        scale, balance = 0.5 / (weight * uplink * uplink), local / uplink
        inner = inverse_share(balance, band * scale, inverse[k])
        inverse[k] = inner
        u = max(inner, 1.0)
        gap = local - uplink * u
        cost[k] += weight * gap * gap + band / u
        share[k] = 1.0 / u
        if inner > 1.0:
            bend[k] = -scale / (u * u * u * (3.0 * u - 2.0 * balance))


@kernel(allocates=False, inner=True)
def hard_dual(numbers: Coefficients, prices: Floats, cost: Floats, choice: Indices) -> float:
    """The dual's value from the (K,) costs; ``choice`` (M,) receives each device's cheapest pair."""
    servers = len(numbers.work_per_ms)
    total = 0.0
    for i in range(len(choice)):
        best = numbers.start[i]
        for k in range(best + 1, numbers.start[i + 1]):
            if cost[k] < cost[best]:
                best = k
        choice[i] = best
        total += cost[best]
    for j in range(servers):
        total -= prices[j] * prices[j] * numbers.work_per_ms[j] / 4.0 + prices[servers + j]
    return total


@kernel(allocates=False, inner=True)
def soft_dual(
    numbers: Coefficients,
    prices: Floats,
    cost: Floats,
    share: Floats,
    choice: Indices,
    temperature: float,
    weight: Floats,
    gradient: Floats,
) -> float:
    """The dual with a soft minimum of this temperature, at most the hard one.

    Parameters
    ----------
    weight
        (K,) Output: the soft minimum's weight of each pair, summing to one per device.
    gradient
        (2E,) Output.
    """
    servers = len(numbers.work_per_ms)
    total = 0.0
    for j in range(servers):
        price = prices[j]
        total -= price * price * numbers.work_per_ms[j] / 4.0 + prices[servers + j]
        gradient[j] = -price * numbers.work_per_ms[j] / 2.0
        gradient[servers + j] = -1.0
    for i in range(len(choice)):
        least, mass = cost[choice[i]], 0.0
        for k in range(numbers.start[i], numbers.start[i + 1]):
            weight[k] = np.exp((least - cost[k]) / temperature)
            mass += weight[k]
        total += least - temperature * np.log(mass)
        for k in range(numbers.start[i], numbers.start[i + 1]):
            weight[k] /= mass
            gradient[numbers.server[k]] += weight[k] * numbers.root_work[k]
            gradient[servers + numbers.server[k]] += weight[k] * share[k]
    return total


@kernel(allocates=False, inner=True)
def curvature(
    numbers: Coefficients, share: Floats, bend: Floats, temperature: float, weight: Floats, hessian: Floats
) -> None:
    """Minus the second derivative of :func:`soft_dual`, a positive semidefinite (2E, 2E) matrix."""
    servers = len(numbers.work_per_ms)
    hessian[:, :] = 0.0
    for j in range(servers):
        hessian[j, j] = numbers.work_per_ms[j] / 2.0
    for i in range(len(numbers.start) - 1):
        for k in range(numbers.start[i], numbers.start[i + 1]):
            if weight[k] < 1e-12:
                continue
            j = numbers.server[k]
            hessian[servers + j, servers + j] -= weight[k] * bend[k]
            own = weight[k] * (1.0 - weight[k]) / temperature
            here = numbers.root_work[k], share[k]
            _add_block(hessian, j, j, own, here, here)
            for other in range(numbers.start[i], k):
                mixed = -weight[k] * weight[other] / temperature
                if mixed < 0.0:
                    m = numbers.server[other]
                    there = numbers.root_work[other], share[other]
                    _add_block(hessian, j, m, mixed, here, there)
                    _add_block(hessian, m, j, mixed, there, here)


@kernel(allocates=False, inner=True)
def _add_block(
    hessian: Floats, j: int, m: int, factor: float, one: tuple[float, float], other: tuple[float, float]
) -> None:
    """Add ``factor`` times the product of two candidates' (s, y), at the servers j and m."""
    servers = len(hessian) // 2
    hessian[j, m] += factor * one[0] * other[0]
    hessian[j, servers + m] += factor * one[0] * other[1]
    hessian[servers + j, m] += factor * one[1] * other[0]
    hessian[servers + j, servers + m] += factor * one[1] * other[1]


@kernel(allocates=False)
def priced(
    numbers: Coefficients,
    prices: Floats,
    cost: Floats,
    share: Floats,
    bend: Floats,
    inverse: Floats,
    choice: Indices,
) -> float:
    """:func:`cost_pass` and :func:`hard_dual` for callers in Python."""
    cost_pass(numbers, prices, cost, share, bend, inverse)
    return hard_dual(numbers, prices, cost, choice)


def at_prices(numbers: Coefficients, prices: Floats) -> tuple[float, Floats, Indices]:
    """The dual at some prices, each pair's excess over its device's cheapest, and those cheapest pairs."""
    cost, share, bend, inverse = (np.zeros(len(numbers.server)) for _ in range(4))
    choice = np.zeros(numbers.devices, dtype=np.int64)
    value = float(priced(numbers, prices, cost, share, bend, inverse, choice))
    # Rounding must not lift the bound above what the certificate will be found to prove.
    value -= 1e-12 * float(np.abs(cost[choice]).sum())
    return value, cost - cost[choice][numbers.device], choice
