"""Which pairs no association below a target uses, and what follows for the devices that keep a single one."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from uara.base.quantities import Floats

from .knapsack import Workspace
from .layout import Layout
from .pricing import CLOSED, FORCED, OPEN, States, rises

_MARGIN = 0.02
"""Rises are asked to exceed the gap by this part, so that a checker with other roundings agrees."""


def excluded(
    layout: Layout,
    pi: Floats,
    nu: Floats,
    states: States,
    lower: Floats,
    value_ms: float,
    target_ms: float,
    work: Workspace,
    expired: Callable[[], bool] = lambda: False,
) -> NDArray[np.bool_]:
    """(K,) The open pairs that lift the dual to the target once their device must use them.

    Parameters
    ----------
    lower, value_ms
        (E,) The servers' minima and the dual, at these prices and states.
    expired
        Asked after each server; those not looked at exclude nothing.
    """
    wanted = (1.0 + _MARGIN) * (target_ms - value_ms) + 1e-10 * abs(target_ms)
    taken, left = np.zeros(len(states)), np.zeros(len(states))
    tolerance = 1e-3 * wanted
    for j in range(len(lower)):
        rises(layout, pi, nu, states, lower, j, j + 1, wanted, tolerance, taken, left, work)
        if expired():
            break
    open_ = states == OPEN
    elsewhere = np.bincount(layout.device, weights=np.where(open_, left, 0.0), minlength=len(pi))
    return np.asarray(open_ & (taken + elsewhere[layout.device] - left >= wanted))


def settle(layout: Layout, states: States) -> bool:
    """Force the pair of each device that has no other; says whether every device has one."""
    count = np.bincount(layout.device[states != CLOSED], minlength=len(layout.root_flop))
    states[(states == OPEN) & (count[layout.device] == 1)] = FORCED
    return bool((count > 0).all())
