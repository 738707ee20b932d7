"""The dual of P1 in 2E prices: its value, gradient and curvature in one compiled pass over candidate pairs.

At prices p of compute and mu of band a pair costs its device ``C_ij = wait_j + p_j s_i + psi_ij(mu_j)``; the
dual is ``sum_i min_j C_ij - sum_j (p_j^2 F_j / 4 + mu_j)`` (``docs/model.md``, section 3). It is concave with
kinks, so the ascent climbs ``-eps log sum_j exp(-C_ij / eps)`` in the place of the minimum, which lies below it.

Compute is measured in units that make the largest ``s_i = sqrt(f_i)`` one, so that both kinds of price are
of the size of milliseconds.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from uara.base.kernels import kernel
from uara.base.quantities import Floats, Indices
from uara.p1.certificate import Certificate
from uara.p1.model import Coefficients
from uara.p1.server_cost import inverse_share


class Pairs(NamedTuple):
    """What the kernels read: the candidate pairs, device by device, and each device's and server's numbers."""

    start: Indices
    server: Indices
    uplink_ms: Floats
    band_cost_ms: Floats
    local_ms: Floats
    root_flop: Floats
    flop_per_ms: Floats
    wait_ms: Floats
    sync_weight: float
    unit: float


def pairs_of(numbers: Coefficients, keep: NDArray[np.bool_] | None = None) -> Pairs:
    """All usable pairs of an instance, or the (K,) marked ones of them; every device keeps at least one."""
    root_flop = np.sqrt(numbers.server_flop)
    unit = float(root_flop.max())
    everything = Pairs(
        numbers.pair_start,
        numbers.pair_server,
        numbers.uplink_ms,
        numbers.band_cost_ms,
        numbers.local_ms,
        root_flop / unit,
        numbers.flop_per_ms / unit**2,
        numbers.wait_ms,
        float(numbers.sync_weight_per_ms),
        unit,
    )
    return everything if keep is None else restricted(everything, keep)


def restricted(pairs: Pairs, keep: NDArray[np.bool_]) -> Pairs:
    """The marked pairs alone."""
    kept = np.concatenate([[0], np.cumsum(keep)])
    return pairs._replace(
        start=kept[pairs.start],
        server=pairs.server[keep],
        uplink_ms=pairs.uplink_ms[keep],
        band_cost_ms=pairs.band_cost_ms[keep],
    )


def certificate_of(pairs: Pairs, prices: Floats) -> Certificate:
    """The (2E,) prices of the kernels' units as a certificate."""
    servers = len(pairs.wait_ms)
    return Certificate(prices[:servers] / pairs.unit, prices[servers:])


def prices_of(pairs: Pairs, certificate: Certificate) -> Floats:
    """The (2E,) prices of a certificate in the kernels' units."""
    return np.concatenate([certificate.compute_price * pairs.unit, certificate.bandwidth_price])


@kernel
def cost_pass(
    pairs: Pairs, prices: Floats, cost: Floats, share: Floats, bend: Floats, inverse: Floats
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
    servers = len(pairs.wait_ms)
    weight = pairs.sync_weight
    for i in range(len(pairs.local_ms)):
        local, root = pairs.local_ms[i], pairs.root_flop[i]
        for k in range(pairs.start[i], pairs.start[i + 1]):
            j = pairs.server[k]
            cost[k] = pairs.wait_ms[j] + prices[j] * root
            share[k], bend[k] = 0.0, 0.0
            if weight <= 0.0:
                continue
            uplink, band = pairs.uplink_ms[k], pairs.band_cost_ms[k] + prices[servers + j]
            scale, balance = 0.5 / (weight * uplink * uplink), local / uplink
            inner = inverse_share(balance, band * scale, inverse[k])
            inverse[k] = inner
            u = max(inner, 1.0)
            gap = local - uplink * u
            cost[k] += weight * gap * gap + band / u
            share[k] = 1.0 / u
            if inner > 1.0:
                bend[k] = -scale / (u * u * u * (3.0 * u - 2.0 * balance))


@kernel
def hard_dual(pairs: Pairs, prices: Floats, cost: Floats, choice: Indices) -> float:
    """The dual's value from the (K,) costs; ``choice`` (M,) receives each device's cheapest pair."""
    servers = len(pairs.wait_ms)
    total = 0.0
    for i in range(len(choice)):
        best = pairs.start[i]
        for k in range(best + 1, pairs.start[i + 1]):
            if cost[k] < cost[best]:
                best = k
        choice[i] = best
        total += cost[best]
    for j in range(servers):
        total -= prices[j] * prices[j] * pairs.flop_per_ms[j] / 4.0 + prices[servers + j]
    return total


@kernel
def soft_dual(
    pairs: Pairs,
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
    servers = len(pairs.wait_ms)
    total = 0.0
    for j in range(servers):
        price = prices[j]
        total -= price * price * pairs.flop_per_ms[j] / 4.0 + prices[servers + j]
        gradient[j] = -price * pairs.flop_per_ms[j] / 2.0
        gradient[servers + j] = -1.0
    for i in range(len(choice)):
        least, mass = cost[choice[i]], 0.0
        for k in range(pairs.start[i], pairs.start[i + 1]):
            weight[k] = np.exp((least - cost[k]) / temperature)
            mass += weight[k]
        total += least - temperature * np.log(mass)
        for k in range(pairs.start[i], pairs.start[i + 1]):
            weight[k] /= mass
            gradient[pairs.server[k]] += weight[k] * pairs.root_flop[i]
            gradient[servers + pairs.server[k]] += weight[k] * share[k]
    return total


@kernel
def curvature(
    pairs: Pairs, share: Floats, bend: Floats, temperature: float, weight: Floats, hessian: Floats
) -> None:
    """Minus the second derivative of :func:`soft_dual`, a positive semidefinite (2E, 2E) matrix."""
    servers = len(pairs.wait_ms)
    hessian[:, :] = 0.0
    for j in range(servers):
        hessian[j, j] = pairs.flop_per_ms[j] / 2.0
    for i in range(len(pairs.local_ms)):
        root = pairs.root_flop[i]
        for k in range(pairs.start[i], pairs.start[i + 1]):
            if weight[k] < 1e-12:
                continue
            j = pairs.server[k]
            hessian[servers + j, servers + j] -= weight[k] * bend[k]
            own = weight[k] * (1.0 - weight[k]) / temperature
            _add_block(hessian, servers, j, j, own, root, share[k], root, share[k])
            for other in range(pairs.start[i], k):
                mixed = -weight[k] * weight[other] / temperature
                if mixed < 0.0:
                    m = pairs.server[other]
                    _add_block(hessian, servers, j, m, mixed, root, share[k], root, share[other])
                    _add_block(hessian, servers, m, j, mixed, root, share[other], root, share[k])


@kernel
def _add_block(
    hessian: Floats, servers: int, j: int, m: int, factor: float, pj: float, yj: float, pm: float, ym: float
) -> None:
    hessian[j, m] += factor * pj * pm
    hessian[j, servers + m] += factor * pj * ym
    hessian[servers + j, m] += factor * yj * pm
    hessian[servers + j, servers + m] += factor * yj * ym
