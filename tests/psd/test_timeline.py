from __future__ import annotations

import math
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from uara.psd.activity import Activity, busy_s
from uara.psd.flops import GPT2, GPT2_XL, Architecture
from uara.psd.hardware import Link, Processor, Speeds, speeds
from uara.psd.replay import replay
from uara.psd.timeline import Timeline, simulate
from uara.psd.trace import METHODS, DecodingTrace, Method, Round

FREE = Architecture(
    name="free",
    layers=1,
    hidden_width=1,
    vocabulary_tokens=2**16,
    context_tokens=10**9,
    parameters=1,
    linear_flop_per_token=0,
    attention_flop_per_pair=0,
    head_flop_per_token=0,
)


def timed(
    draft_s: float, target_s: float, rate: float = 1e15, latency_s: float = 0.0, down: float = 1e15
) -> Speeds:
    """Speeds at which each pass takes the same time."""
    device, server = (Processor(1e30, pass_latency_s=each) for each in (draft_s, target_s))
    return Speeds(device, server, Link(rate, latency_s), Link(down, latency_s))


def test_conventional_by_hand() -> None:
    # two rounds of two drafts; 16 bits at 16 bit/s, so a token takes a second; the verdict's 18 bits 2 s at 9 bit/s
    trace = DecodingTrace.of(
        "conventional", 2, 1, [Round("verify", 0, 2, 2, 2, 3), Round("verify", 0, 2, 1, 0, 1)]
    )
    line = simulate(trace, FREE, FREE, timed(1.0, 5.0, 16.0, down=9.0))
    # drafts 2, upload 2, pass 5, verdict 2, twice; the prompt goes up while the first block is drafted
    assert line.completion_s == pytest.approx(22)
    assert (line.mobile_s, line.server_s, line.idle_s) == pytest.approx((4, 10, 0))
    assert line.transmission_s == pytest.approx(8)
    assert (line.device_idle_s, line.server_idle_s) == pytest.approx((18, 12))


def test_psd_by_hand() -> None:
    rounds = [Round("pre-verify", 0, 3, 1, 1, 1), Round("post-verify", 2, 3, 2, 1, 2)]
    trace = DecodingTrace.of("psd", 3, 1, [*rounds, Round("pre-verify", 0, 3, 1, 1, 1)])
    line = simulate(trace, FREE, FREE, timed(1.0, 4.0, 16.0, down=9.5))
    spans: dict[str, list[tuple[float, float]]] = {}
    for each in line.activities:
        spans.setdefault(each.resource, []).append((round(each.start_s, 9), round(each.end_s, 9)))
    # the verdict has 16 + ceil(log2(5)) = 19 bits: 2 s
    assert spans["device"] == [(0, 1), (1, 2), (2, 3), (7, 8), (8, 9), (9, 10), (15, 16), (16, 17), (17, 18)]
    # prompt; first token; two pending and then the first new token; first token
    assert spans["uplink"] == [(0, 1), (1, 2), (7, 9), (9, 10), (16, 17)]
    # behind the prompt; behind the pending tokens; right behind its own verdict
    assert spans["server"] == [(1, 5), (9, 13), (13, 17)]
    assert spans["downlink"] == [(5, 7), (13, 15), (17, 19)]
    assert line.completion_s == 19


def test_autoregressive_by_hand() -> None:
    trace = replay([1.0] * 4, "autoregressive", 1, 3)
    line = simulate(trace, FREE, FREE, timed(1.0, 5.0, 16.0, down=16.0))
    assert line.completion_s == pytest.approx(3 + 4 * 5 + 1)
    assert line.mobile_s == 0


@settings(max_examples=60, deadline=None)
@given(
    verdicts=st.lists(st.booleans(), min_size=1, max_size=40),
    gamma=st.integers(1, 12),
    method=st.sampled_from(METHODS),
    rate=st.sampled_from([1e4, 1e6, 1e9]),
    latency_s=st.sampled_from([0.0, 3e-3]),
)
def test_the_account_is_whole(
    verdicts: list[bool], gamma: int, method: Method, rate: float, latency_s: float
) -> None:
    trace = replay([float(each) for each in verdicts], method, gamma, 20)
    at = speeds(uplink_bit_per_s=rate, latency_s=latency_s)
    line = simulate(trace, GPT2, GPT2_XL, at, "probabilities")
    parts = (line.mobile_s, line.server_s, line.transmission_s, line.idle_s)
    assert sum(parts) == pytest.approx(line.completion_s)
    assert all(each >= -1e-12 for each in parts)
    for resource in ("device", "server"):
        own = [each for each in line.activities if each.resource == resource]
        assert all(second.start_s >= first.end_s - 1e-12 for first, second in pairwise(own))
    # both sides' work is that of the trace's passes
    flop = trace.flop(GPT2, GPT2_XL)
    work_s = sum(each.end_s - each.start_s for each in line.activities if each.resource == "server")
    assert work_s >= flop[1] / at.server.flop_per_s - 1e-12
    assert line.completion_s - line.server_idle_s == pytest.approx(work_s)


@settings(max_examples=30, deadline=None)
@given(verdicts=st.lists(st.booleans(), min_size=1, max_size=40), gamma=st.integers(1, 10))
def test_a_faster_link_is_never_worse(verdicts: list[bool], gamma: int) -> None:
    for method in METHODS:
        trace = replay([float(each) for each in verdicts], method, gamma, 20)
        totals = [
            simulate(trace, GPT2, GPT2_XL, speeds(uplink_bit_per_s=rate)).completion_s
            for rate in (1e4, 1e5, 1e6, 1e8)
        ]
        assert all(second <= first + 1e-12 for first, second in pairwise(totals))


def test_waits_fill_the_gaps() -> None:
    activities = [Activity("device", "draft", 1.0, 2.0), Activity("device", "draft", 3.0, 4.0)]
    line = Timeline.of([*activities, Activity("server", "target", 0.0, 5.0)], 1)
    assert [(each.start_s, each.end_s) for each in line.waits] == [(0.0, 1.0), (2.0, 3.0)]
    assert line.device_idle_s == 3.0
    assert Timeline.of([], 0).completion_s == 0


def test_real_runs_speak_the_same_language(pair) -> None:  # type: ignore[no-untyped-def]
    from uara.psd.engine import decode
    from uara.psd.request import DecodingOptions

    decoded = decode(*pair, [3, 4, 5], DecodingOptions("psd", 3, 20))
    real = Timeline.of(decoded.activities, decoded.trace.new_tokens)
    assert 0 < real.completion_s <= decoded.wall_s
    assert real.mobile_s + real.server_s == pytest.approx(busy_s(decoded.activities))
    simulated = simulate(decoded.trace, pair[0].architecture, pair[1].architecture, timed(1.0, 2.0))
    assert (
        len([each for each in simulated.activities if each.kind == "draft"]) == decoded.trace.drafted_tokens
    )
    assert math.isfinite(simulated.completion_s)


def test_rounds_are_numbered() -> None:
    trace = replay([1.0] * 9, "psd", 3, 4, rng=np.random.default_rng(0))
    line = simulate(trace, FREE, FREE, timed(1.0, 2.0))
    assert {each.round for each in line.activities if each.resource == "server"} == set(
        range(len(trace.rounds))
    )
