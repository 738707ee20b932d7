"""Band prices added where they are missing: a set whose own band price beats the grid gives it that price.

At the price at which a set fills the band the bound on its cost is exact. So the sets that come out cheapest at some
device prices show which prices a server's grid lacks: those at which its cheapest sets cost more than the grid says.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from uara.base.quantities import Indices

from .layout import Layout, grids_of, set_cost, with_grids

MOST_PRICES = 24
"""Largest grid of a server."""


def grid_cost(layout: Layout, server: int, pairs: Indices) -> float:
    """What the grid says that the devices of these pairs cost one server: at most V_j(S)."""
    grid = layout.grid_ms[layout.grid_start[server] : layout.grid_start[server + 1]]
    table = layout.table_ms[layout.table_start[server] : layout.table_start[server + 1]].reshape(
        len(grid), -1
    )
    t = layout.root_flop[layout.device[pairs]].sum()
    most = (table[:, pairs - layout.start[server]].sum(axis=1) - grid).max()
    return float(t * t / layout.flop_per_ms[server] + most)


def refined(layout: Layout, sets: NDArray[np.bool_], slack_ms: float) -> Layout | None:
    """The layout with the band prices that the worst-served sets ask for; None if the grids serve all.

    Parameters
    ----------
    sets
        (T, K) Sets of all servers, several times.
    slack_ms
        Understatement of a set's cost that is no matter.
    """
    grids, changed = grids_of(layout), False
    for j, grid in enumerate(grids):
        if len(grid) >= MOST_PRICES or layout.sync_weight <= 0.0:
            continue
        price = _missing(
            layout, j, np.unique(sets[:, layout.start[j] : layout.start[j + 1]], axis=0), slack_ms
        )
        if price is not None and price not in grid:
            grids[j], changed = np.sort(np.append(grid, price)), True
    return with_grids(layout, grids) if changed else None


def _missing(layout: Layout, server: int, sets: NDArray[np.bool_], slack_ms: float) -> float | None:
    worst, found = slack_ms, None
    for chosen in sets:
        pairs = layout.start[server] + np.flatnonzero(chosen)
        cost, price = set_cost(layout, server, pairs)  # a server without devices asks for the price 0
        short = cost - grid_cost(layout, server, pairs)
        if short > worst:
            worst, found = short, price
    return found
