"""Moves and exchanges under the exact rule, compiled.

A trial whose lower bound (:func:`.state.change_bound`) shows no gain is skipped, so that no improvement is missed and
few costs are computed.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from uara.base.kernels import kernel

from .state import State, Task, change_bound, cost_after, reassign, settle_server
from .sums_search import MEANINGFUL
from .swap_screen import clear_row, fill_row, last_place_until, next_by_prices, untried


@kernel(allocates=False, inner=True)
def best_move(task: Task, state: State, device: int) -> tuple[int, float]:
    """The pair that a device had best move to (-1: stay), and the gain in ms; exact rule."""
    here = state.chosen[device]
    since = state.looked[0, device]
    if state.changed[here] > since:
        since = -1
    nobody: Any = np.int64(-1)  # a bare -1 is a type of its own, which costs another compilation
    bound_here = change_bound(task, state, here, device, nobody, nobody)
    gain_here, known = 0.0, False
    best_pair, best = -1, 0.0
    numbers = task.numbers
    for pair in range(numbers.start[device], numbers.start[device + 1]):
        there = numbers.server[pair]
        if there == here or state.size[there] >= task.capacity[there] or state.changed[there] <= since:
            continue
        threshold = -MEANINGFUL * (state.cost_ms[here] + state.cost_ms[there])
        if best < threshold:
            threshold = best
        bound_there = change_bound(task, state, there, nobody, device, pair)
        if (gain_here if known else bound_here) + bound_there >= threshold:
            continue
        if not known:
            gain_here = cost_after(task, state, here, device, nobody, nobody) - state.cost_ms[here]
            known = True
        change = gain_here + cost_after(task, state, there, nobody, device, pair) - state.cost_ms[there]
        if change < threshold:
            best_pair, best = pair, change
    return best_pair, -best


@kernel(allocates=False, inner=True)
def moves_by_prices(task: Task, state: State, first: int, last: int) -> int:
    """Move devices ``first..last`` in turn to where the cost falls most; returns the number of moves."""
    changes, newest, numbers = 0, len(state.head), task.numbers
    for device in range(first, last):
        if not untried(numbers.start, numbers.server, state.changed, state.looked[0, device], device):
            continue
        number = state.changed[newest]
        pair, _ = best_move(task, state, device)
        state.looked[0, device] = number
        if pair >= 0:
            here, there = state.chosen[device], numbers.server[pair]
            reassign(state, device, there, pair)
            settle_server(task, state, here)
            settle_server(task, state, there)
            changes += 1
    return changes


@kernel(allocates=False, inner=True)
def swaps_by_prices(task: Task, state: State, first: int, last: int) -> int:
    """Exchange the servers of devices ``first..last`` with any later device where the cost falls."""
    changes, newest = 0, len(state.head)
    numbers = task.numbers
    row = state.row
    for one in range(first, last):
        if not untried(numbers.start, numbers.server, state.changed, state.looked[1, one], one):
            continue
        number = state.changed[newest]
        fill_row(numbers.start, numbers.server, one, row)
        here = state.chosen[one]
        place = last_place_until(task, here, one)
        while True:
            end = numbers.server_start[here + 1]
            place = next_by_prices(task, state, one, place + 1, end, row, MEANINGFUL)
            if place == end:
                break
            other_pair = numbers.by_server[place]
            other = numbers.device[other_pair]
            there = state.chosen[other]
            one_pair = row[there]
            threshold = -MEANINGFUL * (state.cost_ms[here] + state.cost_ms[there])
            change = cost_after(task, state, here, one, other, other_pair) - state.cost_ms[here]
            change += cost_after(task, state, there, other, one, one_pair) - state.cost_ms[there]
            if change < threshold:
                reassign(state, one, there, one_pair)
                reassign(state, other, here, other_pair)
                settle_server(task, state, here)
                settle_server(task, state, there)
                changes += 1
                here = there
                place = last_place_until(task, here, other)
        clear_row(numbers.start, numbers.server, one, row)
        state.looked[1, one] = number
    return changes
