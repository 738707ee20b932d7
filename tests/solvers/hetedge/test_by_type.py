"""Prices for very many requests, and the stepwise look for the cheapest groups."""

from __future__ import annotations

import numpy as np
import pytest
from hetedge_cases import make_hetedge
from uara.solvers.hetedge.by_type import prices_by_type, sampled
from uara.solvers.hetedge.prices import Prices, start_prices

import uara
from uara.solver import Context


def test_a_sample_is_spread_over_the_prices() -> None:
    instance = make_hetedge(40, 1)
    price = start_prices(instance, 2)
    sample, like = sampled(instance, 10, price)
    assert len(sample.requests) == 10
    assert sorted(set(like.tolist())) == list(range(10))
    assert (np.diff(like[np.argsort(price, kind="stable")]) >= 0).all()


@pytest.mark.parametrize("seed", [1, 2])
def test_what_is_proved_stepwise_is_what_the_checker_proves(seed: int) -> None:
    instance = make_hetedge(20, seed, largest_batch=3, longest_speculation=2)
    options = {"search_s": 0.0, "disjoint_requests": 0, "bound_s": 20.0}
    result = uara.solve(instance, "hetedge-bound", options=options)
    assert result.certified_bound_ms is not None
    assert 0 < result.certified_bound_ms <= result.evaluation.objective_ms
    assert result.bound_ms == pytest.approx(result.certified_bound_ms, rel=1e-6)


def test_stepwise_proves_more_than_at_once_at_the_same_prices() -> None:
    instance = make_hetedge(20, 3, largest_batch=3, longest_speculation=2)
    plan = uara.solve(instance, "hetedge-dp").decision
    price = start_prices(instance, 3)
    found = []
    for stepwise in (True, False):
        prices = Prices(instance, Context(instance, uara.Options()), disjoint=False)
        prices.know(plan, 20, 20)
        potential = prices.groups.potentials_ms(prices.groups.reduced_ms(price))
        found.append(prices.try_stepwise(price) if stepwise else prices.prove(price, potential))
        assert prices.certificate is not None
        assert prices.certificate.prove(instance) == pytest.approx(prices.bound_ms, rel=1e-6)
    assert found[0] >= found[1]


def test_factors_of_a_sample_scale_the_closed_form() -> None:
    instance = make_hetedge(24, 4, largest_batch=3, longest_speculation=2)
    closed, learnt = prices_by_type(instance, 8, 3, 1e-3, Context(instance, uara.Options()))
    assert closed == pytest.approx(start_prices(instance, 3))
    assert (learnt >= 0).all()
    assert np.isfinite(learnt).all()
