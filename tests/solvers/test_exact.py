"""``exact``, and with it every solver, against brute force on small instances of every regime."""

from __future__ import annotations

import os
import signal
import threading

import numpy as np
import pytest
from cases import make_instance

from uara import Instance, solve
from uara.certificate import lower_bound
from uara.model import coefficients
from uara.server_cost import SMALLEST_SHARE

PAYLOADS = (0.01, 1.0, 50.0, 2000.0)
SYNC_WEIGHTS = (0.0, 1e-4, 1e-2, 1.0)
ENERGY_WEIGHTS = (0.0, 20.0, 100.0, 1e5)
HEURISTICS = ("random", "max-sinr", "max-compute", "tma", "greedy", "price", "relaxation")


def regime(seed: int) -> Instance:
    """A small instance: starved band, empty queues, w = 0, lambda = 0 and one server all occur."""
    rng = np.random.default_rng([20261122, seed])
    return make_instance(
        int(rng.integers(1, 7)),
        int(rng.integers(1, 4)),
        seed,
        payload=float(rng.choice(PAYLOADS)),
        missing=float(rng.choice([0.0, 0.3])),
        queue=bool(rng.integers(2)),
        sync_weight_per_ms=float(rng.choice(SYNC_WEIGHTS)),
        energy_weight_ms_per_j=float(rng.choice(ENERGY_WEIGHTS)),
    )


def unattained(instance: Instance) -> float:
    """With lambda = 0 the optimum is an infimum: what the smallest band share of 1e-9 costs above it, in ms."""
    numbers = coefficients(instance)
    if numbers.sync_weight_per_ms > 0:
        return 0.0
    return SMALLEST_SHARE * float(np.maximum.reduceat(numbers.band_cost_ms, numbers.pair_start[:-1]).sum())


def check_against_truth(instance: Instance) -> None:
    truth = solve(instance, "brute-force")
    scale = truth.evaluation.controllable_ms
    optimum = truth.evaluation.objective_ms
    rounding = 1e-9 * scale + 1e-12 * optimum
    close = 1e-6 * scale + unattained(instance)
    for name in HEURISTICS:
        result = solve(instance, name)
        assert result.evaluation.feasible
        assert result.evaluation.objective_ms >= optimum - rounding, name
        if result.bound_ms is not None:
            assert result.bound_ms <= optimum + rounding, name
    for engine in ("tree", "milp"):
        result = solve(instance, "exact", options={"gap": 1e-7, "engine": engine})
        assert result.evaluation.objective_ms == pytest.approx(optimum, abs=close), engine
        assert result.bound_ms is not None
        assert optimum - close <= result.bound_ms <= optimum + rounding, engine
        assert result.certificate is not None
        assert lower_bound(instance, result.certificate) <= optimum + rounding
    tree = solve(instance, "branch", options={"gap": 1e-7})
    assert tree.certified_bound_ms is not None
    assert optimum - close <= tree.certified_bound_ms <= optimum + rounding


@pytest.mark.parametrize("seed", range(40))
def test_bounds_truth_and_answers_are_in_order(seed: int) -> None:
    check_against_truth(regime(seed))


@pytest.mark.slow
def test_bounds_truth_and_answers_are_in_order_on_a_thousand_instances() -> None:
    for seed in range(1000):
        check_against_truth(regime(seed))


def test_engines_agree_on_a_gap_that_both_prove() -> None:
    instance = make_instance(20, 3, 0, payload=50.0)
    tree = solve(instance, "exact", options={"engine": "tree"})
    milp = solve(instance, "exact", options={"engine": "milp"})
    assert tree.gap is not None
    assert milp.gap is not None
    assert max(tree.gap, milp.gap) <= 1e-4 * (1 + 1e-6)
    # Each bound holds for the other's answer.
    assert tree.bound_ms is not None
    assert milp.bound_ms is not None
    slack = 1e-9 * tree.evaluation.objective_ms
    assert milp.bound_ms <= tree.evaluation.objective_ms + slack
    assert tree.bound_ms <= milp.evaluation.objective_ms + slack
    # The tree's bound is certified; of the MILP's only what the prices prove is.
    assert tree.certified_bound_ms == pytest.approx(tree.bound_ms, rel=1e-10)
    assert milp.certified_bound_ms is not None
    assert milp.certified_bound_ms <= milp.bound_ms


@pytest.mark.parametrize("engine", ["tree", "milp"])
def test_a_time_limit_is_kept_and_what_is_known_returned(engine: str) -> None:
    instance = make_instance(60, 8, 2, payload=10.0, missing=0.0)
    limit_s, taken_s = 3.0, []
    for _ in range(2):
        result = solve(instance, "exact", options={"gap": 1e-9, "engine": engine}, time_limit_s=limit_s)
        taken_s.append(result.runtime_s)
        assert result.ended == "time_limit"
        assert result.gap is not None
        assert 0 < result.gap < 0.05
    assert min(taken_s) <= 1.1 * limit_s


@pytest.mark.parametrize("engine", ["tree", "milp"])
def test_ctrl_c_returns_the_incumbent(engine: str) -> None:
    instance = make_instance(60, 8, 2, payload=10.0, missing=0.0)
    solve(instance, "price")
    timer = threading.Timer(2.0, os.kill, (os.getpid(), signal.SIGINT))
    timer.start()
    try:
        result = solve(instance, "exact", options={"gap": 1e-9, "engine": engine}, time_limit_s=20.0)
    finally:
        timer.cancel()
    assert result.ended == "interrupted"
    assert result.evaluation.feasible
    assert result.runtime_s < 10
    assert result.bound_ms is not None
    assert result.certified_bound_ms is not None


def test_a_start_is_never_lost() -> None:
    instance = make_instance(20, 3, 1)
    best = solve(instance, "exact", time_limit_s=2.0)
    again = solve(instance, "exact", start=best.decision, time_limit_s=0.5)
    assert again.evaluation.objective_ms <= best.evaluation.objective_ms * (1 + 1e-12)
