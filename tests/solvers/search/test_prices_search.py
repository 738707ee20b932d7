"""The kernels of the exact rule against costs computed afresh; the search that they serve: test_local_search.py."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from cases import make_instance
from hypothesis import given, settings
from hypothesis import strategies as st
from searches import check_lists, search_at
from uara.solvers.search.prices_search import best_move, moves_by_prices, swaps_by_prices
from uara.solvers.search.settling import make_state

from uara.base.kernels import alone
from uara.p1.model import coefficients


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 10_000))
def test_the_best_move_is_the_best_of_all(seed: int) -> None:
    instance = make_instance(10, 4, seed)
    numbers = coefficients(instance)
    task, state = search_at(instance, "optimal", seed)
    for device in range(10):
        changes = {}
        for pair in range(numbers.start[device], numbers.start[device + 1]):
            association = state.chosen.copy()
            association[device] = numbers.server[pair]
            after = make_state(task, numbers, association).cost_ms.sum()
            changes[pair] = float(after - state.cost_ms.sum())
        pair, gain = alone(best_move)(task, state, device)
        if pair < 0:
            assert gain == 0
            assert min(changes.values()) >= -1e-8 * state.cost_ms.sum()
        else:
            assert -gain == pytest.approx(min(changes.values()), rel=1e-6, abs=1e-9 * state.cost_ms.sum())
            assert changes[pair] == min(changes.values())


@pytest.mark.parametrize("kernel", [moves_by_prices, swaps_by_prices], ids=["moves", "exchanges"])
def test_a_pass_lowers_the_cost_and_keeps_every_sum(kernel: Callable[..., int]) -> None:
    instance = make_instance(16, 4, 3, missing=0.1)
    task, state = search_at(instance, "optimal", 4)
    before = float(state.cost_ms.sum())
    sizes = state.size.tolist()
    assert alone(kernel)(task, state, 0, 16) > 0
    check_lists(state)
    afresh = make_state(task, task.numbers, state.chosen)
    assert state.cost_ms == pytest.approx(afresh.cost_ms, rel=1e-9)
    assert state.cost_ms.sum() < before
    if kernel is swaps_by_prices:
        assert state.size.tolist() == sizes
