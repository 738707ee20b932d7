from __future__ import annotations

import math

import pytest

from uara.base.errors import InputError
from uara.psd.flops import GPT2, GPT2_XL
from uara.psd.hardware import PHONES, SERVERS, Link, Processor, speed_ratio, speeds


def test_a_pass_is_arithmetic_or_memory() -> None:
    at = Processor(1e12, 1e9, bits_per_weight=8, pass_latency_s=0.5)
    assert at.pass_s(2 * 10**12, 10**9) == 2.5
    assert at.pass_s(10**9, 3 * 10**9) == 3.5
    assert Processor(1e12).pass_s(10**12, 10**15) == 1.0


def test_single_tokens_are_bound_by_memory_and_prompts_by_arithmetic() -> None:
    server = SERVERS["rtx-3090"]
    weights_s = GPT2_XL.parameters * 2 / 936e9
    assert server.pass_s(GPT2_XL.pass_flop(1, 200), GPT2_XL.parameters) == pytest.approx(weights_s)
    assert server.pass_s(GPT2_XL.pass_flop(500, 0), GPT2_XL.parameters) > weights_s


def test_speed_ratios() -> None:
    at = speeds("galaxy-s23", "rtx-3090")
    assert speed_ratio(at, GPT2, GPT2_XL) == pytest.approx(3.196, abs=0.01)
    slower = speeds("galaxy-s23", "rtx-2080")
    assert speed_ratio(slower, GPT2, GPT2_XL) == pytest.approx(6.677, abs=0.01)


def test_only_the_uplink_changes() -> None:
    at = speeds(uplink_bit_per_s=1e6, latency_s=0.1)
    faster = at.with_uplink(9e6)
    assert faster.uplink == Link(9e6, 0.1)
    assert (faster.downlink, faster.device, faster.server) == (at.downlink, at.device, at.server)


def test_refusals() -> None:
    assert PHONES["iphone-14"].flop_per_s == 2.0e12
    with pytest.raises(InputError, match="galaxy-s23"):
        speeds("abacus")
    for wrong in (0.0, -1.0, math.nan):
        with pytest.raises(InputError):
            Processor(wrong)
        with pytest.raises(InputError):
            Link(wrong)
    for latency_s in (-1.0, math.inf, math.nan):
        with pytest.raises(InputError):
            Link(1.0, latency_s)
        with pytest.raises(InputError):
            Processor(1.0, pass_latency_s=latency_s)
