"""Chains of two moves: a device takes another's place, which goes on to a third server. Compiled; exact rule.

Where neither a move nor an exchange gains, a chain often does. Nearly all are left out by the same bound as those.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from uara.base.kernels import kernel

from .state import State, Task, change_bound, cost_after, reassign, settle_server
from .sums_search import MEANINGFUL


@kernel(allocates=False, inner=True)
def chains_by_prices(task: Task, state: State, first: int, last: int) -> int:
    """Begin chains with the devices ``first..last`` where the cost falls; returns the number of chains."""
    changes = 0
    for one in range(first, last):
        if chain_from(task, state, one):
            changes += 1
    return changes


@kernel(allocates=False, inner=True)
def chain_from(task: Task, state: State, one: int) -> bool:
    """Make the first chain that gains of those that a device begins."""
    numbers, here = task.numbers, state.chosen[one]
    nobody: Any = np.int64(-1)  # a bare -1 is a type of its own, which costs another compilation
    leaving = change_bound(task, state, here, one, nobody, nobody)
    for going in range(numbers.start[one], numbers.start[one + 1]):
        there = numbers.server[going]
        if there == here:
            continue
        other = state.head[there]
        while other >= 0:
            replaced = leaving + change_bound(task, state, there, other, one, going)
            for pair in range(numbers.start[other], numbers.start[other + 1]):
                beyond = numbers.server[pair]
                if beyond == there or state.size[beyond] >= task.capacity[beyond]:
                    continue
                if beyond == here:  # an exchange
                    continue
                before = state.cost_ms[here] + state.cost_ms[there] + state.cost_ms[beyond]
                bound = replaced + change_bound(task, state, beyond, nobody, other, pair)
                if bound >= -MEANINGFUL * before:
                    continue
                after = cost_after(task, state, here, one, nobody, nobody)
                after += cost_after(task, state, there, other, one, going)
                after += cost_after(task, state, beyond, nobody, other, pair)
                if after - before < -MEANINGFUL * before:
                    reassign(state, one, there, going)
                    reassign(state, other, beyond, pair)
                    settle_server(task, state, here)
                    settle_server(task, state, there)
                    settle_server(task, state, beyond)
                    return True
            other = state.after[other]
    return False
