"""Moves and exchanges under the proportional rule, whose trials are exact: no bound screens them. Compiled.

Kernels of its own, so that the learned allocator, which searches under this rule, waits for no others.
"""

from __future__ import annotations

from uara.base.kernels import kernel

from .state import State, Task, reassign, settle_sums
from .sums import cost_of, less, plus, sums_at
from .swap_screen import clear_row, fill_row, last_place_until, next_by_sums, untried

MEANINGFUL = 1e-10
"""Smallest gain, relative to the two servers' costs, that counts as an improvement."""


@kernel(inline="always", allocates=False, inner=True)
def _best_move(task: Task, state: State, device: int) -> tuple[int, float]:
    """The pair that a device had best move to (-1: stay), and the gain in ms."""
    numbers, sums, terms, cost_ms = task.numbers, state.sums, task.terms, state.cost_ms
    here, speed, since = state.chosen[device], numbers.work_per_ms, state.looked[0, device]
    if state.changed[here] > since:
        since = -1
    left = 0.0
    if state.size[here] > 1:
        left = cost_of(less(sums_at(sums, here), terms, state.pair[device]), speed[here], task.reserve)
    best_pair, best = -1, 0.0
    for pair in range(numbers.start[device], numbers.start[device + 1]):
        there = numbers.server[pair]
        if there == here or state.size[there] >= task.capacity[there] or state.changed[there] <= since:
            continue
        before = cost_ms[here] + cost_ms[there]
        joined = cost_of(plus(sums_at(sums, there), terms, pair), speed[there], task.reserve)
        change = left + joined - before
        if change < best and change < -MEANINGFUL * before:
            best_pair, best = pair, change
    return best_pair, -best


@kernel(allocates=False)
def move_pass_by_sums(task: Task, state: State, first: int, last: int) -> int:
    """Move devices ``first..last`` in turn to where the cost falls most; returns the number of moves."""
    changes, newest, numbers = 0, len(state.head), task.numbers
    for device in range(first, last):
        if not untried(numbers.start, numbers.server, state.changed, state.looked[0, device], device):
            continue
        number = state.changed[newest]
        pair, _ = _best_move(task, state, device)
        state.looked[0, device] = number
        if pair >= 0:
            here, there = state.chosen[device], numbers.server[pair]
            reassign(state, device, there, pair)
            settle_sums(task, state, here)
            settle_sums(task, state, there)
            changes += 1
    return changes


@kernel(allocates=False)
def swap_pass_by_sums(task: Task, state: State, first: int, last: int) -> int:
    """Exchange the servers of devices ``first..last`` with any later device where the cost falls."""
    changes, newest = 0, len(state.head)
    numbers, row = task.numbers, state.row
    for one in range(first, last):
        if not untried(numbers.start, numbers.server, state.changed, state.looked[1, one], one):
            continue
        number = state.changed[newest]
        fill_row(numbers.start, numbers.server, one, row)
        here = state.chosen[one]
        place = last_place_until(task, here, one)
        while True:
            end = numbers.server_start[here + 1]
            place = next_by_sums(task, state, one, place + 1, end, row, MEANINGFUL)
            if place == end:
                break
            other_pair = numbers.by_server[place]
            other = numbers.device[other_pair]
            there = state.chosen[other]
            reassign(state, one, there, row[there])
            reassign(state, other, here, other_pair)
            settle_sums(task, state, here)
            settle_sums(task, state, there)
            changes += 1
            here = there
            place = last_place_until(task, here, other)
        clear_row(numbers.start, numbers.server, one, row)
        state.looked[1, one] = number
    return changes
