"""The default method: what it is at its best, and whose clock ends it."""

from __future__ import annotations

import pytest
from cases import make_instance, random_association
from clocks import set_clock
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from uara.solvers.auto import AutoOptions
from uara.solvers.exact import ExactOptions

from uara import InputError, allocate, evaluate, solve
from uara.p1.proof import lower_bound


def test_random_associations_cost_more_than_auto() -> None:
    instance = make_instance(12, 3, 5)
    best = solve(instance, "auto")
    for seed in range(20):
        other = evaluate(instance, allocate(instance, random_association(instance, seed)))
        assert best.evaluation.objective_ms <= other.objective_ms


def test_auto_ends_on_its_own_which_is_no_time_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    instance = make_instance(60, 8, 2, payload=10.0, missing=0.0)
    set_clock(monkeypatch, step_s=0.1)
    result = solve(instance, "auto", options={"seconds": 15.0, "gap": 1e-9})
    assert result.ended == "completed"
    assert result.runtime_s < 30
    assert solve(instance, "auto", options={"gap": 1e-9}, time_limit_s=15.0).ended == "time_limit"


@settings(max_examples=6, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.integers(0, 10**6))
def test_it_is_optimal_on_small_instances(seed: int) -> None:
    instance = make_instance(1 + seed % 6, 1 + seed % 3, seed, payload=50.0)
    truth = solve(instance, "brute-force").evaluation
    result = solve(instance, "auto", options={"gap": 1e-9})
    assert result.evaluation.objective_ms == pytest.approx(truth.objective_ms, rel=1e-9)
    assert result.certificate is not None
    proven = lower_bound(instance, result.certificate)
    assert truth.objective_ms - proven == pytest.approx(0.0, abs=3e-9 * truth.controllable_ms)


def test_without_a_time_limit_it_is_exact_for_its_seconds(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where its own seconds are many, it says what exact says: one search under another name."""
    instance = make_instance(40, 8, 2, payload=10.0, missing=0.0)
    set_clock(monkeypatch)
    exact, auto = (solve(instance, name, options={"gap": 1e-3, "kicks": 0}) for name in ("exact", "auto"))
    assert auto.ended == exact.ended == "completed"
    assert auto.gap is not None
    assert auto.gap <= 1e-3 * (1 + 1e-6)
    assert auto.bound_ms == pytest.approx(exact.bound_ms, rel=1e-3)


def test_its_options_are_those_of_exact_and_its_seconds() -> None:
    assert issubclass(AutoOptions, ExactOptions)
    assert set(AutoOptions.model_fields) - set(ExactOptions.model_fields) == {"seconds"}
    for seconds in (0.0, -1.0):
        with pytest.raises(InputError, match="seconds"):
            solve(make_instance(3, 2), "auto", options={"seconds": seconds})
