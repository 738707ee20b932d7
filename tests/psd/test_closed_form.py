from __future__ import annotations

import math

import numpy as np
import pytest
from psd.test_timeline import FREE, timed

from uara.base.errors import InputError
from uara.psd.closed_form import (
    RoundTimes,
    best_gamma,
    conventional_tokens_per_round,
    post_verify_share,
    psd_tokens_per_round,
    seconds_per_token,
)
from uara.psd.replay import replay
from uara.psd.timeline import simulate
from uara.psd.trace import METHODS, Method

TOKENS = 10000


@pytest.mark.integration
@pytest.mark.parametrize("acceptance", [0.0, 0.3, 0.75, 0.92, 1.0])
@pytest.mark.parametrize("gamma", [1, 2, 5, 11])
def test_tokens_per_round_and_shares(acceptance: float, gamma: int) -> None:
    rng = np.random.default_rng([int(100 * acceptance), gamma])
    psd = replay([acceptance] * TOKENS, "psd", gamma, 1, rng=rng)
    conventional = replay([acceptance] * TOKENS, "conventional", gamma, 1, rng=rng)
    assert TOKENS / len(psd.rounds) == pytest.approx(psd_tokens_per_round(acceptance, gamma), rel=0.04)
    expected = conventional_tokens_per_round(acceptance, gamma)
    assert TOKENS / len(conventional.rounds) == pytest.approx(expected, rel=0.04)
    if gamma > 1:
        share = np.mean([each.phase == "post-verify" for each in psd.rounds])
        assert share == pytest.approx(post_verify_share(acceptance, gamma), abs=0.02)


@pytest.mark.integration
@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("gamma", [1, 4, 9])
@pytest.mark.parametrize("target_s", [0.5e-3, 5e-3])
@pytest.mark.parametrize(("rate", "latency_s"), [(1e9, 0.0), (1e9, 3e-3), (2e4, 1e-3)])
def test_time_per_token(method: Method, gamma: int, target_s: float, rate: float, latency_s: float) -> None:
    down, count = 1e6, 3000
    verdict_bits = 16 + math.ceil(math.log2(gamma + 2))
    times = RoundTimes(1e-3, target_s, 16 / rate, latency_s, verdict_bits / down + latency_s)
    trace = replay([0.8] * count, method, gamma, 1, rng=np.random.default_rng(gamma))
    simulated = simulate(trace, FREE, FREE, timed(1e-3, target_s, rate, latency_s, down)).completion_s / count
    # what chance does to the number of rounds cancels where the sample's own rate is put in
    rate_there = trace.acceptance_rate if trace.judged_tokens else 0.8
    assert simulated == pytest.approx(seconds_per_token(method, rate_there, gamma, times), rel=0.02)


def test_without_a_network_it_is_the_published_form() -> None:
    for gamma in (2, 5, 8):
        times = RoundTimes(1.0, 4.0)
        expected = max(gamma, 4.0) / psd_tokens_per_round(0.7, gamma)
        assert seconds_per_token("psd", 0.7, gamma, times) == pytest.approx(expected)
        rounds = (gamma + 4.0) / conventional_tokens_per_round(0.7, gamma)
        assert seconds_per_token("conventional", 0.7, gamma, times) == pytest.approx(rounds)
    assert seconds_per_token("autoregressive", 0.7, 3, RoundTimes(1.0, 4.0)) == 4.0


@pytest.mark.parametrize("acceptance", [0.5, 0.7, 0.9])
@pytest.mark.parametrize("ratio", [2, 3, 5, 8])
def test_the_best_draft_length_of_psd_is_the_speed_ratio(acceptance: float, ratio: int) -> None:
    assert best_gamma("psd", acceptance, RoundTimes(1.0, float(ratio))) == ratio


def test_gain_at_the_speed_ratio() -> None:
    gains = [
        seconds_per_token("conventional", a, c, RoundTimes(1.0, float(c)))
        / seconds_per_token("psd", a, c, RoundTimes(1.0, float(c)))
        for a in (0.7, 0.8, 0.9)
        for c in (2, 3, 4, 5)
    ]
    assert 1.2 < min(gains) < max(gains) < 1.36


def test_refusals() -> None:
    for acceptance, gamma in ((-0.1, 2), (1.1, 2), (0.5, 0), (float("nan"), 2)):
        with pytest.raises(InputError):
            psd_tokens_per_round(acceptance, gamma)
