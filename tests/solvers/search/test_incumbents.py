"""The best association so far: polished, kept if better, told once, and kicked."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from cases import instances, make_instance, random_association
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from searches import evaluated
from uara.solvers.search.incumbents import Incumbents

from uara import Instance, Options
from uara.p1.coefficients import coefficients
from uara.solver import Context


def begun(instance: Instance, seed: int = 0) -> tuple[Incumbents, Context[Any]]:
    context = Context(instance, Options(), seed=seed)
    return Incumbents(instance, context), context


@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(instances(8, 4), st.integers(0, 10**6))
def test_costs_are_the_evaluators_and_never_rise(instance: Instance, seed: int) -> None:
    found, context = begun(instance)
    costs = []
    for number in range(4):
        given_ = random_association(instance, seed + number)
        before = found.cost_ms
        better = found.offer(given_, polish=number % 2 == 1)
        assert better == (found.cost_ms < before)
        assert found.association is not None
        assert found.cost_ms == pytest.approx(evaluated(instance, found.association, "optimal"), rel=1e-9)
        assert found.cost_ms <= evaluated(instance, given_, "optimal") * (1 + 1e-9)
        costs.append(found.cost_ms)
    assert costs == sorted(costs, reverse=True)
    assert context.best is not None
    assert (context.best.association == found.association).all()  # type: ignore[attr-defined]


def test_the_same_association_is_polished_once() -> None:
    instance = make_instance(15, 4, 2, missing=0.0)
    found, context = begun(instance)
    poor = np.zeros(15, dtype=np.int64)
    assert found.offer(poor, polish=False)
    unpolished = found.cost_ms
    assert found.offer(poor)  # had not been polished yet
    assert found.cost_ms < unpolished
    said = len(context.trajectory)
    assert not found.offer(poor)
    assert len(context.trajectory) == said


def test_what_is_offered_stays_the_callers() -> None:
    found, _ = begun(make_instance(6, 2, 1, missing=0.0))
    mine = np.zeros(6, dtype=np.int64)
    found.offer(mine, polish=False)
    mine[:] = 1
    assert found.association is not None
    assert not found.association.any()


def test_only_what_is_better_is_taken() -> None:
    found, context = begun(make_instance(6, 2, 1, missing=0.0))
    one, two = np.zeros(6, dtype=np.int64), np.ones(6, dtype=np.int64)
    assert found.take(one, 10.0)
    assert not found.take(two, 10.0)
    assert not found.take(two, 10.0 * (1 - 1e-14))  # a rounding is no gain
    assert not found.take(two, np.nan)
    assert found.take(two, 9.0)
    assert found.association is not None
    assert found.association.all()
    assert len(context.trajectory) >= 1


@pytest.mark.parametrize("seed", range(5))
def test_a_kick_draws_likely_pairs_alone_and_loses_nothing(
    seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    instance = make_instance(12, 4, seed, missing=0.0)
    numbers = coefficients(instance)
    found, _ = begun(instance, seed)
    found.offer(np.zeros(12, dtype=np.int64), polish=False)
    before, cost = np.array(found.association), found.cost_ms
    weight = np.where((numbers.server == 2) & (numbers.device < 5), 1.0, -1.0)
    offered: list[np.ndarray] = []  # type: ignore[type-arg]
    offer = found.offer
    monkeypatch.setattr(found, "offer", lambda one: offered.append(one.copy()) or offer(one))
    found.kick(weight, 3)
    (kicked,) = offered
    moved = np.flatnonzero(kicked != before)
    assert len(moved) == 3
    assert (moved < 5).all()
    assert (kicked[moved] == 2).all()
    assert found.cost_ms <= cost


def test_without_a_likely_pair_nothing_is_kicked() -> None:
    instance = make_instance(6, 2, 1, missing=0.0)
    numbers = coefficients(instance)
    found, _ = begun(instance)
    found.offer(np.zeros(6, dtype=np.int64), polish=False)
    assert not found.kick(np.zeros(len(numbers.server)), 3)
    assert not found.kick((numbers.server == 0).astype(float), 3)  # that is where they are


def test_an_association_that_polishing_leaves_as_it_is_became_the_best_all_the_same() -> None:
    instance = make_instance(12, 3, 2, missing=0.0)
    found, _ = begun(instance)
    assert found.offer(np.zeros(12, dtype=np.int64))
    assert found.association is not None
    fresh, _ = begun(instance)
    assert fresh.offer(found.association)
    assert fresh.cost_ms == found.cost_ms
    assert not fresh.offer(np.zeros(12, dtype=np.int64))
