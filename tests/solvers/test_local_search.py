from __future__ import annotations

from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from cases import instances, make_instance, random_association
from hypothesis import given, settings
from hypothesis import strategies as st
from uara.solvers.local_search import (
    MEANINGFUL,
    State,
    Task,
    best_move,
    change_bound,
    cost_after,
    find_pair,
    improve,
    last_place_until,
    least_band_cost,
    make_state,
    make_task,
    move_pass,
    reassign,
    settle,
    swap_pass,
)
from uara.solvers.matching import sharing_weights

from uara import Instance, allocate, evaluate
from uara.model import coefficients
from uara.server_cost import server_cost

RULES = ("uniform", "sqrt", "optimal")


def search_at(instance: Instance, rule: Any = "optimal", seed: int = 0, **options: Any) -> tuple[Task, State]:
    numbers = coefficients(instance)
    task = make_task(numbers, sharing_weights(numbers, rule), **options)
    return task, make_state(task, numbers, random_association(instance, seed))


def evaluated(instance: Instance, association: Any, rule: Any) -> float:
    return evaluate(instance, allocate(instance, association, rule)).controllable_ms


def exact_cost(task: Task, association: Any, server: int) -> float:
    """V_j computed afresh from the columns of the members."""
    members = np.flatnonzero(association == server)
    pair = np.array([find_pair(task, i, server) for i in members], dtype=np.int64)
    return float(
        server_cost(
            task.local_ms[members],
            task.uplink_ms[pair],
            task.band_cost_ms[pair],
            task.root_flop[members],
            task.flop_per_ms[server],
            task.wait_ms[server],
            task.sync_weight,
            np.empty(len(members)),
        )
    )


def members_of(state: State, server: int) -> list[int]:
    """The linked list of a server, checked in both directions."""
    found, before, device = [], -1, int(state.head[server])
    while device >= 0:
        assert state.before[device] == before
        found.append(device)
        before, device = device, int(state.after[device])
    return found


def check_lists(state: State) -> None:
    for server in range(len(state.head)):
        found = members_of(state, server)
        assert sorted(found) == np.flatnonzero(state.chosen == server).tolist()
        assert state.size[server] == len(found)


# The costs that are kept


@settings(max_examples=60, deadline=None)
@given(instances(), st.sampled_from(RULES), st.integers(0, 1000))
def test_kept_costs_are_the_evaluated_objective(instance: Instance, rule: str, seed: int) -> None:
    _, state = search_at(instance, rule, seed)
    expected = evaluated(instance, state.chosen, rule)
    local_ms = instance.devices.device_flop / instance.devices.compute_flop_per_s * 1e3
    cancelled = instance.parameters.sync_weight_per_ms * float(np.sum(local_ms**2))
    assert state.cost_ms.sum() == pytest.approx(expected, rel=1e-9, abs=1e-11 * cancelled)


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


@settings(max_examples=40, deadline=None)
@given(instances(max_devices=7), st.sampled_from(RULES), st.integers(0, 1000))
def test_trial_costs_are_the_costs_after_the_change(instance: Instance, rule: str, seed: int) -> None:
    task, state = search_at(instance, rule, seed)
    numbers = coefficients(instance)
    local_ms = instance.devices.device_flop / instance.devices.compute_flop_per_s * 1e3
    cancelled = instance.parameters.sync_weight_per_ms * float(np.sum(local_ms**2))
    for device in range(len(instance.devices)):
        here = int(state.chosen[device])
        for pair in range(task.start[device], task.start[device + 1]):
            there = int(task.server[pair])
            if there == here:
                continue
            association = state.chosen.copy()
            association[device] = there
            after = make_state(task, numbers, association).cost_ms
            assert cost_after(task, state, here, device, -1, -1) == pytest.approx(
                after[here], rel=1e-8, abs=1e-10 * cancelled
            )
            assert cost_after(task, state, there, -1, device, pair) == pytest.approx(
                after[there], rel=1e-8, abs=1e-10 * cancelled
            )


# The screen


@settings(max_examples=60, deadline=None)
@given(instances(max_devices=8), st.integers(0, 1000))
def test_the_bound_on_a_change_is_a_bound(instance: Instance, seed: int) -> None:
    task, state = search_at(instance, "optimal", seed)
    for server in range(len(instance.servers)):
        for leaving in [-1, *members_of(state, server)]:
            for coming in [-1, *np.flatnonzero(state.chosen != server)]:
                pair = find_pair(task, coming, server) if coming >= 0 else -1
                if coming >= 0 and pair < 0:
                    continue
                bound = change_bound(task, state, server, leaving, coming, pair)
                change = cost_after(task, state, server, leaving, coming, pair) - state.cost_ms[server]
                scale = abs(change) + state.cost_ms[server] + abs(bound)
                if task.sync_weight == 0:  # the smallest share costs energy, which the bound leaves out
                    scale += task.band_cost_ms.sum()
                assert bound <= change + 2e-9 * scale


def unscreened(instance: Instance, rule: Any, association: Any, rounds: int = 100) -> tuple[Any, int]:
    """The same search, every trial computed: moves device by device, then exchanges in order of devices."""
    numbers = coefficients(instance)
    task = make_task(numbers, sharing_weights(numbers, rule))
    devices, changes = len(task.local_ms), 0

    def costs(chosen: Any) -> Any:
        return make_state(task, numbers, chosen).cost_ms

    chosen, now = np.array(association), costs(association)
    for _ in range(rounds):
        before = changes
        for i in range(devices):
            best, best_change = None, 0.0
            for pair in range(task.start[i], task.start[i + 1]):
                trial = chosen.copy()
                trial[i] = task.server[pair]
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
                if here == there or find_pair(task, i, there) < 0 or find_pair(task, k, here) < 0:
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
    assert move_pass(task, state, 0, len(state.chosen)) == 0
    assert swap_pass(task, state, 0, len(state.chosen)) == 0
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


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 10_000))
def test_the_best_move_is_the_best_of_all(seed: int) -> None:
    instance = make_instance(10, 4, seed)
    numbers = coefficients(instance)
    task, state = search_at(instance, "optimal", seed)
    for device in range(10):
        changes = {}
        for pair in range(task.start[device], task.start[device + 1]):
            association = state.chosen.copy()
            association[device] = task.server[pair]
            after = make_state(task, numbers, association).cost_ms.sum()
            changes[pair] = float(after - state.cost_ms.sum())
        pair, gain = best_move(task, state, device)
        if pair < 0:
            assert gain == 0
            assert min(changes.values()) >= -1e-8 * state.cost_ms.sum()
        else:
            assert -gain == pytest.approx(min(changes.values()), rel=1e-6, abs=1e-9 * state.cost_ms.sum())
            assert changes[pair] == min(changes.values())


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


@settings(max_examples=50, deadline=None)
@given(instances(), st.integers(0, 1000))
def test_reassigning_keeps_the_lists(instance: Instance, seed: int) -> None:
    task, state = search_at(instance, "optimal", seed)
    rng = np.random.default_rng(seed)
    for _ in range(20):
        device = int(rng.integers(len(state.chosen)))
        pair = int(rng.integers(task.start[device], task.start[device + 1]))
        reassign(state, device, int(task.server[pair]), pair)
        check_lists(state)


def test_pairs_are_found_where_they_are() -> None:
    instance = make_instance(30, 5, seed=2, missing=0.5)
    task, _ = search_at(instance)
    gain = instance.channel.dense(5)
    for device in range(30):
        for server in range(5):
            pair = find_pair(task, device, server)
            assert (pair >= 0) == (gain[device, server] > 0)
            if pair >= 0:
                assert (task.device_of[pair], task.server[pair]) == (device, server)


def test_pairs_by_server_are_in_the_order_of_devices() -> None:
    instance = make_instance(30, 5, seed=2, missing=0.5)
    task, _ = search_at(instance)
    for server in range(5):
        places = range(task.server_start[server], task.server_start[server + 1])
        devices = [int(task.device_of[task.server_pairs[place]]) for place in places]
        assert devices == sorted(devices)
        assert all(task.server[task.server_pairs[place]] == server for place in places)
        for device in range(-1, 31):
            last = last_place_until(task, server, device)
            assert last - task.server_start[server] + 1 == sum(other <= device for other in devices)


@settings(max_examples=60, deadline=None)
@given(instances(), st.floats(0, 1e6))
def test_the_least_band_cost_is_the_least(instance: Instance, price: float) -> None:
    task, _ = search_at(instance)
    share = np.geomspace(1e-9, 1, 4001)
    for pair in range(len(task.server)):
        device = int(task.device_of[pair])
        gap = task.local_ms[device] - task.uplink_ms[pair] / share
        values = task.sync_weight * gap**2 + (task.band_cost_ms[pair] + price) * share
        least = least_band_cost(task, device, pair, price)
        scale = 1e-9 * task.sync_weight * task.local_ms[device] ** 2
        assert least <= values.min() * (1 + 1e-9) + scale
        if task.sync_weight > 0:
            assert least >= values.min() * 0.999 - 1e-3 * task.sync_weight * task.local_ms[device] ** 2


def test_exact_costs_are_those_of_the_kernel() -> None:
    instance = make_instance(30, 5, seed=2)
    task, state = search_at(instance)
    for server in range(5):
        assert state.cost_ms[server] == pytest.approx(exact_cost(task, state.chosen, server), rel=1e-12)


@pytest.mark.parametrize("reserve", [0.0, 0.5, 100.0])
def test_a_reserve_leaves_band_idle(reserve: float) -> None:
    instance = make_instance(9, 2, seed=4, missing=0.0)
    numbers = coefficients(instance)
    weights = np.full(len(numbers.pair_server), 0.1), np.ones(len(numbers.pair_server))
    task = make_task(numbers, weights, reserve=reserve)
    association = random_association(instance)
    state = make_state(task, numbers, association)
    pair, expected = numbers.pairs_of(association), 0.0
    for server in range(2):
        members = np.flatnonzero(association == server)
        band = 0.1 / max(0.1 * len(members), reserve)
        gap = numbers.local_ms[members] - numbers.uplink_ms[pair[members]] / band
        expected += numbers.sync_weight_per_ms * float(np.sum(gap**2))
        expected += band * float(numbers.band_cost_ms[pair[members]].sum())
        expected += len(members) * numbers.server_flop[members].sum() / numbers.flop_per_ms[server]
        expected += len(members) * numbers.wait_ms[server]
    assert state.cost_ms.sum() == pytest.approx(expected, rel=1e-9)
