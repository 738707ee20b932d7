"""Continuous batching: a request alone by hand, room and order of those that join."""

from __future__ import annotations

import numpy as np
import pytest
from hetedge_cases import make_hetedge
from hypothesis import given, settings
from hypothesis import strategies as st

from uara.hetedge.continuous import continuous_ms
from uara.hetedge.latency import pass_ms, rounds


@pytest.mark.parametrize("length", [0, 2])
def test_a_request_alone_takes_its_passes(length: int) -> None:
    instance = make_hetedge(1, 3).replace()
    requests, system = instance.requests, instance.system
    prompt, output = float(requests.prompt_tokens[0]), float(requests.output_tokens[0])
    needed = int(rounds(output, requests.acceptance_rate[0], length))
    now = float(instance.ready_ms[0])
    for turn in range(needed):
        cached = prompt + output * turn / needed
        if length:
            assert system.draft is not None
            now += float(pass_ms(system.draft, 1, prompt, 0, 1)) if turn == 0 else 0.0
            now += length * float(pass_ms(system.draft, 1, 1, cached, 1))
            now += system.link_latency_ms + length * system.drafted_token_bits / system.link_bits_per_ms
        fed = (prompt, 0.0) if turn == 0 else (1.0, cached)
        now += float(pass_ms(system.target, 1, fed[0] + length, fed[1], length + 1))
        if length and turn < needed - 1:
            now += system.link_latency_ms + 2 * system.token_bits / system.link_bits_per_ms
    assert continuous_ms(instance, length) == pytest.approx([now])


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 10_000), st.sampled_from([0, 2]), st.booleans())
def test_everybody_is_served_after_arriving(seed: int, length: int, shortest: bool) -> None:
    instance = make_hetedge(8, seed)
    ends = continuous_ms(instance, length, shortest=shortest)
    assert np.isfinite(ends).all()
    assert (ends > instance.ready_ms).all()


def test_with_room_for_one_they_follow_each_other() -> None:
    instance = make_hetedge(5, 1, largest_batch=1)
    requests = instance.requests.replace(ready_ms=None)
    instance = instance.replace(requests=requests)
    tokens = requests.prompt_tokens + requests.output_tokens
    assert (np.diff(continuous_ms(instance)) > 0).all()
    ends = continuous_ms(instance, shortest=True)
    assert np.argsort(ends).tolist() == np.argsort(tokens, kind="stable").tolist()
