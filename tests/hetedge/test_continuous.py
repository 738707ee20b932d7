"""Continuous batching: a request alone by hand, room and order of those that join."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hetedge_cases import make_hetedge
from hypothesis import given, settings
from hypothesis import strategies as st

from uara.hetedge.continuous import continuous_ms
from uara.hetedge.instance import HetEdge
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
@given(st.integers(0, 10_000), st.sampled_from([0, 2]), st.booleans(), st.booleans())
def test_everybody_is_served_after_arriving(
    seed: int, length: int, shortest: bool, alternating: bool
) -> None:
    instance = make_hetedge(8, seed)
    ends = continuous_ms(instance, length, shortest=shortest, alternating=alternating)
    assert np.isfinite(ends).all()
    assert (ends > instance.ready_ms).all()


def all_there(count: int, seed: int, **parameters: Any) -> HetEdge:
    """Requests that wait at time 0, with memory for all."""
    instance = make_hetedge(count, seed, **parameters)
    assert instance.draft_node is not None
    nodes = [
        node.model_copy(update={"memory_bytes": 1e3 * node.memory_bytes})
        for node in (instance.draft_node, instance.target_node)
    ]
    requests = instance.requests.replace(ready_ms=None)
    return instance.replace(requests=requests, draft_node=nodes[0], target_node=nodes[1])


def test_two_requests_alternate_on_the_two_nodes() -> None:
    """With room for one in a batch: the recurrence of a pair, written out."""
    instance, length = all_there(2, 3, largest_batch=1), 2
    requests, system = instance.requests, instance.system
    assert system.draft is not None
    needed = rounds(requests.output_tokens, requests.acceptance_rate, length)
    drafted, verified = 0.0, 0.0
    answered, ends = [0.0, 0.0], [0.0, 0.0]
    done = [0, 0]
    while min(done) < min(needed):  # both have rounds left: they take turns
        for k in (0, 1):
            prompt, output = float(requests.prompt_tokens[k]), float(requests.output_tokens[k])
            cached = prompt + output * done[k] / needed[k]
            drafted = max(drafted, answered[k])
            drafted += float(pass_ms(system.draft, 1, prompt, 0, 1)) if done[k] == 0 else 0.0
            drafted += length * float(pass_ms(system.draft, 1, 1, cached, 1))
            sent = (
                drafted
                + system.link_latency_ms
                + length * system.drafted_token_bits / system.link_bits_per_ms
            )
            fed = (prompt, 0.0) if done[k] == 0 else (1.0, cached)
            verified = max(verified, sent) + float(
                pass_ms(system.target, 1, fed[0] + length, fed[1], length + 1)
            )
            answered[k] = verified + system.link_latency_ms + 2 * system.token_bits / system.link_bits_per_ms
            ends[k] = verified
            done[k] += 1
    found = continuous_ms(instance, length, alternating=True)
    first = int(np.argmin(needed))
    assert found[first] == pytest.approx(ends[first])
    assert continuous_ms(instance, length)[1] > found[1]


def test_no_second_batch_where_one_has_room() -> None:
    instance = all_there(5, 2, largest_batch=5)
    assert continuous_ms(instance, 2, alternating=True).tolist() == continuous_ms(instance, 2).tolist()


def test_with_room_for_one_they_follow_each_other() -> None:
    instance = make_hetedge(5, 1, largest_batch=1)
    requests = instance.requests.replace(ready_ms=None)
    instance = instance.replace(requests=requests)
    tokens = requests.prompt_tokens + requests.output_tokens
    assert (np.diff(continuous_ms(instance)) > 0).all()
    ends = continuous_ms(instance, shortest=True)
    assert np.argsort(ends).tolist() == np.argsort(tokens, kind="stable").tolist()
