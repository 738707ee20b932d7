"""The relaxation: its bound holds against all associations, its roundings are never worse than its start."""

from __future__ import annotations

import numpy as np
import pytest
from cases import make_instance
from uara.solvers.milp.relaxation import RelaxationOptions, beginning, rounded

from uara import Context, allocate, evaluate, solve
from uara.p1.model import coefficients


@pytest.mark.parametrize("seed", range(3))
def test_the_bound_holds_against_all_associations(seed: int) -> None:
    instance = make_instance(6, 3, seed, payload=10.0)
    truth = solve(instance, "brute-force").evaluation
    result = solve(instance, "relaxation")
    assert result.bound_ms is not None
    assert result.bound_ms <= truth.objective_ms * (1 + 1e-9)
    assert result.bound_ms >= truth.constant_ms + 0.5 * truth.controllable_ms
    assert result.evaluation.objective_ms >= truth.objective_ms * (1 - 1e-9)


def context(instance, roundings: int = 50) -> Context:
    return Context(instance, RelaxationOptions(roundings=roundings), name="relaxation")


def test_its_start_is_polished_and_its_prices_are_of_its_loads() -> None:
    instance = make_instance(20, 4, 1)
    association, prices, cost_ms = beginning(instance, context(instance))
    score = evaluate(instance, allocate(instance, association))
    assert score.controllable_ms == pytest.approx(cost_ms, rel=1e-9)
    numbers = coefficients(instance)
    loads = np.bincount(association, numbers.of_devices(numbers.root_work), numbers.servers)
    np.testing.assert_allclose(prices[: numbers.servers], 2 * loads / numbers.work_per_ms)
    assert (prices >= 0).all()


def test_a_point_that_is_an_association_is_rounded_to_it_if_it_is_better() -> None:
    instance = make_instance(8, 3, 5, missing=0.0)
    numbers = coefficients(instance)
    best = solve(instance, "brute-force").decision.association
    column = np.zeros(3 * len(numbers.server))
    column[numbers.pairs_of(best)] = 1.0
    worst = np.zeros(8, dtype=np.int64)
    np.testing.assert_array_equal(rounded(instance, context(instance), worst, column), best)
    np.testing.assert_array_equal(rounded(instance, context(instance), best, None), best)
    column[:] = 0.0
    column[numbers.pairs_of(worst)] = 1.0
    np.testing.assert_array_equal(rounded(instance, context(instance), best, column), best)
