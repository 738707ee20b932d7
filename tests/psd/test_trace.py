from __future__ import annotations

import math

import pytest
from pydantic import ValidationError

from uara.psd.flops import GPT2, GPT2_XL
from uara.psd.trace import DecodingTrace, Passes, Round

PSD = DecodingTrace.of(
    "psd",
    4,
    10,
    [
        Round("pre-verify", 0, 4, 1, 1, 1),
        Round("post-verify", 3, 4, 4, 4, 4),
        Round("post-verify", 3, 4, 2, 1, 2),
        Round("pre-verify", 0, 4, 1, 0, 1),
    ],
)


def test_rounds_follow_from_the_columns() -> None:
    assert [each.phase for each in PSD.rounds] == ["pre-verify", "post-verify", "post-verify", "pre-verify"]
    assert [each.pending for each in PSD.rounds] == [0, 3, 3, 0]
    assert [each.rejected for each in PSD.rounds] == [False, False, True, True]


def test_counts() -> None:
    assert (PSD.new_tokens, PSD.drafted_tokens, PSD.judged_tokens, PSD.accepted_tokens) == (8, 16, 8, 6)
    assert PSD.discarded_tokens == 10
    assert PSD.acceptance_rate == 0.75
    assert math.isnan(
        DecodingTrace.of("autoregressive", 0, 1, [Round("step", 0, 0, 0, 0, 1)]).acceptance_rate
    )


def test_discarded_blocks_cost_one_token_of_uplink() -> None:
    assert PSD.uploaded_tokens == [1, 4, 4, 1]
    assert DecodingTrace.of("conventional", 4, 10, [Round("verify", 0, 4, 1, 0, 1)]).uploaded_tokens == [4]


def test_passes_by_hand() -> None:
    # fed, cached, steps of the draft; fed, cached, logits of the target
    assert list(PSD.passes()) == [
        Passes(10, 0, 4, 10, 0, 1),  # 10 prompt tokens; then 13 and 10 are cached
        Passes(1, 13, 4, 4, 10, 4),  # sequence 11, tail 14
        Passes(1, 17, 4, 4, 14, 4),  # sequence 15, tail 18; one accepted, so 16 are confirmed
        Passes(1, 16, 4, 1, 16, 1),
    ]


def test_operations_by_hand() -> None:
    trace = DecodingTrace.of("conventional", 2, 5, [Round("verify", 0, 2, 1, 0, 1)])
    device = GPT2.pass_flop(5, 0, 1) + GPT2.pass_flop(1, 5)
    assert trace.flop(GPT2, GPT2_XL) == (device, GPT2_XL.pass_flop(7, 0, 3))


@pytest.mark.parametrize(
    "change",
    [
        {"accepted": [5, 0]},
        {"judged": [9, 1]},
        {"drafted": [5, 5]},
        {"appended": [0, 1]},
        {"appended": [4, 1]},
        {"drafted": [4]},
        {"gamma": 0},
        {"gamma": -1},
        {"prompt_tokens": 0},
        {"method": "autoregressive"},
        {"method": "magic"},
        {"drafted": [-1, 4]},
        {"extra": 1},
    ],
)
def test_contradictions_are_refused(change: dict[str, object]) -> None:
    plain = {"method": "psd", "gamma": 4, "prompt_tokens": 3, "drafted": [4, 4], "judged": [1, 1]}
    plain |= {"accepted": [0, 0], "appended": [1, 1]}
    assert DecodingTrace.model_validate(plain).new_tokens == 2
    with pytest.raises(ValidationError):
        DecodingTrace.model_validate(plain | change)
