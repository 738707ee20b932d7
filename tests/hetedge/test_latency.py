from __future__ import annotations

import numpy as np
import pytest
from hetedge_cases import make_hetedge
from hypothesis import given
from hypothesis import strategies as st
from truth import hetedge as truth

from uara.hetedge.latency import cache_bytes, expected_tokens, pass_ms, phases, rounds

seeds = st.integers(0, 10_000)


@given(seeds, st.integers(1, 6), st.integers(0, 5))
def test_phases_agree_with_the_twin(seed: int, size: int, length: int) -> None:
    instance = make_hetedge(6, seed)
    members = list(range(size))
    requests = instance.requests
    times = phases(
        instance.system,
        size,
        int(requests.prompt_tokens[members].max()),
        int(requests.output_tokens[members].max()),
        length,
    )
    expected = truth.batch_times(instance, members, length)
    for name in ("prefill", "draft", "send", "first_verify", "verify", "reply"):
        assert float(getattr(times, name)) == pytest.approx(expected[name], rel=1e-12, abs=1e-12)
    needed = rounds(requests.output_tokens[members], requests.acceptance_rate[members], length)
    assert needed.max() == expected["rounds"]


@given(seeds)
def test_arrays_give_what_numbers_give(seed: int) -> None:
    instance = make_hetedge(4, seed)
    sizes, lengths = np.arange(1, 5)[:, None], np.arange(0, 4)[None, :]
    table = phases(instance.system, sizes, 50, 20, lengths)
    for size in range(1, 5):
        for length in range(4):
            one = phases(instance.system, size, 50, 20, length)
            for column, number in zip(table, one, strict=True):
                whole = np.broadcast_to(column, (4, 4))
                assert whole[size - 1, length] == pytest.approx(float(number), rel=1e-12)


@given(st.floats(0, 0.98), st.integers(0, 16))
def test_expected_tokens_are_the_mean_of_what_is_drawn(rate: float, length: int) -> None:
    # P(at least i accepted) = a^i, and one token follows the accepted ones
    assert expected_tokens(rate, length) == pytest.approx(sum(rate**i for i in range(length + 1)), rel=1e-9)


def test_expected_tokens_against_chance() -> None:
    rng = np.random.default_rng(3)
    rate, length = 0.7, 5
    accepted = np.cumprod(rng.random((200_000, length)) < rate, axis=1).sum(axis=1)
    assert np.mean(accepted + 1) == pytest.approx(expected_tokens(rate, length), rel=5e-3)


def test_rounds_at_the_edge() -> None:
    assert rounds(10, 0.0, 4) == 10
    assert rounds(15, 0.5, 0) == 15
    # 1 + 1/2 tokens a round: 3 tokens are exactly two rounds
    assert rounds(3, 0.5, 1) == 2
    assert rounds(4, 0.5, 1) == 3


@given(seeds, st.integers(1, 8))
def test_a_pass_is_never_faster_with_more_work(seed: int, size: int) -> None:
    machine = make_hetedge(2, seed).system.target
    base = pass_ms(machine, size, 4, 100, 4)
    assert pass_ms(machine, size + 1, 4, 100, 4) >= base
    assert pass_ms(machine, size, 5, 100, 4) >= base
    assert pass_ms(machine, size, 4, 101, 4) >= base


def test_the_roofline_has_two_sides() -> None:
    machine = make_hetedge(2, 0).system.target
    slow_memory = machine._replace(bytes_per_ms=machine.bytes_per_ms / 1e6, overhead_ms=0.0)
    read = machine.weight_bytes + 110 * machine.cache_bytes_per_token
    assert pass_ms(slow_memory, 1, 10, 100, 1) == pytest.approx(read / slow_memory.bytes_per_ms)
    slow_compute = machine._replace(flop_per_ms=machine.flop_per_ms / 1e6, overhead_ms=0.0)
    flop = machine.linear_flop * 10 + machine.pair_flop * 10 * 110 + machine.head_flop
    assert pass_ms(slow_compute, 1, 10, 100, 1) == pytest.approx(flop / slow_compute.flop_per_ms)


def test_memory_bound_batching_is_almost_free() -> None:
    machine = make_hetedge(2, 0).system.target._replace(flop_per_ms=1e30, cache_bytes_per_token=0.0)
    assert pass_ms(machine, 16, 1, 100, 1) == pytest.approx(pass_ms(machine, 1, 1, 100, 1))


def test_autoregressive_batches_use_the_strong_node_alone() -> None:
    times = phases(make_hetedge(3, 2).system, 3, 40, 20, 0)
    assert (float(times.prefill), float(times.draft), float(times.send), float(times.reply)) == (0, 0, 0, 0)
    assert float(times.verify) > 0


def test_requests_that_bring_drafts_need_no_weak_node() -> None:
    times = phases(make_hetedge(3, 2, drafts=False).system, 3, 40, 20, 4)
    assert float(times.draft) == float(times.send) == 0
    assert float(times.first_verify) > float(times.verify) > 0


def test_caches_grow_with_every_token() -> None:
    machine = make_hetedge(2, 0).system.target
    assert cache_bytes(machine, 3, 10, 5, 2) == 3 * 17 * machine.cache_bytes_per_token
