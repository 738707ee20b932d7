"""A state that is made at an association holds it, and settling takes nothing from what stood there before."""

from __future__ import annotations

import pytest
from cases import instances, make_instance, random_association
from hypothesis import given
from hypothesis import strategies as st
from searches import RULES, check_lists, evaluated, search_at
from uara.solvers.search.settling import settle

from uara import Instance
from uara.p1.model import coefficients


@given(instances(max_devices=8), st.sampled_from(RULES), st.integers(0, 1000))
def test_a_new_state_costs_what_the_evaluator_says(instance: Instance, rule: str, seed: int) -> None:
    _, state = search_at(instance, rule, seed)
    association = random_association(instance, seed)
    assert state.chosen.tolist() == association.tolist()
    check_lists(state)
    numbers = coefficients(instance)
    assert state.pair.tolist() == numbers.pairs_of(association).tolist()
    scale = float(abs(numbers.constant_ms)) + float(state.cost_ms.sum())
    assert state.cost_ms.sum() == pytest.approx(
        evaluated(instance, association, rule), rel=1e-9, abs=1e-9 * scale
    )


@pytest.mark.parametrize("rule", RULES)
def test_settling_overwrites_sums_lists_and_costs(rule: str) -> None:
    task, state = search_at(make_instance(14, 4, 5, missing=0.1), rule, 2)
    before = {
        name: getattr(state, name).copy() for name in ("cost_ms", "root_sum", "sums", "size", "band_price_ms")
    }
    for name in before:
        getattr(state, name)[:] = 7
    settle(task, state)
    check_lists(state)
    assert state.cost_ms == pytest.approx(before["cost_ms"], rel=1e-12)
    assert state.size.tolist() == before["size"].tolist()
    if rule == "optimal":
        assert state.root_sum == pytest.approx(before["root_sum"], rel=1e-12)
    else:
        assert state.sums == pytest.approx(before["sums"], rel=1e-12)
