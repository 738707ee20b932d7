"""What the pricing of servers reads of P1: every usable pair, server by server, and a grid of band prices each.

Read from :class:`uara.p1.coefficients.Coefficients`, whose unit of compute it keeps. At a band price ``mu >= 0``

    V_j(S) >= t^2 / F_j + sum over i in S of (wait_j + psi_ij(mu)) - mu,    t = sum of s_i,

for every set S of devices, so that the largest of the right sides over a grid of prices is valid too. It is exact
where the grid holds the price at which S fills the band.
"""

from __future__ import annotations

from itertools import pairwise
from typing import NamedTuple

import numpy as np

from uara.base.kernels import kernel
from uara.base.quantities import Floats, Indices
from uara.p1.coefficients import Coefficients
from uara.p1.server_cost import bandwidth_shares, inverse_share


class Layout(NamedTuple):
    """K pairs by server, M devices, E servers, and the servers' grids of band prices, one after the other."""

    start: Indices
    """(E + 1,) Server j owns the pairs ``start[j]:start[j + 1]``, by rising device."""
    device: Indices
    """(K,) Device of each pair."""
    server: Indices
    """(K,) Server of each pair."""
    root_flop: Floats
    """(M,) s_i, in the square root of a unit of work: loads are the same at every server here."""
    flop_per_ms: Floats
    """(E,) F_j, in units of work per ms."""
    local_ms: Floats
    """(M,) D_i."""
    uplink_ms: Floats
    """(K,) c_ij."""
    band_cost_ms: Floats
    """(K,) a_ij."""
    wait_ms: Floats
    """(E,) k_j kappa: delay before the server begins."""
    sync_weight: float
    """lambda, per ms."""
    grid_start: Indices
    """(E + 1,) Server j owns the band prices ``grid_start[j]:grid_start[j + 1]``."""
    grid_ms: Floats
    """(G,) The band prices."""
    table_start: Indices
    """(E + 1,) Where the costs of server j begin in ``table_ms``: price by price, pair by pair."""
    table_ms: Floats
    """(table_start[E],) wait_j + psi_ij(mu) of each pair at each price of its server."""


def layout_of(numbers: Coefficients, band_prices: Floats) -> Layout:
    """The layout of an instance with one band price per server, (E,) in ms."""
    order = numbers.by_server
    wait_ms = np.zeros(numbers.servers)
    wait_ms[numbers.server] = numbers.wait_ms
    bare = Layout(
        numbers.server_start,
        numbers.device[order],
        numbers.server[order],
        numbers.of_devices(numbers.root_work),
        numbers.work_per_ms,
        numbers.of_devices(numbers.local_ms),
        numbers.uplink_ms[order],
        numbers.band_cost_ms[order],
        wait_ms,
        numbers.sync_weight_per_ms,
        *(np.zeros(1, dtype=np.int64), np.zeros(1), np.zeros(1, dtype=np.int64), np.zeros(1)),
    )
    return with_grids(bare, [np.array([price]) for price in band_prices])


def with_grids(layout: Layout, grids: list[Floats]) -> Layout:
    """The same with other band prices: one array of at least one price >= 0 per server."""
    sizes = np.array([len(grid) for grid in grids])
    grid_start = np.concatenate([[0], np.cumsum(sizes)])
    table_start = np.concatenate([[0], np.cumsum(sizes * np.diff(layout.start))])
    pairs = [np.arange(*own) for own in pairwise(layout.start)]
    pair = np.concatenate([np.tile(own, len(grid)) for own, grid in zip(pairs, grids, strict=True)])
    price = np.concatenate(
        [np.repeat(grid, len(own)).astype(float) for own, grid in zip(pairs, grids, strict=True)]
    )
    table_ms = layout.wait_ms[layout.server[pair]]
    if layout.sync_weight > 0.0:
        local_ms, uplink_ms = layout.local_ms[layout.device[pair]], layout.uplink_ms[pair]
        _add_band_cost(local_ms, uplink_ms, layout.band_cost_ms[pair] + price, layout.sync_weight, table_ms)
    return layout._replace(
        grid_start=grid_start,
        grid_ms=np.concatenate(grids).astype(float),
        table_start=table_start,
        table_ms=table_ms,
    )


def grids_of(layout: Layout) -> list[Floats]:
    """The servers' band prices, one array a server."""
    return np.split(layout.grid_ms, layout.grid_start[1:-1])


@kernel(allocates=False)
def _add_band_cost(
    local_ms: Floats, uplink_ms: Floats, cost_ms: Floats, sync_weight: float, total_ms: Floats
) -> None:
    """Add psi, the least ``lambda (D - c / y)^2 + cost y`` over 0 < y <= 1, of each entry of a table."""
    for n in range(len(total_ms)):
        local, uplink, cost = local_ms[n], uplink_ms[n], cost_ms[n]
        slope = 0.5 * cost / (sync_weight * uplink * uplink)
        u = max(1.0, inverse_share(local / uplink, slope, 0.0))
        gap = local - uplink * u
        total_ms[n] += sync_weight * gap * gap + cost / u


def set_cost(layout: Layout, server: int, pairs: Indices) -> tuple[float, float]:
    """V_j(S) of the devices of these pairs of one server, and the band price at which they fill the band."""
    n, device = len(pairs), layout.device[pairs]
    if n == 0:
        return 0.0, 0.0
    t = layout.root_flop[device].sum()
    uplink_ms, band_ms = layout.uplink_ms[pairs], layout.band_cost_ms[pairs]
    cost, price = bandwidth_shares(
        layout.local_ms[device], uplink_ms, band_ms, layout.sync_weight, np.empty(n)
    )
    return float(t * t / layout.flop_per_ms[server] + n * layout.wait_ms[server] + cost), price
