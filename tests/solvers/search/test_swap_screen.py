"""The screen of exchanges lets none pass by that gains: against trials of all of them."""

from __future__ import annotations

from typing import Any

import numpy as np
from cases import instances
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from searches import evaluated, search_at
from uara.solvers.search.state import State, Task
from uara.solvers.search.swap_screen import (
    clear_row,
    fill_row,
    last_place_until,
    next_by_prices,
    next_by_sums,
)

from uara import Instance
from uara.base.kernels import alone, kernel

LEAST = 1e-9


@kernel
def screened(task: Task, state: State, one: int, weighted: bool) -> Any:
    """The places of all exchanges with a device that its screen lets through."""
    row, here = state.row, state.chosen[one]
    fill_row(task.numbers.start, task.numbers.server, one, row)
    end = task.numbers.server_start[here + 1]
    found = np.zeros(len(task.numbers.server), dtype=np.bool_)
    place = task.numbers.server_start[here]
    while place < end:
        if weighted:
            place = next_by_sums(task, state, one, place, end, row, LEAST)
        else:
            place = next_by_prices(task, state, one, place, end, row, LEAST)
        if place < end:
            found[place] = True
        place += 1
    clear_row(task.numbers.start, task.numbers.server, one, row)
    return found


@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(instances(6, 3), st.sampled_from(["uniform", "sqrt", "optimal"]), st.integers(0, 10**6))
def test_no_exchange_that_gains_is_screened_out(instance: Instance, rule: Any, seed: int) -> None:
    task, state = search_at(instance, rule, seed)
    numbers, chosen = task.numbers, state.chosen
    cost = evaluated(instance, chosen, rule)
    for one in range(len(chosen)):
        here = chosen[one]
        passed = screened(task, state, one, rule != "optimal")
        assert (state.row == -1).all()
        for place in range(numbers.server_start[here], numbers.server_start[here + 1]):
            other = int(numbers.device[numbers.by_server[place]])
            there = chosen[other]
            able = there != here and there in numbers.server[numbers.start[one] : numbers.start[one + 1]]
            if not able:
                assert not passed[place]
                continue
            swapped = chosen.copy()
            swapped[[one, other]] = there, here
            gain = cost - evaluated(instance, swapped, rule)
            if gain > 1e-6 * cost:
                assert passed[place]
            if rule != "optimal" and gain < -1e-6 * cost:  # these trials are exact
                assert not passed[place]


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(instances(8, 3), st.integers(0, 10**6))
def test_places_are_counted_up_to_a_device(instance: Instance, seed: int) -> None:
    task, _ = search_at(instance, "uniform", seed)
    numbers, place_until = task.numbers, alone(last_place_until)
    for server in range(numbers.servers):
        own = range(numbers.server_start[server], numbers.server_start[server + 1])
        for device in range(numbers.devices):
            until = [place for place in own if numbers.device[numbers.by_server[place]] <= device]
            expected = until[-1] if until else numbers.server_start[server] - 1
            assert place_until(task, server, device) == expected
