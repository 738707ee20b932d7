"""Another order: the same problem, and everything found in it comes back in the problem's own order."""

from __future__ import annotations

import numpy as np
import pytest
from cases import make_instance, random_association
from uara.solvers.common import locality
from uara.solvers.common.locality import along_curve, morton
from uara.solvers.dual.ascent import first_prices
from uara.solvers.dual.kernel import at_prices
from uara.solvers.search.settling import make_state
from uara.solvers.search.state import make_task

from uara.p1.coefficients import coefficients


def test_a_small_problem_keeps_its_order() -> None:
    instance = make_instance(20, 4, 1)
    assert along_curve(instance).numbers is coefficients(instance)


def test_costs_and_bounds_are_the_same_in_both_orders(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(locality, "LARGE_PAIRS", 1)
    instance = make_instance(40, 6, 2)
    numbers, other = coefficients(instance), along_curve(instance)
    assert sorted(other.device) == list(range(40))
    assert not (other.device == np.arange(40)).all()
    association = random_association(instance, 3)
    inner = other.inside(association)
    assert (other.outside(inner) == association).all()
    costs = [
        make_state(make_task(each), each, chosen).cost_ms
        for each, chosen in ((numbers, association), (other.numbers, inner))
    ]
    assert costs[1] == pytest.approx(costs[0][other.server], rel=1e-12)
    prices = first_prices(numbers) * np.random.default_rng(1).uniform(0.5, 2, 12)
    inside = other.prices_inside(prices)
    assert (other.prices_outside(inside) == prices).all()
    assert at_prices(other.numbers, inside)[0] == pytest.approx(at_prices(numbers, prices)[0], rel=1e-12)
    pairs = other.pairs_of(numbers)
    assert (other.numbers.uplink_ms[pairs] == numbers.uplink_ms).all()
    assert (other.server[other.numbers.server[pairs]] == numbers.server).all()


def test_the_curve_visits_quarter_by_quarter() -> None:
    corners = np.array([[0.0, 0.0], [1.0, 0.0], [0.0, 1.0], [1.0, 1.0], [0.1, 0.1]])
    assert np.argsort(morton(corners)).tolist() == [0, 4, 1, 2, 3]
