from __future__ import annotations

from typing import Any

import cvxpy as cp
import numpy as np
import pytest
from hetedge_cases import make_hetedge
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import brentq

from uara.hetedge import bandwidth
from uara.hetedge.instance import HetEdge

seeds = st.integers(0, 10_000)
NOISES = ("whole", "share")


def rate_expression(instance: HetEdge, share: cp.Variable) -> cp.Expression:
    """Concave rates [bit/ms]; with the noise of the share, b log(1 + s/b) = -rel_entr(b, b + s)."""
    width = instance.parameters.bandwidth_hz / 1e3 / np.log(2)
    if instance.parameters.noise_band == "whole":
        return cp.multiply(width * np.log1p(instance.snr), share)
    return width * -cp.rel_entr(share, share + instance.snr)


def solve_cvxpy(instance: HetEdge, kind: str, offset: Any = 0.0) -> float:
    bits = instance.requests.upload_bits
    share = cp.Variable(len(bits), nonneg=True)
    rate = rate_expression(instance, share)
    budget = cp.sum(share) <= 1
    scale = float(bandwidth.airtime_ms(instance).sum())
    if kind == "min-sum":
        # delays in units of the sum of the airtimes
        delay = cp.multiply(bits / scale, cp.inv_pos(rate))
        problem = cp.Problem(cp.Minimize(cp.sum(delay)), [budget])
        return float(problem.solve(solver="CLARABEL")) * scale
    # the common start t: rate * (t + offset) >= bits, convex in (share, t) as rate >= bits / (t + offset)
    t = cp.Variable()
    need = cp.multiply(bits / scale, cp.inv_pos(t + offset / scale))
    problem = cp.Problem(cp.Minimize(t), [budget, rate >= need])
    return float(problem.solve(solver="CLARABEL")) * scale


def all_send(seed: int, noise: str) -> HetEdge:
    instance = make_hetedge(5, seed, noise_band=noise)
    requests = instance.requests.replace(upload_bits=instance.requests.upload_bits + 50.0, ready_ms=None)
    return instance.replace(requests=requests)


@pytest.mark.parametrize("noise", NOISES)
@settings(max_examples=8, deadline=None)
@given(seed=seeds)
def test_min_max_is_cvxpys(noise: str, seed: int) -> None:
    instance = all_send(seed, noise)
    share = bandwidth.min_max(instance)
    delay = bandwidth.upload_ms(instance, share)
    assert share.sum() == pytest.approx(1)
    assert delay == pytest.approx(np.full(5, delay[0]), rel=1e-8)
    assert delay.max() == pytest.approx(solve_cvxpy(instance, "min-max"), rel=2e-4)


@pytest.mark.integration
@pytest.mark.filterwarnings("ignore:Solution may be inaccurate")  # a few units of the last digits asked for
@pytest.mark.parametrize("noise", NOISES)
@settings(max_examples=8, deadline=None)
@given(seed=seeds)
def test_min_sum_is_cvxpys(noise: str, seed: int) -> None:
    instance = all_send(seed, noise)
    share = bandwidth.min_sum(instance)
    total = bandwidth.upload_ms(instance, share).sum()
    reference = solve_cvxpy(instance, "min-sum")
    assert share.sum() == pytest.approx(1)
    assert total == pytest.approx(reference, rel=2e-4)
    assert total <= reference * (1 + 1e-6)


@pytest.mark.parametrize("noise", NOISES)
@settings(max_examples=8, deadline=None)
@given(seed=seeds)
def test_deadlines_are_met_as_early_as_possible(noise: str, seed: int) -> None:
    instance = all_send(seed, noise)
    rng = np.random.default_rng(seed)
    scale = bandwidth.airtime_ms(instance).sum()
    offset = rng.uniform(0, scale, 5)
    share, t_ms = bandwidth.in_time(instance, offset)
    arrival = bandwidth.upload_ms(instance, share)
    assert (arrival <= (t_ms + offset) * (1 + 1e-7)).all()
    least = max(0.0, solve_cvxpy(instance, "in-time", offset))
    assert t_ms == pytest.approx(least, rel=1e-3, abs=1e-4 * scale)


def test_closed_forms_with_a_linear_rate() -> None:
    instance = all_send(3, "whole")
    airtime = bandwidth.airtime_ms(instance)
    assert bandwidth.min_max(instance) == pytest.approx(airtime / airtime.sum())
    assert bandwidth.min_sum(instance) == pytest.approx(np.sqrt(airtime) / np.sqrt(airtime).sum())
    weight = np.arange(1.0, 6)
    root = np.sqrt(weight * airtime)
    assert bandwidth.min_sum(instance, weight) == pytest.approx(root / root.sum())


@given(st.floats(-8, 8), st.floats(-6, 3))
def test_lambert_w_gives_the_share_that_a_rate_needs(log_snr: float, log_part: float) -> None:
    snr = 10.0**log_snr
    most = snr / np.log(2)  # bit/s/Hz of the whole band as the share grows without end
    target = most * (1 - 10.0**log_part / (1 + 10.0**log_part))
    share = float(bandwidth.share_for_rate(np.array([target]), np.array([snr]))[0])
    assert share * np.log1p(snr / share) / np.log(2) == pytest.approx(target, rel=1e-6)


def test_lambert_w_against_bisection() -> None:
    snr, target = 30.0, 2.5
    share = brentq(lambda b: b * np.log1p(snr / b) / np.log(2) - target, 1e-9, 1e3, xtol=1e-14)
    assert bandwidth.share_for_rate(np.array([target]), np.array([snr]))[0] == pytest.approx(share, rel=1e-9)


def test_no_share_carries_more_than_the_power_allows() -> None:
    assert bandwidth.share_for_rate(np.array([100.0]), np.array([10.0]))[0] == np.inf


@pytest.mark.parametrize("noise", NOISES)
@pytest.mark.parametrize("rule", ["uniform", "min-max", "min-sum"])
@settings(max_examples=30, deadline=None)
@given(seed=seeds)
def test_every_rule_shares_the_whole_band(noise: str, rule: bandwidth.Rule, seed: int) -> None:
    instance = make_hetedge(6, seed, noise_band=noise)  # some send nothing
    share = bandwidth.shares(instance, rule)
    assert (share > 0).all()
    assert share.sum() == pytest.approx(1, abs=1e-9)
    assert np.isfinite(bandwidth.upload_ms(instance, share)).all()


def test_nobody_sends() -> None:
    instance = make_hetedge(3, 0)
    silent = instance.replace(requests=instance.requests.replace(upload_bits=np.zeros(3)))
    for rule in ("uniform", "min-max", "min-sum"):
        share = bandwidth.shares(silent, rule)
        assert share == pytest.approx(np.full(3, 1 / 3))
        assert bandwidth.upload_ms(silent, share).tolist() == [0, 0, 0]


def test_narrow_shares_hear_less_noise() -> None:
    whole, share = all_send(1, "whole"), all_send(1, "share")
    shared = np.full(5, 0.2)
    assert (bandwidth.upload_ms(share, shared) < bandwidth.upload_ms(whole, shared)).all()
    assert bandwidth.airtime_ms(share) == pytest.approx(bandwidth.airtime_ms(whole))
