"""Local search over associations: move a device, or exchange two, while the cost of P1 falls. Compiled.

Under the exact rule a trial whose lower bound (``search_state.change_bound``) shows no gain is skipped, so that
no improvement is missed and few costs are computed.
"""

from __future__ import annotations

import time
from collections.abc import Callable

from uara.base.kernels import kernel

from .state import State, Task, change_bound, cost_after, reassign, settle, settle_server
from .sums import cost_of, less, plus, sums_at
from .swap_screen import clear_row, fill_row, next_by_prices, next_by_sums

MEANINGFUL = 1e-10
"""Smallest gain, relative to the two servers' costs, that counts as an improvement."""
_STRETCH_S = 0.005
_TRIALS_BY_SUMS, _TRIALS_BY_PRICES = 100_000, 2_000
"""Exchanges that are surely tried in such a stretch: the first one has so many."""


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
    devices, changes = len(state.chosen), 0
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
    trials = _TRIALS_BY_SUMS if task.weighted else _TRIALS_BY_PRICES
    changes, first, width = 0, 0, max(1, trials // devices)
    while first < devices and not expired():
        begin = time.perf_counter()
        changes += kernel(task, state, first, min(first + width, devices))
        first += width
        slowness = (time.perf_counter() - begin) / _STRETCH_S
        width = max(1, int(width / max(slowness, 0.25)))
    return changes


@kernel(allocates=False)
def best_move(task: Task, state: State, device: int) -> tuple[int, float]:
    """The pair that a device had best move to (-1: stay), and the gain in ms, with a vacancy wanted there."""
    if task.weighted:
        return _best_move_by_sums(task, state, device)
    here = state.chosen[device]
    bound_here = change_bound(task, state, here, device, -1, -1)
    gain_here, known = 0.0, False
    best_pair, best = -1, 0.0
    numbers = task.numbers
    for pair in range(numbers.start[device], numbers.start[device + 1]):
        there = numbers.server[pair]
        if there == here or state.size[there] >= task.capacity[there]:
            continue
        threshold = -MEANINGFUL * (state.cost_ms[here] + state.cost_ms[there])
        if best < threshold:
            threshold = best
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


@kernel(inline="always", allocates=False)
def _best_move_by_sums(task: Task, state: State, device: int) -> tuple[int, float]:
    numbers, sums, terms, cost_ms = task.numbers, state.sums, task.terms, state.cost_ms
    here, speed = state.chosen[device], numbers.work_per_ms
    left = 0.0
    if state.size[here] > 1:
        left = cost_of(less(sums_at(sums, here), terms, state.pair[device]), speed[here], task.reserve)
    best_pair, best = -1, 0.0
    for pair in range(numbers.start[device], numbers.start[device + 1]):
        there = numbers.server[pair]
        if there == here or state.size[there] >= task.capacity[there]:
            continue
        before = cost_ms[here] + cost_ms[there]
        joined = cost_of(plus(sums_at(sums, there), terms, pair), speed[there], task.reserve)
        change = left + joined - before
        if change < best and change < -MEANINGFUL * before:
            best_pair, best = pair, change
    return best_pair, -best


@kernel(allocates=False)
def move_pass(task: Task, state: State, first: int, last: int) -> int:
    """Move devices ``first..last`` in turn to where the cost falls most; returns the number of moves."""
    changes = 0
    for device in range(first, last):
        pair, _ = best_move(task, state, device)
        if pair >= 0:
            here, there = state.chosen[device], task.numbers.server[pair]
            reassign(state, device, there, pair)
            settle_server(task, state, here)
            settle_server(task, state, there)
            changes += 1
    return changes


@kernel(allocates=False)
def swap_pass(task: Task, state: State, first: int, last: int) -> int:
    """Exchange the servers of devices ``first..last`` with any later device where the cost falls."""
    changes = 0
    numbers = task.numbers
    row = state.row
    for one in range(first, last):
        fill_row(numbers.start, numbers.server, one, row)
        here = state.chosen[one]
        place = last_place_until(task, here, one)
        while True:
            end = numbers.server_start[here + 1]
            if task.weighted:
                place = next_by_sums(task, state, one, place + 1, end, row, MEANINGFUL)
            else:
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
    return changes


@kernel(allocates=False)
def last_place_until(task: Task, server: int, device: int) -> int:
    """The last place among a server's pairs whose device is not beyond ``device``."""
    numbers = task.numbers
    low, high = numbers.server_start[server], numbers.server_start[server + 1]
    while low < high:
        middle = (low + high) // 2
        if numbers.device[numbers.by_server[middle]] <= device:
            low = middle + 1
        else:
            high = middle
    return int(low - 1)
