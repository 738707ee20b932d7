"""The softened dual of many servers: one pass over the candidates, and its curvature applied without being formed.

With ``w`` the soft choice of a device and the rows ``J_k = (s_k at p_j, y_k at mu_j)``, minus the second derivative is

    diag(F_j / 2 ; -sum_k w_k dy_k/dmu)  +  sum_i J_i^T (diag(w_i) - w_i w_i^T) J_i / temperature,

so that a product with it costs one look at the candidates that have a share in a choice.

A server's two prices stand side by side, (E, 2), and places are counted without a sign: a kernel asks of each signed
place whether it counts from the end, which here takes as long as the arithmetic.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from uara.base.kernels import kernel
from uara.base.quantities import Floats, Indices
from uara.p1.coefficients import Coefficients
from uara.p1.server_cost import inverse_share

_FAINT = 16.0
"""Candidates dearer than the cheapest by so many temperatures have no share."""


class Pass(NamedTuple):
    """What a pass leaves behind; active candidates are those with a share in a choice that is open."""

    inverse: Floats
    """(K,) 1/y: a warm start for the next pass."""
    choice: Indices
    """(M,) The cheapest candidates."""
    gradient: Floats
    """(E, 2) Of the softened dual, by p and by mu, ms per unit of each price."""
    block: Floats
    """(E, 3) Curvature of a server's two prices: p p, p mu, mu mu."""
    own: Floats
    """(E, 2) The part of the curvature that no choice bends."""
    start: NDArray[np.uint64]
    """(M + 1,) Device i owns the active candidates ``start[i]:start[i + 1]``."""
    server: NDArray[np.uint32]
    """(K,) Server of each active candidate; those come first, here and in the three that follow."""
    root: Floats
    """(K,) s, the square root of its work."""
    share: Floats
    """(K,) y, its share of the band."""
    weight: Floats
    """(K,) w, its share in its device's soft choice."""
    work: Floats
    """(n,) Work space for a number of each candidate of a device."""


def empty_pass(numbers: Coefficients) -> Pass:
    """Room for the passes over a problem."""
    count, servers, most = len(numbers.server), numbers.servers, int(np.diff(numbers.start).max())
    floats = np.zeros
    return Pass(
        inverse=floats(count),
        choice=np.zeros(numbers.devices, dtype=np.int64),
        gradient=floats((servers, 2)),
        block=floats((servers, 3)),
        own=floats((servers, 2)),
        start=np.zeros(numbers.devices + 1, dtype=np.uint64),
        server=np.zeros(count, dtype=np.uint32),
        root=floats(count),
        share=floats(count),
        weight=floats(count),
        work=floats(most),
    )


def by_server(values: NDArray[Any]) -> NDArray[Any]:
    """(E, 2) The two numbers of each server side by side, from (2E,): first all of one kind, then of the other."""
    return np.stack(np.split(values, 2), axis=1)


def by_kind(values: NDArray[Any]) -> NDArray[Any]:
    """(2E,) The inverse of :func:`by_server`."""
    return np.concatenate([values[:, 0], values[:, 1]])


@kernel(allocates=False, threads=True)
def fused_pass(numbers: Coefficients, prices: Floats, temperature: float, out: Pass) -> tuple[float, float]:
    """Hard and soft dual at some (E, 2) prices; derivatives go to ``out``. The sync weight must be positive."""
    lam, rent = numbers.sync_weight_per_ms, 0.0
    for n in range(np.uint64(len(numbers.work_per_ms))):
        speed, price = numbers.work_per_ms[n], prices[n, 0]
        rent += price * price * speed / 4.0 + prices[n, 1]
        out.gradient[n, 0], out.gradient[n, 1] = -price * speed / 2.0, -1.0
        out.block[n, 0], out.block[n, 1], out.block[n, 2] = speed / 2.0, 0.0, 0.0
        out.own[n, 0], out.own[n, 1] = speed / 2.0, 0.0
    hard, soft, filled = -rent, -rent, np.uint64(0)
    for i in range(len(out.choice)):
        first, last = np.uint64(numbers.start[i]), np.uint64(numbers.start[i + 1])
        best: Any = first
        least = np.inf
        for k in range(first, last):
            j = np.uint32(numbers.server[k])
            local, uplink = numbers.local_ms[k], numbers.uplink_ms[k]
            band = numbers.band_cost_ms[k] + prices[j, 1]
            scale, balance = 0.5 / (lam * uplink * uplink), local / uplink
            inner = inverse_share(balance, band * scale, out.inverse[k])
            out.inverse[k] = inner
            u = max(inner, 1.0)
            gap = local - uplink * u
            cost = numbers.wait_ms[k] + prices[j, 0] * numbers.root_work[k] + lam * gap * gap + band / u
            out.work[k - first] = cost
            if cost < least:
                best, least = k, cost
        out.choice[i] = best
        faint, begin = least + _FAINT * temperature, filled
        for k in range(first, last):  # without a jump that a processor would guess wrongly
            out.server[filled] = k
            filled += np.uint64(out.work[k - first] < faint)
        mass = 0.0
        for a in range(begin, filled):
            weight = np.exp((least - out.work[out.server[a] - first]) / temperature)
            out.weight[a] = weight
            mass += weight
        hard += least
        soft += least - temperature * np.log(mass)
        for a in range(begin, filled):
            pair = np.uint64(out.server[a])
            j, s, inner = np.uint32(numbers.server[pair]), numbers.root_work[pair], out.inverse[pair]
            weight, y = out.weight[a] / mass, 1.0 / max(inner, 1.0)
            out.server[a], out.root[a], out.share[a], out.weight[a] = j, s, y, weight
            out.gradient[j, 0] += weight * s
            out.gradient[j, 1] += weight * y
            spread = weight * (1.0 - weight) / temperature
            out.block[j, 0] += spread * s * s
            out.block[j, 1] += spread * s * y
            out.block[j, 2] += spread * y * y
            if inner > 1.0:
                uplink = numbers.uplink_ms[pair]
                scale, balance = 0.5 / (lam * uplink * uplink), numbers.local_ms[pair] / uplink
                out.own[j, 1] += weight * scale * (y * y * y) / (3.0 * inner - 2.0 * balance)
        if filled - begin == np.uint64(1):
            filled = begin  # a choice that is made bends nothing
        out.start[i + 1] = filled
    return hard, soft


@kernel(allocates=False, threads=True)
def bent_by(temperature: float, found: Pass, along: Floats, product: Floats) -> None:
    """Minus the second derivative at the point of a pass, times the (E, 2) direction ``along``."""
    for n in range(np.uint64(len(found.block))):
        product[n, 0] = found.own[n, 0] * along[n, 0]
        product[n, 1] = found.own[n, 1] * along[n, 1]
    for i in range(len(found.start) - 1):
        first, last = found.start[i], found.start[i + 1]
        mean = 0.0
        for a in range(first, last):
            j = found.server[a]
            change = found.root[a] * along[j, 0] + found.share[a] * along[j, 1]
            found.work[a - first] = change
            mean += found.weight[a] * change
        for a in range(first, last):
            j = found.server[a]
            force = found.weight[a] * (found.work[a - first] - mean) / temperature
            product[j, 0] += force * found.root[a]
            product[j, 1] += force * found.share[a]
