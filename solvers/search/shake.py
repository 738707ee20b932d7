"""Shaking the best association: a few devices are moved at random, the rest follows by local search. Compiled.

The search sees only the pairs that a bound leaves open, so that a shake costs a small part of a search over all, and
thousands of them are affordable. A shake that does not end below the best association is undone.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from uara.base.kernels import kernel
from uara.base.quantities import Floats, Indices

from .prices_search import moves_by_prices, swaps_by_prices
from .state import State, Task, find_pair, reassign, settle_server

DRAWS = 7
"""Random numbers of a shake: how many devices, up to five pairs, and whether a worse end is accepted."""
_ROUNDS = 40
"""Most rounds of local search after a shake; they end by themselves long before."""


class Shaking(NamedTuple):
    """What shakes read and leave behind."""

    cumulative: Floats
    """(K,) Sums of the weights with which the pairs are drawn."""
    present: Indices
    """(M,) The association that is shaken, which the state holds too; replaced."""
    best: Indices
    """(M,) The best one; replaced."""
    costs: Floats
    """(2,) What they cost, ms."""
    draws: Floats
    """(T, DRAWS) Uniform random numbers."""
    warmth_ms: float
    """A shake that ends above the present association is kept with probability ``exp(-rise / warmth)``."""


@kernel(allocates=False, inner=True)
def shakes(task: Task, state: State, shaking: Shaking) -> int:
    """Shake an association once for each row of the draws; returns the last that found a better one, or -1."""
    cumulative, present, best = shaking.cumulative, shaking.present, shaking.best
    costs, draws, warmth_ms = shaking.costs, shaking.draws, shaking.warmth_ms
    devices = len(best)
    total, last = cumulative[-1], -1
    first: Any = np.int64(0)  # a bare 0 is a type of its own, which costs another compilation
    for number in range(len(draws)):
        own = draws[number]
        for at in range(2 + int(own[0] * 4.0)):
            pair = _drawn(cumulative, own[1 + at] * total)
            if pair >= len(cumulative):
                continue
            device, there = task.numbers.device[pair], task.numbers.server[pair]
            here = state.chosen[device]
            if here == there:
                continue
            reassign(state, device, there, pair)
            settle_server(task, state, here)
            settle_server(task, state, there)
        for _ in range(_ROUNDS):
            if (
                moves_by_prices(task, state, first, devices) + swaps_by_prices(task, state, first, devices)
                == 0
            ):
                break
        cost_ms = 0.0
        for server in range(len(state.cost_ms)):
            cost_ms += state.cost_ms[server]
        if cost_ms < costs[1] * (1.0 - 1e-12):
            costs[1], last = cost_ms, number
            _copy(state.chosen, best)
        if cost_ms <= costs[0] or own[DRAWS - 1] < np.exp((costs[0] - cost_ms) / warmth_ms):
            costs[0] = cost_ms
            _copy(state.chosen, present)
        else:
            _restore(task, state, present)
    return last


@kernel(allocates=False, inner=True)
def _copy(source: Indices, target: Indices) -> None:
    for i in range(len(target)):  # a slice's check of shapes would compile Python's texts: seconds
        target[i] = source[i]


@kernel(allocates=False, inner=True)
def _drawn(cumulative: Floats, value: float) -> int:
    """The first place whose sum is above a value: a search of the library's makes an array, and compiles for long."""
    low, high = 0, len(cumulative)
    while low < high:
        middle = (low + high) // 2
        if cumulative[middle] <= value:
            low = middle + 1
        else:
            high = middle
    return low


@kernel(allocates=False, inner=True)
def _restore(task: Task, state: State, best: Indices) -> None:
    """Lead the state back to an association."""
    changed = state.row  # holds -1 everywhere
    for device in range(len(best)):
        here, there = state.chosen[device], best[device]
        if here != there:
            reassign(state, device, there, find_pair(task, device, there))
            changed[here] = changed[there] = 1
    for server in range(len(changed)):
        if changed[server] > 0:
            changed[server] = -1
            settle_server(task, state, server)
