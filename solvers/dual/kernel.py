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


_FAINT = 1e-6
"""Candidates of a smaller weight bend others' prices too little to matter for a step."""


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
    """Minus the second derivative of :func:`soft_dual`, a positive semidefinite (2E, 2E) matrix.

    Its lower triangle: above the diagonal there are zeros. Two candidates of which one is faint are not coupled.
    """
    servers = len(numbers.work_per_ms)
    hessian[:, :] = 0.0
    for j in range(servers):
        hessian[j, j] = numbers.work_per_ms[j] / 2.0
    for i in range(len(numbers.start) - 1):
        for k in range(numbers.start[i], numbers.start[i + 1]):
            if weight[k] < 1e-12:
                continue
            j, s, y = numbers.server[k], numbers.root_work[k], share[k]
            hessian[servers + j, servers + j] -= weight[k] * bend[k]
            own = weight[k] * (1.0 - weight[k]) / temperature
            hessian[j, j] += own * s * s
            hessian[servers + j, j] += own * y * s
            hessian[servers + j, servers + j] += own * y * y
            if weight[k] < _FAINT:
                continue
            part = -weight[k] / temperature
            for other in range(numbers.start[i], k):  # of a lower server
                if weight[other] >= _FAINT:
                    m, mixed = numbers.server[other], part * weight[other]
                    root, band = mixed * numbers.root_work[other], mixed * share[other]
                    hessian[j, m] += s * root
                    hessian[servers + m, j] += s * band
                    hessian[servers + j, m] += y * root
                    hessian[servers + j, servers + m] += y * band


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


def at_prices(
    numbers: Coefficients, prices: Floats, inverse: Floats | None = None
) -> tuple[float, Floats, Indices]:
    """The dual at some prices, each pair's excess over its device's cheapest, and those cheapest pairs.

    ``inverse`` (K,) is the warm start of :func:`cost_pass`.
    """
    count = len(numbers.server)
    cost, share, bend = (np.zeros(count) for _ in range(3))
    inverse = np.zeros(count) if inverse is None else inverse
    choice = np.zeros(numbers.devices, dtype=np.int64)
    value = float(priced(numbers, prices, cost, share, bend, inverse, choice))
    # Rounding must not lift the bound above what the certificate will be found to prove.
    value -= 1e-12 * float(np.abs(cost[choice]).sum())
    return value, cost - cost[choice][numbers.device], choice
