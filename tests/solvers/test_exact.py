"""``exact`` and ``milp``, and with them every solver, against brute force on small instances of every regime."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from cases import make_instance

from uara import Instance, solve
from uara.p1.model import coefficients
from uara.p1.proof import lower_bound
from uara.p1.server_cost import SMALLEST_SHARE
from uara.registry import find
from uara.solver import Context, Progress

PAYLOADS = (0.01, 1.0, 50.0, 2000.0)
SYNC_WEIGHTS = (0.0, 1e-4, 1e-2, 1.0)
ENERGY_WEIGHTS = (0.0, 20.0, 100.0, 1e5)
CROWDED = make_instance(60, 8, 2, payload=10.0, missing=0.0)
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
    return SMALLEST_SHARE * float(np.maximum.reduceat(numbers.band_cost_ms, numbers.start[:-1]).sum())


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
    for name in ("exact", "milp"):
        result = solve(instance, name, options={"gap": 1e-7})
        assert result.evaluation.objective_ms == pytest.approx(optimum, abs=close), name
        assert result.bound_ms is not None
        assert optimum - close <= result.bound_ms <= optimum + rounding, name
        assert result.certificate is not None
        assert lower_bound(instance, result.certificate) <= optimum + rounding
    proof = solve(instance, "exact", options={"gap": 1e-9})
    assert proof.certified_bound_ms is not None
    closest = 2e-9 * scale + unattained(instance) + 1e-12 * optimum
    assert optimum - closest <= proof.certified_bound_ms <= optimum + rounding


@pytest.mark.integration
@pytest.mark.parametrize("seed", range(40))
def test_bounds_truth_and_answers_are_in_order(seed: int) -> None:
    check_against_truth(regime(seed))


@pytest.mark.slow
def test_bounds_truth_and_answers_are_in_order_on_a_thousand_instances() -> None:
    for seed in range(1000):
        check_against_truth(regime(seed))


def test_two_methods_agree_on_a_gap_that_both_prove() -> None:
    instance = make_instance(20, 3, 0, payload=50.0)
    tree = solve(instance, "exact")
    milp = solve(instance, "milp")
    assert tree.gap is not None
    assert milp.gap is not None
    assert max(tree.gap, milp.gap) <= 1e-4 * (1 + 1e-6)
    # Each bound holds for the other's answer.
    assert tree.bound_ms is not None
    assert milp.bound_ms is not None
    slack = 1e-9 * tree.evaluation.objective_ms
    assert milp.bound_ms <= tree.evaluation.objective_ms + slack
    assert tree.bound_ms <= milp.evaluation.objective_ms + slack
    # All of the first one's bound is certified; of the MILP's only what the prices prove is.
    assert tree.certified_bound_ms == pytest.approx(tree.bound_ms, rel=1e-10)
    assert tree.bound_ms - tree.certified_bound_ms <= 1e-11 * tree.evaluation.controllable_ms
    assert milp.certified_bound_ms is not None
    assert milp.certified_bound_ms <= milp.bound_ms


@pytest.mark.parametrize("solver", ["exact", "milp", "price"])
@pytest.mark.parametrize("questions", [1, 3, 10, 30, 100, 300])
def test_a_run_ends_where_the_clock_says_so(
    solver: str, questions: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Time is up when it has been asked for so many times: what is known is returned, and certified."""
    asked = 0

    def remaining_s(context: Context[Any]) -> float:
        nonlocal asked
        asked += 1
        context._clock.rung |= asked > questions
        return 0.0 if asked > questions else 1e6

    monkeypatch.setattr(Context, "remaining_s", remaining_s)
    monkeypatch.setattr(Context, "expired", lambda context: context.remaining_s() <= 0)
    method = find(solver)
    if method.traits.prepare:
        method.traits.prepare()
    asked = 0
    result = solve(CROWDED, solver, options={"gap": 1e-9})
    assert asked <= questions + 40
    assert result.ended == "time_limit"
    assert result.certified_bound_ms is not None
    assert result.evaluation.objective_ms - result.certified_bound_ms > 0


@pytest.mark.integration
@pytest.mark.parametrize("stage", ["climb", "tree", "milp"])
def test_ctrl_c_returns_the_incumbent_and_what_is_proven(stage: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The interrupt arrives at a report of progress, as if the key had been pressed there."""
    message = {"climb": "device prices", "tree": "columns", "milp": "relaxation"}[stage]

    def interrupt(point: Progress) -> None:
        if point.message == message:
            raise KeyboardInterrupt

    solver = "milp" if stage == "milp" else "exact"
    result = solve(CROWDED, solver, options={"gap": 1e-9}, on_progress=interrupt)
    assert result.ended == "interrupted"
    assert result.evaluation.feasible
    assert result.bound_ms is not None
    assert result.certified_bound_ms is not None
    if stage == "tree":
        assert result.certified_bound_ms == pytest.approx(result.bound_ms, rel=1e-12)


def test_a_start_is_never_lost() -> None:
    instance = make_instance(20, 3, 1)
    best = solve(instance, "exact", time_limit_s=2.0)
    again = solve(instance, "exact", start=best.decision, time_limit_s=0.5)
    assert again.evaluation.objective_ms <= best.evaluation.objective_ms * (1 + 1e-12)
