"""Chains of two moves against all of them tried one by one."""

from __future__ import annotations

import numpy as np
import pytest
from cases import make_instance, random_association
from uara.solvers.search.by_prices import chain_pass
from uara.solvers.search.local_search import improve
from uara.solvers.search.settling import make_state
from uara.solvers.search.state import make_task

from uara.p1.model import coefficients


@pytest.mark.parametrize("seed", range(4))
def test_a_chain_is_found_where_there_is_one_and_costs_fall_by_what_is_said(seed: int) -> None:
    numbers = coefficients(make_instance(9, 4, seed))
    task = make_task(numbers)
    state = make_state(task, numbers, random_association(make_instance(9, 4, seed), seed))
    improve(task, state)
    for _ in range(20):
        before, association = float(state.cost_ms.sum()), state.chosen.copy()
        changes = chain_pass(task, state, 0, 9)
        after = float(state.cost_ms.sum())
        assert after == pytest.approx(make_state(task, numbers, state.chosen).cost_ms.sum(), rel=1e-12)
        assert (after < before) == (changes > 0)
        if changes == 0:
            assert least_chain(task, numbers, association) >= before * (1 - 1e-9)
            return
    raise AssertionError("chains never end")


def least_chain(task, numbers, association) -> float:
    """The least cost after any chain that ends at a third server."""
    least, servers = np.inf, numbers.servers
    for one in range(len(association)):
        for other in range(len(association)):
            here, there = association[one], association[other]
            for beyond in set(range(servers)) - {here, there}:
                if here == there:
                    continue
                moved = association.copy()
                moved[one], moved[other] = there, beyond
                if (numbers.pairs_of(moved) >= 0).all():
                    least = min(least, float(make_state(task, numbers, moved).cost_ms.sum()))
    return least


def test_a_full_server_takes_no_third_device() -> None:
    instance = make_instance(9, 3, 1, missing=0.0)
    numbers = coefficients(instance)
    association = np.repeat(np.arange(3), 3)
    task = make_task(numbers, capacity=np.full(3, 3))
    state = make_state(task, numbers, association)
    assert chain_pass(task, state, 0, 9) == 0
    assert state.size.tolist() == [3, 3, 3]
