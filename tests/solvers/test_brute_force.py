"""Brute force against all products of choices, its walk step by step, and what it refuses."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from cases import instances, make_instance
from clocks import set_clock
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from uara.solvers import brute_force as module
from uara.solvers.brute_force import set_cost, walk

from uara import InputError, Instance, Parameters, allocate, evaluate, solve
from uara.p1.model import coefficients


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(instances(max_devices=4))
def test_brute_force_is_the_least_of_all_products(instance: Instance) -> None:
    start, server = instance.channel.pair_start, instance.channel.pair_server
    choices = [server[a:b] for a, b in itertools.pairwise(start)]
    values = [
        evaluate(instance, allocate(instance, np.array(pick))).objective_ms
        for pick in itertools.product(*choices)
    ]
    result = solve(instance, "brute-force")
    assert result.details["associations"] == len(values)
    assert result.evaluation.objective_ms == pytest.approx(min(values), rel=1e-12)
    if instance.parameters.sync_weight_per_ms > 0:
        score = result.evaluation
        short_ms = score.objective_ms - result.bound_ms
        assert 0 < short_ms <= 1e-9 * score.controllable_ms + 1e-14 * score.objective_ms


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(instances(max_devices=4), st.sampled_from([0.0, 20.0, 1e5]))
def test_without_synchronisation_brute_force_bounds_the_infimum(instance: Instance, weight: float) -> None:
    instance = instance.replace(parameters=Parameters(sync_weight_per_ms=0.0, energy_weight_ms_per_j=weight))
    numbers = coefficients(instance)
    choices = [range(a, b) for a, b in itertools.pairwise(numbers.start)]
    infimum_ms = np.inf
    for pick in itertools.product(
        *choices
    ):  # of the band as little as one likes, compute by the root of the load
        roots = np.bincount(numbers.server[list(pick)], numbers.root_work[list(pick)], numbers.servers)
        compute_ms = np.sum(roots**2 / numbers.work_per_ms)
        infimum_ms = min(infimum_ms, numbers.constant_ms + numbers.wait_ms[list(pick)].sum() + compute_ms)
    result = solve(instance, "brute-force")
    traces_ms = 2e-9 * float(numbers.band_cost_ms.max()) * len(instance.devices)
    assert infimum_ms - traces_ms - 1e-9 * infimum_ms <= result.bound_ms <= infimum_ms


def test_brute_force_states_no_bound_where_its_least_share_may_bind() -> None:
    assert solve(make_instance(3, 2, payload=1e-9), "brute-force").bound_ms is None
    assert solve(make_instance(3, 2, payload=1e-3), "brute-force").bound_ms is not None


def test_brute_force_refuses_more_than_ten_million() -> None:
    with pytest.raises(InputError, match="associations"):
        solve(make_instance(30, 3), "brute-force")
    with pytest.raises(InputError, match=r"some 10\^\d+ associations, more than the 1e\+07"):
        solve(make_instance(600, 20), "brute-force")


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(instances(max_devices=4))
def test_the_walk_meets_every_association_once_and_knows_its_cost(instance: Instance) -> None:
    """Step by step: one device moves by one choice, and the costs are those of the servers' sets."""
    numbers = coefficients(instance)
    state = module._Walk(numbers)
    seen = {tuple(state.digit.tolist())}
    least = float(state.cost.sum())
    while not state.visit(1):
        now = tuple(state.digit.tolist())
        assert now not in seen
        seen.add(now)
        chosen = numbers.server[numbers.start[:-1] + state.digit]
        truth = evaluate(instance, allocate(instance, chosen)).controllable_ms
        assert state.cost.sum() == pytest.approx(truth, rel=1e-9)
        least = min(least, float(state.cost.sum()))
        assert state.least[0] == least
        assert state.best_servers().shape == (numbers.devices,)
    assert len(seen) == np.prod(np.diff(numbers.start))


@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(instances(), st.integers(0, 2**32 - 1))
def test_the_cost_of_every_set_adds_up_to_the_models(instance: Instance, seed: int) -> None:
    numbers, rng = coefficients(instance), np.random.default_rng(seed)
    digit = rng.integers(0, np.diff(numbers.start))
    chosen = numbers.server[numbers.start[:-1] + digit]
    costs = [set_cost(numbers, digit, j) for j in range(numbers.servers)]
    truth = evaluate(instance, allocate(instance, chosen)).controllable_ms
    assert sum(costs) == pytest.approx(truth, rel=1e-9)
    assert all(cost == 0 for j, cost in enumerate(costs) if j not in chosen)


def test_a_step_moves_one_device_by_one() -> None:
    numbers = coefficients(make_instance(4, 3, 1, missing=0.0))
    state = module._Walk(numbers)
    before = state.digit.copy()
    for _ in range(80):
        assert not walk(numbers, state.digit, state.direction, state.cost, state.best, state.least, 1)
        assert np.abs(state.digit - before).sum() == 1
        before = state.digit.copy()
    assert walk(numbers, state.digit, state.direction, state.cost, state.best, state.least, 1)


def test_where_time_is_up_the_best_so_far_is_the_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    instance = make_instance(9, 3, 2, missing=0.0)
    full = solve(instance, "brute-force")
    monkeypatch.setattr(module, "_CHUNK", 100)
    set_clock(monkeypatch, step_s=1.0)
    short = solve(instance, "brute-force", time_limit_s=5.0)
    assert short.ended == "time_limit"
    assert short.bound_ms is None
    assert short.details == {}
    first = evaluate(
        instance, allocate(instance, coefficients(instance).server[coefficients(instance).start[:-1]])
    )
    assert full.evaluation.objective_ms <= short.evaluation.objective_ms <= first.objective_ms
