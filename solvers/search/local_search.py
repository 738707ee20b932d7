"""Local search over associations: move a device, or exchange two, while the cost of P1 falls. Compiled.

Under the exact rule a trial whose lower bound (``search_state.change_bound``) shows no gain is skipped, so that
no improvement is missed and few costs are computed.
"""

from __future__ import annotations

import time
from collections.abc import Callable

import numpy as np

from uara.base.kernels import kernel

from .state import State, Task, change_bound, cost_after, reassign, settle, settle_server
from .swap_screen import fill_row, next_promising

MEANINGFUL = 1e-10
"""Smallest gain, relative to the two servers' costs, that counts as an improvement."""
_STRETCH_S = 0.005


def improve(
    task: Task,
    state: State,
    *,
    moves: bool = True,
    swaps: bool = True,
    expired: Callable[[], bool] = lambda: False,
    improved: Callable[[], None] = lambda: None,
) -> int:
    """Move and exchange devices until neither lowers the cost; returns the number of changes.

    Parameters
    ----------
    moves, swaps
        Which of the two changes are tried.
    expired
        Asked often; the search stops where it says so.
    improved
        Called after each round that changed something.
    """
    devices, changes = len(task.local_ms), 0
    passes = [each for each, wanted in ((move_pass, moves), (swap_pass, swaps)) if wanted]
    while not expired():
        before = changes
        for each in passes:
            changes += _sweep(each, task, state, devices, expired)
        if changes == before:
            break
        settle(task, state)
        improved()
    return changes


def _sweep(
    kernel: Callable[[Task, State, int, int], int],
    task: Task,
    state: State,
    devices: int,
    expired: Callable[[], bool],
) -> int:
    """Run a pass over all devices in stretches of some milliseconds, so that a time limit is noticed."""
    changes, first, width = 0, 0, 1
    while first < devices and not expired():
        begin = time.perf_counter()
        changes += kernel(task, state, first, min(first + width, devices))
        first += width
        slowness = (time.perf_counter() - begin) / _STRETCH_S
        width = max(1, int(width / max(slowness, 0.25)))
    return changes


@kernel
def best_move(task: Task, state: State, device: int) -> tuple[int, float]:
    """The pair that a device had best move to (-1: stay), and the gain in ms, with a vacancy wanted there."""
    here = state.chosen[device]
    bound_here = 0.0 if task.weighted else change_bound(task, state, here, device, -1, -1)
    gain_here, known = 0.0, False
    best_pair, best = -1, 0.0
    for pair in range(task.start[device], task.start[device + 1]):
        there = task.server[pair]
        if there == here or state.size[there] >= task.capacity[there]:
            continue
        threshold = -MEANINGFUL * (state.cost_ms[here] + state.cost_ms[there])
        if best < threshold:
            threshold = best
        if not task.weighted:
            bound_there = change_bound(task, state, there, -1, device, pair)
            if (gain_here if known else bound_here) + bound_there >= threshold:
                continue
        if not known:
            gain_here = cost_after(task, state, here, device, -1, -1) - state.cost_ms[here]
            known = True
        change = gain_here + cost_after(task, state, there, -1, device, pair) - state.cost_ms[there]
        if change < threshold:
            best_pair, best = pair, change
    return best_pair, -best


@kernel
def move_pass(task: Task, state: State, first: int, last: int) -> int:
    """Move devices ``first..last`` in turn to where the cost falls most; returns the number of moves."""
    changes = 0
    for device in range(first, last):
        pair, _ = best_move(task, state, device)
        if pair >= 0:
            here, there = state.chosen[device], task.server[pair]
            reassign(state, device, there, pair)
            settle_server(task, state, here)
            settle_server(task, state, there)
            changes += 1
    return changes


@kernel
def swap_pass(task: Task, state: State, first: int, last: int) -> int:
    """Exchange the servers of devices ``first..last`` with any later device where the cost falls."""
    changes = 0
    row = np.empty(len(state.head), dtype=np.int64)
    for one in range(first, last):
        fill_row(task.start, task.server, one, row)
        here = state.chosen[one]
        place = task.server_start[here] - 1
        while True:
            end = task.server_start[here + 1]
            place = next_promising(task, state, one, place + 1, end, row, MEANINGFUL)
            if place == end:
                break
            other_pair = task.server_pairs[place]
            other = task.device_of[other_pair]
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
    return changes


@kernel
def last_place_until(task: Task, server: int, device: int) -> int:
    """The last place among a server's pairs whose device is not beyond ``device``."""
    low, high = task.server_start[server], task.server_start[server + 1]
    while low < high:
        middle = (low + high) // 2
        if task.device_of[task.server_pairs[middle]] <= device:
            low = middle + 1
        else:
            high = middle
    return int(low - 1)
