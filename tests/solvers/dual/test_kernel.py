"""The dual at given prices, by its definition: SciPy looks for each pair's share, plain sums do the rest."""

from __future__ import annotations

import numpy as np
import pytest
from cases import instances, make_instance
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from scipy.optimize import minimize_scalar
from uara.solvers.dual.kernel import at_prices, certificate_of, cost_pass, prices_of

from uara import Instance
from uara.base.kernels import alone
from uara.base.quantities import Floats
from uara.p1.coefficients import Coefficients, coefficients

SOME = settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.too_slow])
seeds = st.integers(0, 2**32 - 1)


def prices_for(numbers: Coefficients, seed: int) -> Floats:
    rng = np.random.default_rng(seed)
    level = 10 ** rng.uniform(-1, 3, 2 * numbers.servers)
    return np.where(rng.random(len(level)) < 0.2, 0.0, level)


def cost_of(numbers: Coefficients, prices: Floats, k: int) -> float:
    """C_ij: waiting, the price of compute, and the best share of the band."""
    j = numbers.server[k]
    bare = float(numbers.wait_ms[k] + prices[j] * numbers.root_work[k])
    if numbers.sync_weight_per_ms == 0:
        return bare
    band = float(numbers.band_cost_ms[k] + prices[numbers.servers + j])

    def psi(log_share: float) -> float:
        share = np.exp(log_share)
        late = numbers.local_ms[k] - numbers.uplink_ms[k] / share
        return float(numbers.sync_weight_per_ms * late**2 + band * share)

    # beyond the share at which both take equally long nothing is gained
    most = min(0.0, float(np.log(numbers.uplink_ms[k] / numbers.local_ms[k])))
    least = minimize_scalar(psi, bounds=(most - 15.0, most), method="bounded", options={"xatol": 1e-10})
    return bare + min(float(least.fun), psi(most))


@SOME
@given(instances(4, 3), seeds)
def test_it_is_the_sum_of_the_cheapest_costs_less_what_the_servers_keep(
    instance: Instance, seed: int
) -> None:
    numbers = coefficients(instance)
    prices = prices_for(numbers, seed)
    value, excess, choice = at_prices(numbers, prices)
    cost = np.array([cost_of(numbers, prices, k) for k in range(len(numbers.server))])
    least = np.minimum.reduceat(cost, numbers.start[:-1])
    p, mu = prices[: numbers.servers], prices[numbers.servers :]
    kept = (p**2 * numbers.work_per_ms / 4 + mu).sum()
    scale = np.abs(least).sum() + kept + 1e-3
    assert value == pytest.approx(least.sum() - kept, abs=1e-6 * scale)
    assert excess == pytest.approx(cost - least[numbers.device], abs=1e-6 * scale)
    assert (numbers.device[choice] == np.arange(numbers.devices)).all()


@SOME
@given(instances(), seeds)
def test_a_certificate_holds_the_prices(instance: Instance, seed: int) -> None:
    numbers = coefficients(instance)
    prices = prices_for(numbers, seed)
    assert prices_of(numbers, certificate_of(numbers, prices)) == pytest.approx(prices, rel=1e-15)


def test_a_warm_start_changes_no_value() -> None:
    numbers = coefficients(make_instance(20, 4, 1, payload=20.0))
    inverse = np.zeros(len(numbers.server))
    for seed in range(5):
        prices = prices_for(numbers, seed)
        warm = at_prices(numbers, prices, inverse)
        cold = at_prices(numbers, prices)
        assert warm[0] == pytest.approx(cold[0], rel=1e-12)
        assert warm[1] == pytest.approx(cold[1], abs=1e-9 * abs(cold[0]))
    assert (inverse > 0).all()


def test_shares_fall_with_the_price_of_the_band_as_is_said() -> None:
    numbers = coefficients(make_instance(15, 3, 2, payload=50.0))
    prices = np.concatenate([np.full(3, 5.0), np.full(3, 20.0)])

    def shares(at: Floats) -> tuple[Floats, Floats]:
        cost, share, bend, inverse = (np.zeros(len(numbers.server)) for _ in range(4))
        alone(cost_pass)(numbers, at, cost, share, bend, inverse)
        return share, bend

    share, bend = shares(prices)
    step = np.concatenate([np.zeros(3), np.full(3, 1e-4)])
    slope = (shares(prices + step)[0] - shares(prices - step)[0]) / 2e-4
    inside = share < 0.999
    assert inside.sum() > 5
    assert bend[inside] == pytest.approx(slope[inside], rel=1e-4)
    assert (bend[share == 1.0] == 0).all()
