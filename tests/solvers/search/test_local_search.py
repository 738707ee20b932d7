from __future__ import annotations

from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from cases import instances, make_instance
from hypothesis import given, settings
from hypothesis import strategies as st
from searches import RULES, check_lists, evaluated, search_at
from uara.solvers.search.by_prices import move_pass
from uara.solvers.search.local_search import improve, passes_of
from uara.solvers.search.matching import sharing_weights
from uara.solvers.search.settling import make_state, settle
from uara.solvers.search.state import State, find_pair, make_task
from uara.solvers.search.sums_search import MEANINGFUL
from uara.solvers.search.swap_screen import last_place_until

from uara import Instance, allocate, evaluate
from uara.base.kernels import alone
from uara.p1.model import coefficients

# The costs that are kept


@settings(max_examples=60, deadline=None)
@given(instances(max_devices=8), st.sampled_from(RULES), st.integers(0, 1000))
def test_costs_after_the_search_are_those_computed_afresh(instance: Instance, rule: str, seed: int) -> None:
    task, state = search_at(instance, rule, seed)
    improve(task, state)
    check_lists(state)
    kept = state.cost_ms.copy()
    numbers = coefficients(instance)
    assert state.pair.tolist() == numbers.pairs_of(state.chosen).tolist()
    settle(task, state)
    assert state.cost_ms == pytest.approx(kept, rel=1e-9)
    local_ms = instance.devices.device_flop / instance.devices.compute_flop_per_s * 1e3
    cancelled = instance.parameters.sync_weight_per_ms * float(np.sum(local_ms**2))
    expected = evaluated(instance, state.chosen, rule)
    assert state.cost_ms.sum() == pytest.approx(expected, rel=1e-9, abs=1e-11 * cancelled)


# The screen


def unscreened(instance: Instance, rule: Any, association: Any, rounds: int = 100) -> tuple[Any, int]:
    """The same search, every trial computed: moves device by device, then exchanges in order of devices."""
    numbers = coefficients(instance)
    task = make_task(numbers, sharing_weights(numbers, rule))
    devices, changes = numbers.devices, 0

    def costs(chosen: Any) -> Any:
        return make_state(task, numbers, chosen).cost_ms

    chosen, now = np.array(association), costs(association)
    for _ in range(rounds):
        before = changes
        for i in range(devices):
            best, best_change = None, 0.0
            for pair in range(numbers.start[i], numbers.start[i + 1]):
                trial = chosen.copy()
                trial[i] = numbers.server[pair]
                if trial[i] == chosen[i]:
                    continue
                after = costs(trial)
                two = [chosen[i], trial[i]]
                change = float(np.sum(after[two] - now[two]))
                if change < min(best_change, -MEANINGFUL * now[two].sum()):
                    best, best_change = (trial, after), change
            if best is not None:
                (chosen, now), changes = best, changes + 1
        for i in range(devices):
            for k in range(i + 1, devices):
                here, there = chosen[i], chosen[k]
                if (
                    here == there
                    or alone(find_pair)(task, i, there) < 0
                    or alone(find_pair)(task, k, here) < 0
                ):
                    continue
                trial = chosen.copy()
                trial[i], trial[k] = there, here
                after = costs(trial)
                change = float(np.sum(after[[here, there]] - now[[here, there]]))
                if change < -MEANINGFUL * (now[here] + now[there]):
                    chosen, now, changes = trial, after, changes + 1
        if changes == before:
            break
    return chosen, changes


@pytest.mark.parametrize("rule", RULES)
@pytest.mark.parametrize("seed", range(4))
def test_the_screen_misses_nothing(rule: str, seed: int) -> None:
    instance = make_instance(14, 4, seed=seed, payload=[1.0, 30.0, 0.1, 300.0][seed])
    task, state = search_at(instance, rule, seed)
    expected, changes = unscreened(instance, rule, state.chosen)
    assert improve(task, state) == changes
    assert state.chosen.tolist() == expected.tolist()


@settings(max_examples=40, deadline=None)
@given(instances(max_devices=8), st.sampled_from(RULES), st.integers(0, 1000))
def test_the_end_is_a_local_optimum(instance: Instance, rule: str, seed: int) -> None:
    task, state = search_at(instance, rule, seed)
    improve(task, state)
    for each in passes_of(task):
        assert each(task, state, 0, len(state.chosen)) == 0
    assert improve(task, state) == 0


@pytest.mark.parametrize("rule", RULES)
def test_every_round_lowers_the_cost(rule: str) -> None:
    instance = make_instance(40, 6, seed=1)
    task, state = search_at(instance, rule)
    costs = [float(state.cost_ms.sum())]
    changes = improve(task, state, improved=lambda: costs.append(float(state.cost_ms.sum())))
    assert changes > 10
    assert len(costs) > 1
    assert all(after < before for before, after in pairwise(costs))


# What is not tried again


@pytest.mark.parametrize("rule", RULES)
def test_devices_are_tried_again_only_where_a_server_that_they_list_changed(rule: str) -> None:
    instance = make_instance(40, 6, seed=3, missing=0.4)
    numbers = coefficients(instance)
    task, state = search_at(instance, rule, 1)
    fresh = make_state(task, numbers, state.chosen)
    moves, swaps = passes_of(task)
    state.looked[:] = state.changed[-1]  # as if all had been tried since the last change
    for each in (moves, swaps):
        assert each(task, state, 0, 40) == 0
    assert state.chosen.tolist() == fresh.chosen.tolist()
    assert moves(task, fresh, 0, 40) > 0
    server = int(state.chosen[0])
    state.changed[server] = state.changed[-1] = state.changed[-1] + 1
    before = state.chosen.copy()
    assert moves(task, state, 0, 1) + moves(task, state, 1, 40) > 0
    first = int(np.flatnonzero(before != state.chosen)[0])
    assert server in numbers.server[numbers.start[first] : numbers.start[first + 1]]


# Limits of the search


def test_moves_and_swaps_can_be_left_out() -> None:
    instance = make_instance(30, 5, seed=2)
    task, state = search_at(instance)
    sizes = state.size.copy()
    improve(task, state, moves=False)
    assert state.size.tolist() == sizes.tolist()
    task, state = search_at(instance)
    improve(task, state, swaps=False)
    assert move_pass(task, state, 0, len(state.chosen)) == 0
    task, state = search_at(instance)
    before = state.chosen.tolist()
    assert improve(task, state, moves=False, swaps=False) == 0
    assert state.chosen.tolist() == before


@pytest.mark.parametrize("rule", RULES)
def test_capacities_hold_at_every_step(rule: str) -> None:
    instance = make_instance(24, 4, seed=2, missing=0.0)
    numbers = coefficients(instance)
    capacity = np.array([6, 7, 8, 9])
    task = make_task(numbers, sharing_weights(numbers, rule), capacity)  # type: ignore[arg-type]
    state = make_state(task, numbers, np.repeat(np.arange(4), 6))
    improve(task, state, improved=lambda: check_sizes(state, capacity))
    check_sizes(state, capacity)


def check_sizes(state: State, capacity: Any) -> None:
    assert (np.bincount(state.chosen, minlength=len(capacity)) <= capacity).all()


def test_the_search_asks_whether_to_stop_and_does() -> None:
    instance = make_instance(40, 6, seed=1)
    task, state = search_at(instance)
    before = state.chosen.tolist()
    assert improve(task, state, expired=lambda: True) == 0
    assert state.chosen.tolist() == before
    whole = improve(*search_at(instance))
    asked = iter(range(1000))
    assert 0 < improve(task, state, expired=lambda: next(asked) >= 3) < whole
    check_lists(state)
    assert evaluate(instance, allocate(instance, state.chosen)).feasible


# The parts


def test_pairs_by_server_are_in_the_order_of_devices() -> None:
    instance = make_instance(30, 5, seed=2, missing=0.5)
    task, _ = search_at(instance)
    numbers = task.numbers
    for server in range(5):
        places = range(numbers.server_start[server], numbers.server_start[server + 1])
        devices = [int(numbers.device[numbers.by_server[place]]) for place in places]
        assert devices == sorted(devices)
        assert all(numbers.server[numbers.by_server[place]] == server for place in places)
        for device in range(-1, 31):
            last = alone(last_place_until)(task, server, device)
            assert last - numbers.server_start[server] + 1 == sum(other <= device for other in devices)
