"""The softened dual of many servers: one pass over the candidates, and its curvature applied without being formed.

With ``w`` the soft choice of a device and the rows ``J_k = (s_k at p_j, y_k at mu_j)``, minus the second derivative is

    diag(F_j / 2 ; -sum_k w_k dy_k/dmu)  +  sum_i J_i^T (diag(w_i) - w_i w_i^T) J_i / temperature,

so that a product with it costs one look at the candidates that have a share in a choice.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from uara.base.kernels import kernel
from uara.base.quantities import Floats, Indices
from uara.p1.coefficients import Coefficients
from uara.p1.server_cost import inverse_share

_FAINT = -16.0
"""Candidates dearer than the cheapest by so many temperatures have no share."""


class Pass(NamedTuple):
    """What a pass leaves behind; active candidates are those with a share in a choice that is open."""

    inverse: Floats
    """(K,) 1/y: a warm start for the next pass."""
    choice: Indices
    """(M,) The cheapest candidates."""
    gradient: Floats
    """(2E,) Of the softened dual, ms per unit of each price."""
    block: Floats
    """(E, 3) Curvature of a server's two prices: p p, p mu, mu mu."""
    own: Floats
    """(2E,) The part of the curvature that no choice bends."""
    start: Indices
    """(M + 1,) Device i owns the active candidates ``start[i]:start[i + 1]``."""
    server: Indices
    """(K,) Server of each active candidate; those come first, here and in the three that follow."""
    root: Floats
    """(K,) s, the square root of its work."""
    share: Floats
    """(K,) y, its share of the band."""
    weight: Floats
    """(K,) w, its share in its device's soft choice."""
    cost: Floats
    """(n,) Work space for the costs of a device's candidates."""


def empty_pass(numbers: Coefficients) -> Pass:
    """Room for the passes over a problem."""
    count, servers, most = len(numbers.server), numbers.servers, int(np.diff(numbers.start).max())
    floats = np.zeros
    return Pass(
        inverse=floats(count),
        choice=np.zeros(numbers.devices, dtype=np.int64),
        gradient=floats(2 * servers),
        block=floats((servers, 3)),
        own=floats(2 * servers),
        start=np.zeros(numbers.devices + 1, dtype=np.int64),
        server=np.zeros(count, dtype=np.int64),
        root=floats(count),
        share=floats(count),
        weight=floats(count),
        cost=floats(most),
    )


@kernel(allocates=False, threads=True)
def fused_pass(numbers: Coefficients, prices: Floats, temperature: float, out: Pass) -> tuple[float, float]:
    """Hard and soft dual at some (2E,) prices; derivatives go to ``out``. The sync weight must be positive."""
    servers, lam = len(numbers.work_per_ms), numbers.sync_weight_per_ms
    rent = 0.0
    for j in range(servers):
        speed = numbers.work_per_ms[j]
        rent += prices[j] * prices[j] * speed / 4.0 + prices[servers + j]
        out.gradient[j], out.gradient[servers + j] = -prices[j] * speed / 2.0, -1.0
        out.block[j, 0], out.block[j, 1], out.block[j, 2] = speed / 2.0, 0.0, 0.0
        out.own[j], out.own[servers + j] = speed / 2.0, 0.0
    hard, soft, filled = -rent, -rent, 0
    for i in range(len(out.choice)):
        first, last = numbers.start[i], numbers.start[i + 1]
        best, least = first, np.inf
        for k in range(first, last):
            j = numbers.server[k]
            local, uplink = numbers.local_ms[k], numbers.uplink_ms[k]
            band = numbers.band_cost_ms[k] + prices[servers + j]
            scale, balance = 0.5 / (lam * uplink * uplink), local / uplink
            inner = inverse_share(balance, band * scale, out.inverse[k])
            out.inverse[k] = inner
            u = max(inner, 1.0)
            gap = local - uplink * u
            cost = numbers.wait_ms[k] + prices[j] * numbers.root_work[k] + lam * gap * gap + band / u
            out.cost[k - first] = cost
            if cost < least:
                best, least = k, cost
        out.choice[i] = best
        faint, begin = least - _FAINT * temperature, filled
        for k in range(first, last):  # without a jump that a processor would guess wrongly
            out.server[filled] = k
            filled += 1 if out.cost[k - first] < faint else 0
        mass = 0.0
        for a in range(begin, filled):
            weight = np.exp((least - out.cost[out.server[a] - first]) / temperature)
            out.weight[a] = weight
            mass += weight
        hard += least
        soft += least - temperature * np.log(mass)
        for a in range(begin, filled):
            k = out.server[a]
            j, s, inner = numbers.server[k], numbers.root_work[k], out.inverse[k]
            weight, y = out.weight[a] / mass, 1.0 / max(inner, 1.0)
            out.server[a], out.root[a], out.share[a], out.weight[a] = j, s, y, weight
            out.gradient[j] += weight * s
            out.gradient[servers + j] += weight * y
            spread = weight * (1.0 - weight) / temperature
            out.block[j, 0] += spread * s * s
            out.block[j, 1] += spread * s * y
            out.block[j, 2] += spread * y * y
            if inner > 1.0:
                uplink = numbers.uplink_ms[k]
                scale, balance = 0.5 / (lam * uplink * uplink), numbers.local_ms[k] / uplink
                out.own[servers + j] += weight * scale * (y * y * y) / (3.0 * inner - 2.0 * balance)
        if filled - begin == 1:
            filled = begin  # a choice that is made bends nothing
        out.start[i + 1] = filled
    return hard, soft


@kernel(allocates=False, threads=True)
def bent_by(temperature: float, found: Pass, along: Floats, product: Floats) -> None:
    """Minus the second derivative at the point of a pass, times the (2E,) direction ``along``."""
    servers = len(found.block)
    for n in range(2 * servers):
        product[n] = found.own[n] * along[n]
    for i in range(len(found.start) - 1):
        first, last = found.start[i], found.start[i + 1]
        mean = 0.0
        for a in range(first, last):
            j = found.server[a]
            mean += found.weight[a] * (found.root[a] * along[j] + found.share[a] * along[servers + j])
        for a in range(first, last):
            j, s, y = found.server[a], found.root[a], found.share[a]
            force = found.weight[a] * (s * along[j] + y * along[servers + j] - mean) / temperature
            product[j] += force * s
            product[servers + j] += force * y
