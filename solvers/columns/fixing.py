"""Which pairs no association below a target uses, and what follows for the devices that keep a single one."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from uara.base.quantities import Floats

from .climb import Rising, begin, rises_at
from .labels import Workspace
from .layout import Layout
from .pricing import CLOSED, FORCED, OPEN, Prices, Rises, States
from .room import room_of

_MARGIN = 0.02
"""Rises are asked to exceed the gap by this part, so that a checker with other roundings agrees."""


def excluded(
    layout: Layout,
    prices: Prices,
    states: States,
    lower: Floats,
    gap_ms: float,
    size_ms: float,
    work: Workspace,
    expired: Callable[[], bool] = lambda: False,
) -> NDArray[np.bool_]:
    """(K,) The open pairs that lift the dual to the target once their device must use them.

    Parameters
    ----------
    lower
        (E,) The servers' minima at these prices and states.
    gap_ms, size_ms
        What the dual there misses to the target, and the size of the target itself.
    expired
        Asked after each server; those not looked at exclude nothing.
    """
    wanted = (1.0 + _MARGIN) * gap_ms + 1e-10 * abs(size_ms)
    found, room = Rises(np.zeros(len(states)), np.zeros(len(states))), room_of(layout)
    at = begin(layout, prices.pi, -np.inf, 0.0)
    at.point.nu[:], at.found.lower[:] = prices.nu, lower
    for j in range(len(lower)):
        rises_at(layout, states, at, Rising(j, wanted, found), work, room)
        if expired():
            break
    open_ = states == OPEN
    elsewhere = np.bincount(layout.device, weights=np.where(open_, found.left, 0.0), minlength=len(prices.pi))
    return np.asarray(open_ & (found.taken + elsewhere[layout.device] - found.left >= wanted))


def settle(layout: Layout, states: States) -> bool:
    """Force the pair of each device that has no other; says whether every device has one."""
    count = np.bincount(layout.device[states != CLOSED], minlength=len(layout.root_flop))
    states[(states == OPEN) & (count[layout.device] == 1)] = FORCED
    return bool((count > 0).all())
