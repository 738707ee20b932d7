"""The ascent: gradient and curvature against differences, both methods against each other."""

from __future__ import annotations

import numpy as np
import pytest
from cases import make_instance
from uara.solvers.dual import ascent as price_ascent
from uara.solvers.dual.ascent import ascend, first_prices, newton_step
from uara.solvers.dual.kernel import cost_pass, curvature, hard_dual, soft_dual

from uara.base.kernels import alone
from uara.p1.model import coefficients


def evaluate(numbers, prices, temperature):  # type: ignore[no-untyped-def]
    count, size = len(numbers.server), len(prices)
    cost, share, bend, weight = (np.zeros(count) for _ in range(4))
    choice, gradient = np.zeros(numbers.devices, dtype=np.int64), np.zeros(size)
    alone(cost_pass)(numbers, prices, cost, share, bend, np.zeros(count))
    hard = alone(hard_dual)(numbers, prices, cost, choice)
    soft = alone(soft_dual)(numbers, prices, cost, share, choice, temperature, weight, gradient)
    hessian = np.zeros((size, size))
    alone(curvature)(numbers, share, bend, temperature, weight, hessian)
    assert (np.triu(hessian, 1) == 0.0).all()
    return hard, soft, gradient, hessian + np.tril(hessian, -1).T


@pytest.mark.parametrize("payload", [1.0, 50.0])
def test_gradient_and_curvature_are_those_of_the_soft_dual(payload: float) -> None:
    numbers = coefficients(make_instance(15, 4, 1, payload=payload))
    rng = np.random.default_rng(0)
    prices = first_prices(numbers) * rng.uniform(0.8, 1.2, 8)
    prices[4:] = rng.uniform(1.0, 50.0, 4)
    temperature = 20.0
    hard, soft, gradient, hessian = evaluate(numbers, prices, temperature)
    assert soft <= hard
    assert np.linalg.eigvalsh(hessian).min() >= -1e-9 * abs(hessian).max()
    for n in range(8):
        step = np.zeros(8)
        step[n] = 1e-5 * prices[n]
        _, above, slope_above, _ = evaluate(numbers, prices + step, temperature)
        _, below, slope_below, _ = evaluate(numbers, prices - step, temperature)
        assert (above - below) / (2 * step[n]) == pytest.approx(gradient[n], rel=1e-4, abs=1e-5)
        change = (slope_below - slope_above) / (2 * step[n])
        assert change == pytest.approx(hessian[n], rel=1e-3, abs=1e-4 * abs(hessian).max())


@pytest.mark.integration
@pytest.mark.parametrize("payload", [1.0, 10.0, 50.0])
def test_newton_and_quasi_newton_reach_the_same_bound(
    payload: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    numbers = coefficients(make_instance(40, 5, 2, payload=payload))
    newton = ascend(numbers)
    monkeypatch.setattr(price_ascent, "NEWTON_SERVERS", 0)
    quasi = ascend(numbers)
    assert newton.value_ms == pytest.approx(quasi.value_ms, rel=2e-4)
    assert newton.value_ms >= quasi.value_ms * (1 - 1e-5)
    assert newton.passes < quasi.passes


def test_it_stops_where_told() -> None:
    numbers = coefficients(make_instance(40, 5, 2))
    full = ascend(numbers)
    enough = 0.98 * full.value_ms
    early = ascend(numbers, enough_ms=enough)
    assert enough <= early.value_ms
    assert early.passes < full.passes
    assert ascend(numbers, expired=lambda: True).passes < full.passes


def test_soft_weights_sum_to_one_per_device() -> None:
    numbers = coefficients(make_instance(20, 4, 3))
    weight = ascend(numbers).weight
    assert np.add.reduceat(weight, numbers.start[:-1]) == pytest.approx(np.ones(20))


def test_fewer_pairs_have_a_higher_bound() -> None:
    numbers = coefficients(make_instance(20, 4, 3, missing=0.0))
    keep = np.ones(len(numbers.server), dtype=bool)
    keep[numbers.start[:-1]] = False
    assert ascend(numbers.restricted(keep)).value_ms >= ascend(numbers).value_ms - 1e-6


def test_the_newton_step_solves_the_free_system_and_holds_prices_at_zero() -> None:
    rng = np.random.default_rng(1)
    root = rng.normal(size=(5, 5))
    hessian = root @ root.T + np.eye(5)
    point = np.array([1.0, 0.0, 2.0, 0.0, 1.0])
    gradient = np.array([1.0, -1.0, 0.5, 1.0, -2.0])
    step = np.empty(5)
    alone(newton_step)(point, gradient, hessian, np.empty((5, 5)), np.empty(5, dtype=np.int64), step)
    free = np.array([0, 2, 3, 4])
    assert step[1] == 0.0
    assert step[free] == pytest.approx(np.linalg.solve(hessian[np.ix_(free, free)], gradient[free]), rel=1e-6)
