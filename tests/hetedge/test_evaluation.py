from __future__ import annotations

import numpy as np
import pytest
from hetedge_cases import make_hetedge
from hypothesis import given
from hypothesis import strategies as st

from uara.base.errors import InputError
from uara.hetedge.bandwidth import upload_ms
from uara.hetedge.plan import Plan
from uara.problem import evaluate, parse_decision


def one_batch(count: int, length: int = 2) -> Plan:
    return Plan(
        np.arange(count), np.array([count]), np.array([length]), np.array([False]), np.full(count, 1 / count)
    )


@given(st.integers(0, 10_000))
def test_terms_add_up_and_latency_is_never_below_upload(seed: int) -> None:
    instance = make_hetedge(4, seed)
    plan = Plan(np.arange(4), np.array([2, 2]), np.array([1, 2]), np.array([False, True]), np.full(4, 0.25))
    score = evaluate(instance, plan)
    assert sum(score.terms_ms.values()) == pytest.approx(score.objective_ms)
    assert score.objective_ms == pytest.approx(score.request_latency_ms.sum())
    assert (score.request_latency_ms > score.release_ms).all()
    assert (score.start_ms >= score.release_ms - 1e-9).all()
    assert score.release_ms == pytest.approx(instance.ready_ms + upload_ms(instance, plan.bandwidth))
    assert 0 < score.busy_fraction("verify") <= 1
    assert score.makespan_ms == max(step.end_ms for step in score.steps)
    assert score.latency_ms["mean"] <= score.latency_ms["p95"] + 1e-9 or len(instance.requests) < 20


def test_a_batch_is_answered_together() -> None:
    score = evaluate(make_hetedge(4, 1), one_batch(4))
    assert len(set(score.request_latency_ms.tolist())) == 1


def test_energy_is_power_times_upload_time() -> None:
    instance = make_hetedge(3, 2)
    plan = one_batch(3)
    sent_ms = upload_ms(instance, plan.bandwidth)
    assert evaluate(instance, plan).energy_j == pytest.approx(
        float(instance.requests.tx_power_w @ sent_ms) / 1e3
    )


def test_another_instances_plan_is_refused() -> None:
    with pytest.raises(InputError, match="is for 3 requests"):
        evaluate(make_hetedge(4, 0), one_batch(3))
    with pytest.raises(InputError, match="3 entries"):
        parse_decision(make_hetedge(4, 0), one_batch(3).to_plain())


def test_an_infeasible_plan_is_scored_too() -> None:
    instance = make_hetedge(4, 0, largest_batch=1)
    score = evaluate(instance, one_batch(4))
    assert not score.feasible
    assert np.isfinite(score.objective_ms)
    assert score.to_plain()["violations"]


def test_plain_data_has_no_infinities() -> None:
    broken = Plan(np.zeros(2, int), np.array([2]), np.array([1]), np.array([False]), np.full(2, 0.5))
    plain = evaluate(make_hetedge(2, 0), broken).to_plain()
    assert plain["objective"] is None
    assert plain["terms_ms"] == {}


@pytest.mark.parametrize("noise_band", ["whole", "share"])
@pytest.mark.parametrize("share", [1e-300, 1e-320, 5e-324])
def test_next_to_no_band_is_next_to_no_rate(noise_band: str, share: float) -> None:
    instance = make_hetedge(4, 3, noise_band=noise_band)
    assert (instance.requests.upload_bits > 0).all()
    shares = np.full(4, 0.25)
    shares[1] = share
    assert upload_ms(instance, shares)[1] > 1e200
    score = evaluate(instance, Plan(np.arange(4), np.array([4]), np.array([2]), np.array([False]), shares))
    assert score.feasible == bool(np.isfinite(score.objective_ms))


def test_a_plan_whose_sizes_wrap_around_is_refused() -> None:
    instance = make_hetedge(4, 3)
    sizes = np.array([2**62, 2**62, 2**62, 2**62 + 4])
    plan = Plan(np.arange(4), sizes, np.ones(4, dtype=int), np.zeros(4, dtype=bool), np.full(4, 0.25))
    assert not evaluate(instance, plan).feasible
