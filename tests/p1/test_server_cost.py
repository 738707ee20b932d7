from __future__ import annotations

import time

import numpy as np
import pytest
from cases import instances, make_instance, random_association
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from truth import allocator

from uara import Instance, Parameters, allocate, evaluate
from uara.base.kernels import alone
from uara.base.quantities import Floats
from uara.p1 import certificate
from uara.p1.model import coefficients
from uara.p1.server_cost import (
    SMALLEST_SHARE,
    bandwidth_shares,
    inverse_share,
    least_band_cost,
    server_cost,
    shares_of_bands,
)

Served = tuple[Floats, Floats, Floats, float]


def served_by(instance: Instance, server: int = 0) -> Served:
    """D, c, a of the devices that can use a server, and lambda."""
    numbers = coefficients(instance)
    pairs = np.flatnonzero(numbers.server == server)
    return (
        numbers.local_ms[pairs],
        numbers.uplink_ms[pairs],
        numbers.band_cost_ms[pairs],
        numbers.sync_weight_per_ms,
    )


@st.composite
def loads(draw: st.DrawFn, most: int = 12) -> Served:
    """Columns over many decades, with and without cost of energy."""
    count = draw(st.integers(1, most))
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    span = draw(st.sampled_from([0.5, 2.0, 6.0, 12.0]))
    free = draw(st.booleans())

    def column() -> Floats:
        return np.asarray(10 ** rng.uniform(-span, span, count))

    return column(), column(), column() * (not free), float(10 ** rng.uniform(-4, 1))


@given(st.floats(1e-12, 1e12), st.floats(0, 1e30), st.floats(0, 1e300))
def test_the_inverse_share_is_the_root_from_any_start(balance: float, slope: float, start: float) -> None:
    u = inverse_share(balance, slope, start)
    assert u >= balance
    # The residual of u^2 (u - b) = s at u (1 +- 1e-9) has opposite signs: u is the root to nine digits.
    low, high = u * (1 - 1e-9), u * (1 + 1e-9)
    assert low * low * (low - balance) <= slope * (1 + 1e-12)
    assert high * high * (high - balance) >= slope * (1 - 1e-12)


@pytest.mark.parametrize(("balance", "slope"), [(1e200, 1.0), (1e-49, 1e200), (1.0, np.inf), (1e90, 1e300)])
def test_the_inverse_share_stays_a_number_where_cubes_overflow(balance: float, slope: float) -> None:
    u = inverse_share(balance, slope, 0.0)
    assert u >= balance
    assert not np.isnan(u)
    assert u >= 1e9  # below the smallest share that is given to anybody


@given(loads())
def test_shares_are_feasible_and_cost_what_is_said(case: Served) -> None:
    local, uplink, energy, weight = case
    shares = np.empty(len(local))
    cost, price = bandwidth_shares(local, uplink, energy, weight, shares)
    assert (shares > 0).all()
    assert (shares <= 1).all()
    assert shares.sum() <= 1 + 1e-12
    assert price >= 0
    assert cost == pytest.approx(allocator.band_cost(local, uplink, energy, weight, shares), rel=1e-12)


@given(loads())
def test_shares_satisfy_the_optimality_conditions(case: Served) -> None:
    local, uplink, energy, weight = case
    shares = np.empty(len(local))
    _, price = bandwidth_shares(local, uplink, energy, weight, shares)
    u = 1 / shares
    pull = 2 * weight * uplink**2 * u**2 * (u - local / uplink)  # - d/dy of the synchronisation term
    push = energy + price
    clipped = (u > 0.999 / SMALLEST_SHARE) | (pull > 1e200)
    inside = (shares < 1 - 1e-12) & ~clipped
    # u - D/c may cancel: the residual is judged against what is subtracted.
    scale = np.maximum(push, 2 * weight * uplink**2 * u**2 * (local / uplink))
    assume(not inside.any() or np.ptp(np.log10(scale[inside])) < 20)  # one price cannot be exact for both
    assert (np.abs(pull - push)[inside] <= 1e-6 * scale[inside]).all()
    assert (pull >= push * (1 - 1e-9))[shares >= 1 - 1e-12].all()  # more band than all would still pay
    if price > 0 and not clipped.any():
        assert shares.sum() == pytest.approx(1, abs=1e-9)  # complementary slackness


@settings(max_examples=12, deadline=None)
@given(instances(), st.integers(0, 100))
def test_no_general_solver_does_better(instance: Instance, seed: int) -> None:
    local, uplink, energy, weight = served_by(instance)
    assume(weight > 0)
    assume(len(local) > 0)
    cost, _ = bandwidth_shares(local, uplink, energy, weight, np.empty(len(local)))
    assert cost <= allocator.band_by_slsqp(local, uplink, energy, weight, 4, seed) * (1 + 1e-9) + 1e-12


@pytest.mark.integration
@pytest.mark.parametrize("payload", [0.01, 1.0, 30.0, 1000.0])
@pytest.mark.parametrize("energy_weight", [0.0, 50.0, 1e4])
def test_cvxpy_finds_the_same_minimum(payload: float, energy_weight: float) -> None:
    for seed in range(3):
        instance = make_instance(7, 1, seed, payload=payload, missing=0, energy_weight_ms_per_j=energy_weight)
        local, uplink, energy, weight = served_by(instance)
        cost, _ = bandwidth_shares(local, uplink, energy, weight, np.empty(len(local)))
        other, _ = allocator.band_by_cvxpy(local, uplink, energy, weight)
        unit = weight * float(np.sum(local**2))  # what CVXPY's tolerance refers to
        assert cost <= other + 1e-9 * unit
        assert other == pytest.approx(cost, rel=1e-5, abs=1e-6 * unit)


def test_scarce_band_from_a_price_of_nothing() -> None:
    # Newton from the free share, which is far below the root, once left a share that is no number.
    uplink = np.array([5.77e14, 4.28e19, 2.36e35, 9.37e30])
    local = np.array([1.23e-13, 8.92e-30, 1.2e18, 1.75e33])
    shares = np.empty(4)
    cost, _ = bandwidth_shares(local, uplink, np.zeros(4), 1.3e6, shares)
    assert np.isfinite(cost)
    assert (shares > 0).all()
    assert shares.sum() <= 1 + 1e-12


def test_plenty_of_band_meets_every_deadline_exactly() -> None:
    local, uplink = np.array([100.0, 200.0]), np.array([10.0, 10.0])
    shares = np.empty(2)
    cost, price = bandwidth_shares(local, uplink, np.zeros(2), 0.01, shares)
    assert shares == pytest.approx([0.1, 0.05], rel=1e-12)
    assert cost == pytest.approx(0, abs=1e-12)
    assert price == 0


def test_equal_devices_share_equally() -> None:
    shares = np.empty(5)
    bandwidth_shares(np.full(5, 10.0), np.full(5, 100.0), np.full(5, 3.0), 0.01, shares)
    assert shares == pytest.approx(np.full(5, 0.2), rel=1e-12)


def test_without_synchronisation_costly_band_is_not_used_and_free_band_is() -> None:
    shares = np.empty(3)
    cost, price = bandwidth_shares(np.ones(3), np.array([1.0, 4.0, 1.0]), np.array([0, 0, 7.0]), 0.0, shares)
    assert shares[2] == SMALLEST_SHARE
    assert shares[1] == pytest.approx(2 * shares[0])
    assert shares.sum() <= 1
    assert cost == pytest.approx(7 * SMALLEST_SHARE)
    assert price == 0


@given(instances(), st.integers(0, 100))
def test_server_costs_add_up_to_the_evaluated_objective(instance: Instance, seed: int) -> None:
    association = random_association(instance, seed)
    numbers = coefficients(instance)
    pair = numbers.pairs_of(association)
    total = 0.0
    for server in range(len(instance.servers)):
        members = np.flatnonzero(association == server)
        total += alone(server_cost)(numbers, pair[members], np.empty((4, len(members))))[0]
    score = evaluate(instance, allocate(instance, association, "optimal"))
    assert total == pytest.approx(score.controllable_ms, rel=1e-9)


def test_an_idle_server_costs_nothing() -> None:
    none = np.empty(0, dtype=np.int64)
    assert alone(server_cost)(coefficients(make_instance()), none, np.empty((4, 0))) == (0.0, 0.0)


@given(loads(), st.integers(0, 2**32 - 1))
def test_the_order_of_the_devices_does_not_matter(case: Served, seed: int) -> None:
    local, uplink, energy, weight = case
    order = np.random.default_rng(seed).permutation(len(local))
    one, two = np.empty(len(local)), np.empty(len(local))
    cost, _ = bandwidth_shares(local, uplink, energy, weight, one)
    again, _ = bandwidth_shares(local[order], uplink[order], energy[order], weight, two)
    squares = weight * float(np.sum(local**2 + (uplink / one) ** 2))
    assert again == pytest.approx(cost, rel=1e-9, abs=1e-12 * squares)


@settings(max_examples=30)
@given(instances(), st.floats(0, 1e4))
def test_the_least_band_cost_is_what_the_checker_finds(instance: Instance, price: float) -> None:
    numbers, own = coefficients(instance), alone(least_band_cost)
    dear = numbers.band_cost_ms + price
    checked = certificate.least_band_cost(
        numbers.local_ms, numbers.uplink_ms, dear, numbers.sync_weight_per_ms
    )
    found = [own(numbers, k, price) for k in range(len(dear))]
    assert found == pytest.approx(checked.tolist(), rel=1e-9, abs=1e-9)


def test_one_more_device_never_lowers_the_cost() -> None:
    numbers = coefficients(make_instance(30, 1, missing=0, payload=20))
    costs = [alone(server_cost)(numbers, np.arange(n), np.empty((4, n)))[0] for n in range(31)]
    assert np.all(np.diff(costs) > 0)


@pytest.mark.integration
def test_twelve_devices_cost_microseconds() -> None:
    numbers = coefficients(make_instance(12, 1, missing=0, seed=1))
    local, uplink, energy = numbers.local_ms, numbers.uplink_ms, numbers.band_cost_ms
    weight, shares = numbers.sync_weight_per_ms, np.empty(12)

    def batch(calls: int = 200) -> float:
        begin = time.process_time()
        for _ in range(calls):
            bandwidth_shares(local, uplink, energy, weight, shares)
        return (time.process_time() - begin) / calls

    batch()
    # 5 microseconds are aimed at on a quiet machine, call from Python included; a busy one gets five times that.
    assert np.median([batch() for _ in range(25)]) < 25e-6


def test_kernels_are_cached_on_disk() -> None:
    allocate(make_instance(), random_association(make_instance()), "optimal")
    stats = shares_of_bands.stats  # type: ignore[attr-defined]
    assert sum(stats.cache_hits.values()) + sum(stats.cache_misses.values()) >= 1


def test_parameters_reach_the_kernel() -> None:
    cheap = served_by(make_instance(5, 1, missing=0))
    dear = served_by(make_instance(5, 1, missing=0, sync_weight_per_ms=1.0))
    assert dear[3] == 100 * cheap[3] == Parameters().sync_weight_per_ms * 100
