"""Shakes: what they end with costs what is said, and what does not help is undone."""

from __future__ import annotations

import numpy as np
import pytest
from cases import make_instance
from hypothesis import given, settings
from hypothesis import strategies as st
from searches import check_lists, evaluated, search_at
from uara.solvers.search.by_prices import shake
from uara.solvers.search.shake import DRAWS, Shaking


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 10**6), st.sampled_from([1e-9, 1.0, 1e6]))
def test_the_best_only_sinks_and_all_costs_are_true(seed: int, warmth_ms: float) -> None:
    instance = make_instance(9, 3, seed, missing=0.2, payload=50.0)
    task, state = search_at(instance, "optimal", seed)
    weight = np.ones(len(task.numbers.server))
    present, best = state.chosen.copy(), state.chosen.copy()
    first = float(state.cost_ms.sum())
    costs = np.array([first, first])
    draws = np.random.default_rng(seed).random((10, DRAWS))
    last = shake(task, state, Shaking(np.cumsum(weight), present, best, costs, draws, warmth_ms))
    check_lists(state)
    assert (state.chosen == present).all()
    assert costs[0] == pytest.approx(evaluated(instance, present, "optimal"), rel=1e-9)
    assert costs[1] == pytest.approx(evaluated(instance, best, "optimal"), rel=1e-9)
    assert costs[1] <= min(first, costs[0]) * (1 + 1e-12)
    assert (last >= 0) == (costs[1] < first * (1 - 1e-12))
    assert state.cost_ms.sum() == pytest.approx(costs[0], rel=1e-9)


def test_pairs_without_weight_are_not_drawn_and_no_draws_change_nothing() -> None:
    instance = make_instance(9, 3, 1, missing=0.0)
    task, state = search_at(instance, "optimal", 1)
    before = state.chosen.copy()
    own = (task.numbers.server == before[task.numbers.device]).astype(float)  # where they are already
    costs = np.full(2, float(state.cost_ms.sum()))
    present, best = before.copy(), before.copy()
    none = np.zeros((0, DRAWS))
    assert shake(task, state, Shaking(np.cumsum(own), present, best, costs, none, 1.0)) == -1
    assert (state.chosen == before).all()


def test_cold_shakes_never_end_above_where_they_began() -> None:
    instance = make_instance(12, 4, 3, missing=0.0, payload=50.0)
    task, state = search_at(instance, "optimal", 3)
    present, best = state.chosen.copy(), state.chosen.copy()
    costs = np.full(2, float(state.cost_ms.sum()))
    weight = np.cumsum(np.ones(48))
    rng, seen = np.random.default_rng(0), [costs[0]]
    for _ in range(30):
        shake(task, state, Shaking(weight, present, best, costs, rng.random((1, DRAWS)), 1e-300))
        seen.append(costs[0])
    assert seen == sorted(seen, reverse=True)
    assert seen[-1] < seen[0]
