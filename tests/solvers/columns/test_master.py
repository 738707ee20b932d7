"""The program over the columns against SciPy's solver, at the root and within parts of the tree."""

from __future__ import annotations

import numpy as np
import pytest
from cases import instances, make_instance
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from scipy.optimize import linprog
from uara.solvers.columns.layout import layout_of
from uara.solvers.columns.master import Master
from uara.solvers.columns.pool import Pool
from uara.solvers.columns.pricing import CLOSED, OPEN

from uara import Instance, Options, allocate, evaluate
from uara.base.quantities import Floats
from uara.p1.coefficients import coefficients
from uara.solver import Context

UPPER_MS = 1e3


def master_of(instance: Instance, seed: int, rounds: int = 6) -> tuple[Pool, Master]:
    """A program over random columns, with own columns that cost far more than any of them."""
    rng = np.random.default_rng(seed)
    layout = layout_of(coefficients(instance), np.zeros(len(instance.servers)))
    pool = Pool(layout)
    for _ in range(rounds):
        pool.add(rng.random(len(layout.device)) < 0.5)
    pi = np.full(len(instance.devices), 1e5)
    return pool, Master(pool, len(instance.servers), pi, UPPER_MS, Context(instance, Options()))


def value_by_scipy(pool: Pool, devices: int, usable: Floats, low: Floats, high: Floats) -> float:
    own = np.full(devices, 1e5 + 50.0 * UPPER_MS / devices)
    cost = np.concatenate([own, pool.cost_ms])
    served = np.hstack([np.eye(devices), pool.member.T])
    at = pool.server[None] == np.arange(len(low))[:, None]
    once = np.hstack([np.zeros((len(low), devices)), at])
    count = np.hstack([np.zeros((len(low), devices)), at * pool.member.sum(axis=1)])
    limits = [(0.0, None)] * devices + [(0.0, None if each else 0.0) for each in usable]
    found = linprog(
        cost,
        np.vstack([once, count, -count]),
        np.concatenate([np.ones(len(low)), high, -low]),
        served,
        np.ones(devices),
        limits,
    )
    return float(found.fun) if found.status == 0 else np.inf


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(instances(), st.integers(0, 2**32 - 1))
def test_its_value_is_scipys(instance: Instance, seed: int) -> None:
    pool, master = master_of(instance, seed)
    rng, devices, servers = np.random.default_rng(seed), len(instance.devices), len(instance.servers)
    every = coefficients(instance).server
    states = rng.choice([CLOSED, OPEN, OPEN], len(every)).astype(np.uint8)
    for open_, low, high in (
        (np.full(len(every), OPEN, dtype=np.uint8), np.zeros(servers), np.full(servers, float(devices))),
        (states, np.zeros(servers), rng.integers(0, devices + 1, servers).astype(float)),
    ):
        master.enter(open_, low, high)
        truth = value_by_scipy(pool, devices, pool.fitting(open_), low, high)
        assert master.solve() == pytest.approx(truth, rel=1e-6)
        if np.isfinite(truth):
            assert master.solved
            assert master.shares().sum(axis=1).max() <= 1 + 1e-6


def test_its_prices_are_dual_and_its_shares_serve_everybody() -> None:
    instance = make_instance(6, 2, 3, missing=0.0)
    pool, master = master_of(instance, 1, rounds=40)
    master.enter(np.full(12, OPEN, dtype=np.uint8), np.zeros(2), np.full(2, 6.0))
    value = master.solve()
    prices, shares = master.prices(), master.shares()
    worth = pool.member @ prices.pi + pool.member.sum(axis=1) * prices.nu[pool.server]
    rent = np.zeros(2)
    np.maximum.at(rent, pool.server, worth - pool.cost_ms)  # what a server's best set leaves
    assert prices.pi.sum() + 6.0 * np.minimum(prices.nu, 0.0).sum() - rent.sum() == pytest.approx(
        value, rel=1e-6
    )
    assert shares.sum(axis=1) == pytest.approx(np.ones(6), abs=1e-6)


def test_columns_that_came_later_count_and_a_basis_is_taken_up_again() -> None:
    instance = make_instance(6, 2, 3, missing=0.0)
    pool, master = master_of(instance, 1)
    states, low, high = np.full(12, OPEN, dtype=np.uint8), np.zeros(2), np.full(2, 6.0)
    master.enter(states, low, high)
    before, basis = master.solve(), master.basis()
    association = np.array([0, 0, 1, 1, 0, 1])
    cost_ms = evaluate(instance, allocate(instance, association)).controllable_ms
    assert cost_ms < before
    pool.add_association(association)
    master.enter(states, low, high)
    after = master.solve()
    assert after <= cost_ms * (1 + 1e-9)
    master.enter(states, low, np.array([6.0, 0.0]))
    assert master.solve() > after
    master.enter(states, low, high)
    master.resume(basis)
    assert master.solve() == pytest.approx(after, rel=1e-9)
    assert master.solve(most_iterations=1) <= after * (1 + 1e-9)
