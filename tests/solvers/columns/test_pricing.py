"""The dual in device prices against brute force: bounds, band prices, rises, and what is dropped."""

from __future__ import annotations

from itertools import combinations, pairwise, product

import numpy as np
import pytest
from cases import instances, make_instance
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from uara.solvers.columns.bands import grid_cost, refined
from uara.solvers.columns.climb import Rising, begin, dual, rises_at
from uara.solvers.columns.fixing import excluded, settle
from uara.solvers.columns.labels import workspace
from uara.solvers.columns.layout import Layout, grids_of, layout_of, set_cost, with_grids
from uara.solvers.columns.pricing import (
    CLOSED,
    FORCED,
    OPEN,
    Prices,
    Rises,
    count_term,
    deviations,
    minima,
)
from uara.solvers.columns.room import room_of

from uara import Instance, allocate, evaluate
from uara.base.quantities import Floats
from uara.p1.model import coefficients

WORK = workspace(1 << 12, 8)


def layout_with(instance: Instance, rng: np.random.Generator) -> Layout:
    """Each server has up to three band prices of any size."""
    layout = layout_of(coefficients(instance), np.zeros(len(instance.servers)))
    grids = [10 ** rng.uniform(-3, 4, rng.integers(1, 4)) for _ in instance.servers.id]
    return with_grids(layout, grids)


def associations(instance: Instance) -> list[tuple[np.ndarray, float]]:  # type: ignore[type-arg]
    """Every association and what it costs, controllable part."""
    start, server = instance.channel.pair_start, instance.channel.pair_server
    own = [server[a:b] for a, b in pairwise(start)]
    found = [np.array(one) for one in product(*own)]
    return [(one, evaluate(instance, allocate(instance, one)).controllable_ms) for one in found]


def solved(layout: Layout, pi: Floats, nu: Floats, states: np.ndarray) -> tuple[float, Floats, np.ndarray]:  # type: ignore[type-arg]
    found = minima(layout)
    value = dual(layout, Prices(pi, nu), states, 1e-12, found, WORK)
    return value, found.lower, found.member


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(instances(5, 3), st.integers(0, 2**32 - 1))
def test_any_prices_bound_every_association_of_a_region(instance: Instance, seed: int) -> None:
    rng = np.random.default_rng(seed)
    layout = layout_with(instance, rng)
    devices, servers = len(instance.devices), len(instance.servers)
    known = associations(instance)
    size = min(cost for _, cost in known) / devices
    pi = size * rng.uniform(0, 2, devices)
    nu = size * rng.choice([0.0, 0.3]) * rng.normal(0, 1, servers)
    states = rng.choice([CLOSED, OPEN, OPEN], len(layout.device)).astype(np.uint8)
    low = rng.integers(0, 2, servers).astype(float)
    high = low + rng.integers(0, devices + 1, servers)
    if not settle(layout, states):
        return
    allowed = np.zeros((devices, servers), dtype=bool)
    allowed[layout.device[states != CLOSED], layout.server[states != CLOSED]] = True
    value = solved(layout, pi, nu, states)[0] + count_term(nu, low, high)
    for association, cost in known:
        count = np.bincount(association, minlength=servers)
        if allowed[np.arange(devices), association].all() and (low <= count).all() and (count <= high).all():
            assert value <= cost + 1e-9 * (cost + abs(value) + pi.sum())


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(instances(6, 2), st.integers(0, 2**32 - 1))
def test_a_grid_never_overstates_a_set_and_is_exact_at_its_price(instance: Instance, seed: int) -> None:
    layout = layout_with(instance, np.random.default_rng(seed))
    if layout.sync_weight == 0:
        return  # V_j(S) is an infimum there
    for j in range(len(instance.servers)):
        own = np.arange(layout.start[j], layout.start[j + 1])
        for size in range(1, len(own) + 1):
            for chosen in combinations(own, size):
                pairs = np.array(chosen)
                cost, price = set_cost(layout, j, pairs)
                assert grid_cost(layout, j, pairs) <= cost * (1 + 1e-9)
                grids = grids_of(layout)
                grids[j] = np.array([price])
                assert grid_cost(with_grids(layout, grids), j, pairs) == pytest.approx(cost, rel=1e-8)


def test_the_price_that_a_set_lacks_is_added() -> None:
    instance = make_instance(8, 2, 1, payload=2000.0, missing=0.0)
    layout = layout_of(coefficients(instance), np.zeros(2))
    everything = (layout.server == 0)[None]
    finer = refined(layout, everything, 1e-9)
    assert finer is not None
    pairs = np.flatnonzero(everything[0])
    assert grid_cost(finer, 0, pairs) == pytest.approx(set_cost(layout, 0, pairs)[0], rel=1e-9)
    assert len(grids_of(finer)[1]) == 1
    assert refined(finer, everything, 1e-9 * set_cost(layout, 0, pairs)[0]) is None


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(instances(5, 3), st.integers(0, 2**32 - 1))
def test_no_pair_of_an_association_below_the_target_is_dropped(instance: Instance, seed: int) -> None:
    rng = np.random.default_rng(seed)
    known = associations(instance)
    least = min(cost for _, cost in known)
    layout = layout_with(instance, rng)
    states = np.full(len(layout.device), OPEN, dtype=np.uint8)
    settle(layout, states)
    pi = least / len(instance.devices) * rng.uniform(0.3, 1.3, len(instance.devices))
    nu = np.zeros(len(instance.servers))
    value, lower, _ = solved(layout, pi, nu, states)
    target = least * float(rng.choice([0.9, 1.0 + 1e-9, 1.1, 2.0]))
    if value >= target:
        return
    out = excluded(layout, Prices(pi, nu), states, lower, target - value, target, WORK)
    for association, cost in known:
        if cost < target:
            assert not out[association[layout.device] == layout.server].any()


def test_rises_are_the_exact_differences() -> None:
    instance = make_instance(6, 2, 3, missing=0.0, payload=50.0)
    layout = layout_with(instance, np.random.default_rng(5))
    states = np.full(len(layout.device), OPEN, dtype=np.uint8)
    pi = np.full(6, min(cost for _, cost in associations(instance)) / 6)
    nu = np.zeros(2)
    _, lower, _ = solved(layout, pi, nu, states)
    taken, left = np.zeros(len(states)), np.zeros(len(states))
    gap, room = float(pi.sum()), room_of(layout)
    at = begin(layout, pi, -np.inf, 0.0)
    at.found.lower[:] = lower
    for j in range(2):
        rises_at(layout, states, at, Rising(j, gap, Rises(taken, left)), WORK, room)
    for k in range(len(states)):
        j = layout.server[k]
        for rise, state in ((taken[k], FORCED), (left[k], CLOSED)):
            changed = states.copy()
            changed[k] = state
            truth = min(solved(layout, pi, nu, changed)[1][j] - lower[j], gap)
            assert rise <= truth + 1e-8
            assert rise >= truth - 1e-3 * gap - 1e-8


def test_deviations_have_the_sign_of_the_base_set_and_bound_a_flip() -> None:
    instance = make_instance(6, 2, 3, missing=0.0, payload=50.0)
    layout = layout_with(instance, np.random.default_rng(5))
    states = np.full(len(layout.device), OPEN, dtype=np.uint8)
    states[0], states[7] = CLOSED, FORCED
    pi, nu = np.full(6, min(cost for _, cost in associations(instance)) / 6), np.zeros(2)
    flip = deviations(layout, Prices(pi, nu), states)
    assert flip[0] == np.inf
    assert flip[7] == -np.inf
    value, lower, _ = solved(layout, pi, nu, states)
    for k in np.flatnonzero(states == OPEN):
        changed = states.copy()
        changed[k] = FORCED if flip[k] >= 0 else CLOSED
        j = layout.server[k]
        # The flip costs |h| above the continuous optimum, which lies below the minimum.
        assert solved(layout, pi, nu, changed)[1][j] >= lower[j] - 1e-8
        assert abs(flip[k]) < np.inf
    assert value < pi.sum()
