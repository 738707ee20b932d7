"""Local search over associations: move a device, or exchange two, while the cost of P1 falls."""

from __future__ import annotations

import time
from collections.abc import Callable

from .by_prices import move_pass, swap_pass
from .settling import settle
from .state import State, Task
from .sums_search import move_pass_by_sums, swap_pass_by_sums

Pass = Callable[[Task, State, int, int], int]
"""A kernel that changes what devices ``first..last`` of a state do, and returns the number of changes."""
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
    passes = [each for each, wanted in zip(passes_of(task), (moves, swaps), strict=True) if wanted]
    while not expired():
        before = changes
        for each in passes:
            changes += _sweep(each, task, state, devices, expired)
        if changes == before:
            break
        improved()
    if changes:
        settle(task, state)
    return changes


def passes_of(task: Task) -> tuple[Pass, Pass]:
    """The pass of moves and that of exchanges under the task's rule."""
    if task.weighted:
        return move_pass_by_sums, swap_pass_by_sums
    return move_pass, swap_pass


def _sweep(
    kernel: Pass,
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
