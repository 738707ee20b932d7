from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from cases import instances, make_instance, random_association
from hypothesis import given, settings
from hypothesis import strategies as st
from searches import RULES, check_lists, evaluated, members_of, search_at
from uara.solvers.search.settling import make_state
from uara.solvers.search.state import Task, change_bound, cost_after, find_pair, make_task, reassign

from uara import Instance
from uara.base.kernels import alone
from uara.p1.model import coefficients
from uara.p1.server_cost import least_band_cost, server_cost


def exact_cost(task: Task, association: Any, server: int) -> float:
    """V_j computed afresh from the candidates of the members."""
    members = np.flatnonzero(association == server)
    pair = np.array([alone(find_pair)(task, i, server) for i in members], dtype=np.int64)
    return float(alone(server_cost)(task.numbers, pair, np.empty((4, len(pair))))[0])


@settings(max_examples=60, deadline=None)
@given(instances(), st.sampled_from(RULES), st.integers(0, 1000))
def test_kept_costs_are_the_evaluated_objective(instance: Instance, rule: str, seed: int) -> None:
    _, state = search_at(instance, rule, seed)
    expected = evaluated(instance, state.chosen, rule)
    local_ms = instance.devices.device_flop / instance.devices.compute_flop_per_s * 1e3
    cancelled = instance.parameters.sync_weight_per_ms * float(np.sum(local_ms**2))
    assert state.cost_ms.sum() == pytest.approx(expected, rel=1e-9, abs=1e-11 * cancelled)


@settings(max_examples=40, deadline=None)
@given(instances(max_devices=7), st.integers(0, 1000))
def test_trial_costs_are_the_costs_after_the_change(instance: Instance, seed: int) -> None:
    task, state = search_at(instance, "optimal", seed)
    numbers = coefficients(instance)
    local_ms = instance.devices.device_flop / instance.devices.compute_flop_per_s * 1e3
    cancelled = instance.parameters.sync_weight_per_ms * float(np.sum(local_ms**2))
    for device in range(len(instance.devices)):
        here = int(state.chosen[device])
        for pair in range(numbers.start[device], numbers.start[device + 1]):
            there = int(numbers.server[pair])
            if there == here:
                continue
            association = state.chosen.copy()
            association[device] = there
            after = make_state(task, numbers, association).cost_ms
            assert alone(cost_after)(task, state, here, device, -1, -1) == pytest.approx(
                after[here], rel=1e-8, abs=1e-10 * cancelled
            )
            assert alone(cost_after)(task, state, there, -1, device, pair) == pytest.approx(
                after[there], rel=1e-8, abs=1e-10 * cancelled
            )


@pytest.mark.integration
@settings(max_examples=60, deadline=None)
@given(instances(max_devices=8), st.integers(0, 1000))
def test_the_bound_on_a_change_is_a_bound(instance: Instance, seed: int) -> None:
    task, state = search_at(instance, "optimal", seed)
    numbers = task.numbers
    for server in range(len(instance.servers)):
        for leaving in [-1, *members_of(state, server)]:
            for coming in [-1, *np.flatnonzero(state.chosen != server)]:
                pair = alone(find_pair)(task, coming, server) if coming >= 0 else -1
                if coming >= 0 and pair < 0:
                    continue
                bound = change_bound(task, state, server, leaving, coming, pair)
                change = alone(cost_after)(task, state, server, leaving, coming, pair) - state.cost_ms[server]
                scale = abs(change) + state.cost_ms[server] + abs(bound)
                if (
                    numbers.sync_weight_per_ms == 0
                ):  # the smallest share costs energy, which the bound leaves out
                    scale += numbers.band_cost_ms.sum()
                assert bound <= change + 2e-9 * scale


@settings(max_examples=50, deadline=None)
@given(instances(), st.integers(0, 1000))
def test_reassigning_keeps_the_lists(instance: Instance, seed: int) -> None:
    task, state = search_at(instance, "optimal", seed)
    rng, numbers = np.random.default_rng(seed), task.numbers
    for _ in range(20):
        device = int(rng.integers(len(state.chosen)))
        pair = int(rng.integers(numbers.start[device], numbers.start[device + 1]))
        alone(reassign)(state, device, int(numbers.server[pair]), pair)
        check_lists(state)


def test_pairs_are_found_where_they_are() -> None:
    instance = make_instance(30, 5, seed=2, missing=0.5)
    task, _ = search_at(instance)
    numbers = task.numbers
    gain = instance.channel.dense(5)
    for device in range(30):
        for server in range(5):
            pair = alone(find_pair)(task, device, server)
            assert (pair >= 0) == (gain[device, server] > 0)
            if pair >= 0:
                assert (numbers.device[pair], numbers.server[pair]) == (device, server)


@settings(max_examples=60, deadline=None)
@given(instances(), st.floats(0, 1e6))
def test_the_least_band_cost_is_the_least(instance: Instance, price: float) -> None:
    numbers = coefficients(instance)
    share = np.geomspace(1e-9, 1, 4001)
    for pair in range(len(numbers.server)):
        gap = numbers.local_ms[pair] - numbers.uplink_ms[pair] / share
        values = numbers.sync_weight_per_ms * gap**2 + (numbers.band_cost_ms[pair] + price) * share
        least = alone(least_band_cost)(numbers, pair, price)
        scale = 1e-9 * numbers.sync_weight_per_ms * numbers.local_ms[pair] ** 2
        assert least <= values.min() * (1 + 1e-9) + scale
        if numbers.sync_weight_per_ms > 0:
            assert (
                least
                >= values.min() * 0.999 - 1e-3 * numbers.sync_weight_per_ms * numbers.local_ms[pair] ** 2
            )


def test_exact_costs_are_those_of_the_kernel() -> None:
    instance = make_instance(30, 5, seed=2)
    task, state = search_at(instance)
    for server in range(5):
        assert state.cost_ms[server] == pytest.approx(exact_cost(task, state.chosen, server), rel=1e-12)


@pytest.mark.parametrize("reserve", [0.0, 0.5, 100.0])
def test_a_reserve_leaves_band_idle(reserve: float) -> None:
    instance = make_instance(9, 2, seed=4, missing=0.0)
    numbers = coefficients(instance)
    weights = np.full(len(numbers.server), 0.1), np.ones(len(numbers.server))
    task = make_task(numbers, weights, reserve=reserve)
    association = random_association(instance)
    state = make_state(task, numbers, association)
    pair, expected = numbers.pairs_of(association), 0.0
    for server in range(2):
        members = np.flatnonzero(association == server)
        band = 0.1 / max(0.1 * len(members), reserve)
        gap = numbers.local_ms[pair[members]] - numbers.uplink_ms[pair[members]] / band
        expected += numbers.sync_weight_per_ms * float(np.sum(gap**2))
        expected += band * float(numbers.band_cost_ms[pair[members]].sum())
        expected += len(members) * numbers.work[pair[members]].sum() / numbers.work_per_ms[server]
        expected += numbers.wait_ms[pair[members]].sum()
    assert state.cost_ms.sum() == pytest.approx(expected, rel=1e-9)
