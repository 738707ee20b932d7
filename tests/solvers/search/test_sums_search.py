"""Moves and exchanges under the proportional rule: each gains, and none that gains is left."""

from __future__ import annotations

from itertools import combinations
from typing import Any

import numpy as np
import pytest
from cases import instances
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from searches import check_lists, evaluated, search_at
from uara.solvers.search.sums_search import move_pass_by_sums, swap_pass_by_sums

from uara import Instance

rules = st.sampled_from(["uniform", "sqrt"])
SOME = settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])


@SOME
@given(instances(7, 3), rules, st.integers(0, 10**6))
def test_every_pass_lowers_the_evaluated_cost_to_what_is_kept(
    instance: Instance, rule: Any, seed: int
) -> None:
    task, state = search_at(instance, rule, seed)
    cost = evaluated(instance, state.chosen, rule)
    devices = len(state.chosen)
    for one in (move_pass_by_sums, swap_pass_by_sums) * 2:
        size = state.size.copy()
        changes = one(task, state, 0, devices)
        check_lists(state)
        after = evaluated(instance, state.chosen, rule)
        assert state.cost_ms.sum() == pytest.approx(after, rel=1e-9)
        assert after < cost if changes else after == pytest.approx(cost, rel=1e-12)
        if one is swap_pass_by_sums:
            assert (state.size == size).all()
        cost = after


@SOME
@given(instances(6, 3), rules, st.integers(0, 10**6))
def test_where_passes_end_no_move_and_no_exchange_gains(instance: Instance, rule: Any, seed: int) -> None:
    task, state = search_at(instance, rule, seed)
    devices = len(state.chosen)
    for _ in range(200):
        if move_pass_by_sums(task, state, 0, devices) + swap_pass_by_sums(task, state, 0, devices) == 0:
            break
    numbers, chosen = task.numbers, state.chosen
    cost = evaluated(instance, chosen, rule)
    usable = [
        set(numbers.server[a:b].tolist()) for a, b in zip(numbers.start, numbers.start[1:], strict=False)
    ]
    tried = []
    for i in range(devices):
        tried += [{i: j} for j in usable[i]]
    for i, k in combinations(range(devices), 2):
        if chosen[k] in usable[i] and chosen[i] in usable[k]:
            tried.append({i: int(chosen[k]), k: int(chosen[i])})
    for change in tried:
        other = chosen.copy()
        other[list(change)] = list(change.values())
        assert evaluated(instance, other, rule) >= cost * (1 - 1e-8)


def test_a_part_of_the_devices_alone_is_moved() -> None:
    from cases import make_instance

    instance = make_instance(10, 3, 4, missing=0.0)
    task, state = search_at(instance, "uniform", 4)
    before = state.chosen.copy()
    move_pass_by_sums(task, state, 3, 6)
    assert set(np.flatnonzero(state.chosen != before)) <= {3, 4, 5}


def test_capacity_stands_in_the_way_of_moves() -> None:
    from cases import make_instance

    instance = make_instance(10, 3, 4, missing=0.0)
    task, state = search_at(instance, "uniform", 4, capacity=np.full(3, 4))
    full = state.size.copy()
    move_pass_by_sums(task, state, 0, 10)
    assert (state.size <= np.maximum(full, 4)).all()
