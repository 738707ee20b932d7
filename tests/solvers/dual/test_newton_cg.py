"""Conjugate gradients: the pass and its curvature against the dense kernels, the end against the other ascent."""

from __future__ import annotations

import numpy as np
import pytest
from cases import make_instance
from uara.solvers.dual.ascent import ascend, first_prices
from uara.solvers.dual.kernel import cost_pass, curvature, hard_dual, soft_dual
from uara.solvers.dual.newton_cg import climb, mean_root, within
from uara.solvers.dual.sparse_pass import bent_by, by_kind, by_server, empty_pass, fused_pass

from uara.base.kernels import alone
from uara.p1.coefficients import coefficients


@pytest.mark.integration
@pytest.mark.parametrize("payload", [1.0, 50.0])
def test_the_pass_is_that_of_the_dense_kernels(payload: float) -> None:
    numbers = coefficients(make_instance(30, 5, 1, payload=payload))
    rng = np.random.default_rng(2)
    prices = first_prices(numbers) * rng.uniform(0.8, 1.2, 10)
    prices[5:] = rng.uniform(1.0, 50.0, 5)
    temperature, count = 200.0, len(numbers.server)
    cost, share, bend, weight = (np.zeros(count) for _ in range(4))
    choice, gradient, hessian = np.zeros(30, dtype=np.int64), np.zeros(10), np.zeros((10, 10))
    alone(cost_pass)(numbers, prices, cost, share, bend, np.zeros(count))
    hard = alone(hard_dual)(numbers, prices, cost, choice)
    soft = alone(soft_dual)(numbers, prices, cost, share, choice, temperature, weight, gradient)
    alone(curvature)(numbers, share, bend, temperature, weight, hessian)
    found = empty_pass(numbers)
    assert fused_pass(numbers, by_server(prices), temperature, found) == pytest.approx((hard, soft), rel=1e-6)
    assert (found.choice == choice).all()
    scale = np.abs(gradient).max()
    assert by_kind(found.gradient) == pytest.approx(gradient, abs=1e-5 * scale)
    along, product = rng.standard_normal(10), np.zeros(10)
    bent_by(temperature, found, by_server(along), paired := by_server(product))
    product = by_kind(paired)
    expected = (hessian + np.tril(hessian, -1).T) @ along
    assert product == pytest.approx(expected, abs=1e-4 * np.abs(expected).max())


@pytest.mark.parametrize("payload", [1.0, 50.0])
@pytest.mark.parametrize("seed", [3, 4])
def test_it_climbs_as_high_as_the_other_ascent(payload: float, seed: int) -> None:
    numbers = coefficients(make_instance(200, 12, seed, payload=payload))
    best = ascend(numbers)
    end = climb(numbers, first_prices(numbers))
    assert end.finished
    assert end.value_ms == pytest.approx(best.value_ms, rel=1e-4)
    assert (end.prices >= 0).all()


def test_it_stops_where_the_time_is_up() -> None:
    numbers = coefficients(make_instance(60, 6, 2))
    looks = iter([False] * 4)
    end = climb(numbers, first_prices(numbers), expired=lambda: next(looks, True))
    assert not end.finished
    assert end.passes < 10
    assert end.value_ms >= climb(numbers, first_prices(numbers), expired=lambda: True).value_ms


def test_no_server_leaps() -> None:
    root, used, shared = np.array([0.5, 0.25, 0.0]), np.array([2.0, 0.0, 0.0]), np.array([1.0, 0.0, 0.0])
    step = np.array([100.0, -100.0, 7.0, -100.0, 100.0, 7.0])
    cut = within(step, 10.0, root, used, shared)
    # Four devices with a mean s of 1/2 use the first server, a quarter of its band each.
    assert cut.tolist() == [20.0, -40.0, 7.0, -40.0, 100.0, 7.0]
    assert within(step / 1000, 10.0, root, used, shared).tolist() == (step / 1000).tolist()


def test_the_mean_root_is_that_of_the_candidates() -> None:
    numbers = coefficients(make_instance(40, 5, 1))
    expected = [numbers.root_work[numbers.server == j].mean() for j in range(5)]
    assert mean_root(numbers) == pytest.approx(expected)
