"""Shares of an association that a search holds, against the allocation from outside."""

from __future__ import annotations

import pytest
from cases import instances, random_association
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from uara.solvers.dual.shares import optimal_shares
from uara.solvers.search.settling import make_state
from uara.solvers.search.state import make_task

from uara import Instance, allocate
from uara.p1.coefficients import coefficients
from uara.p1.decision import Allocation
from uara.p1.model import evaluate


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(instances(8, 4), st.integers(0, 10**6))
def test_they_are_those_of_the_allocation(instance: Instance, seed: int) -> None:
    numbers = coefficients(instance)
    association = random_association(instance, seed)
    task = make_task(numbers)
    state = make_state(task, numbers, association)
    band, compute = optimal_shares(task, state)
    closed = allocate(instance, association)
    assert compute == pytest.approx(closed.compute, rel=1e-12)
    ours = evaluate(instance, Allocation(association, band, compute))
    assert ours.feasible
    assert ours.objective_ms == pytest.approx(evaluate(instance, closed).objective_ms, rel=1e-12)
    # Members come in another order, so that the price of the band may end a rounding apart.
    assert band == pytest.approx(closed.bandwidth, rel=1e-6)
    assert (state.chosen == association).all()
