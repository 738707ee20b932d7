"""The programme backwards against a plain recursion that plays every group round by round."""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np
import pytest
from hetedge_cases import make_hetedge
from hypothesis import given, settings
from hypothesis import strategies as st
from truth.hetedge_prices import played
from uara.solvers.hetedge.batches import Batches, least_of_options
from uara.solvers.hetedge.search import Choices, Programme
from uara.solvers.hetedge.to_go import to_go

from uara.hetedge.timeline import DRAFT_BYTES, FIELDS, VERIFY_BYTES

seeds = st.integers(0, 2**32 - 1)


def random_batches(seed: int) -> tuple[Batches, float]:
    """Options of every size at every position, some missing; memory that some pairs do not fit."""
    rng = np.random.default_rng(seed)
    requests, widest, most = int(rng.integers(1, 7)), int(rng.integers(1, 4)), int(rng.integers(1, 4))
    table = np.zeros((requests, widest, most, len(FIELDS)))
    table[..., :6] = rng.uniform(0, 20, (requests, widest, most, 6)) * rng.choice([0.1, 1.0, 5.0], 6)
    table[..., 0] += table[..., 1]  # the first draft is one with the prefill before it
    table[..., 3:5] += 0.1
    table[..., 6] = rng.integers(1, 6, (requests, widest, most))
    table[..., DRAFT_BYTES:] = rng.uniform(0, 1, (requests, widest, most, 2))
    count = rng.integers(rng.integers(0, 2), most + 1, (requests, widest))
    smallest = rng.integers(1, 3, requests) if rng.random() < 0.3 else np.ones(requests, dtype=np.int64)
    largest = np.minimum(np.maximum(smallest, rng.integers(1, widest + 1, requests)), widest)
    batches = Batches(
        table,
        count,
        least_of_options(table, count),
        smallest,
        largest,
        bool(rng.random() < 0.8),
        float(rng.choice([0.0, 1.2, np.inf])),
        float(rng.choice([0.8, 1.5, np.inf])),
    )
    return batches, float(rng.choice([0.0, 1.0, 30.0]))


def named(row: np.ndarray) -> dict[str, float]:  # type: ignore[type-arg]
    first_draft, draft, send, first_verify, verify, reply, rounds = row[:7].tolist()
    return {
        "prefill": first_draft - draft,
        "draft": draft,
        "send": send,
        "first_verify": first_verify,
        "verify": verify,
        "reply": reply,
        "rounds": rounds,
    }


def group_ms(
    batches: Batches, tail_ms: float, start: int, way: tuple[int, int, int, int]
) -> tuple[int, float]:
    """Where a group ends, and what it costs all that are not served before it."""
    size_a, option_a, size_b, option_b = way
    middle, stop = start + size_a, start + size_a + size_b
    rows = [batches.options[start, size_a - 1, option_a]]
    if size_b:
        rows.append(batches.options[middle, size_b - 1, option_b])
    ends, free = played([named(row) for row in rows], tail_ms if start else 0.0)
    sizes = [size_a, size_b][: len(rows)]
    cost = sum(size * end for size, end in zip(sizes, ends, strict=True))
    return stop, cost + (len(batches.smallest) - stop) * free


def ways_from(batches: Batches, start: int) -> Any:
    requests = len(batches.smallest)
    for size_a in range(batches.smallest[start], min(batches.largest[start], requests - start) + 1):
        middle = start + size_a
        for option_a in range(batches.option_count[start, size_a - 1]):
            yield size_a, option_a, 0, 0
            if not batches.pairs or middle == requests:
                continue
            for size_b in range(
                batches.smallest[middle], min(batches.largest[middle], requests - middle) + 1
            ):
                for option_b in range(batches.option_count[middle, size_b - 1]):
                    a, b = (
                        batches.options[start, size_a - 1, option_a],
                        batches.options[middle, size_b - 1, option_b],
                    )
                    if a[DRAFT_BYTES] + b[DRAFT_BYTES] > batches.draft_room:
                        continue
                    if a[VERIFY_BYTES] + b[VERIFY_BYTES] > batches.verify_room:
                        continue
                    yield size_a, option_a, size_b, option_b


def plain(batches: Batches, tail_ms: float) -> list[float]:
    """(K + 1,) The least to come from every boundary."""

    @cache
    def least(start: int) -> float:
        if start == len(batches.smallest):
            return 0.0
        found = [np.inf]
        for way in ways_from(batches, start):
            stop, cost = group_ms(batches, tail_ms, start, way)
            found.append(cost + least(stop))
        return min(found)

    return [least(i) for i in range(len(batches.smallest) + 1)]


@settings(max_examples=60, deadline=None)
@given(seeds)
def test_it_is_the_plain_recursion_and_its_ways_cost_that(seed: int) -> None:
    batches, tail_ms = random_batches(seed)
    requests = len(batches.smallest)
    value, ways = np.empty(requests + 1), np.zeros((requests, 4), dtype=np.int64)
    to_go(batches, tail_ms, value, ways)
    assert value == pytest.approx(plain(batches, tail_ms), rel=1e-9)
    for i in np.flatnonzero(np.isfinite(value[:-1])):
        way = tuple(ways[i].tolist())
        assert way in set(ways_from(batches, int(i)))
        stop, cost = group_ms(batches, tail_ms, int(i), way)
        assert value[i] == pytest.approx(cost + value[stop], rel=1e-9)


@settings(max_examples=15, deadline=None)
@given(st.integers(0, 100_000), st.booleans())
def test_of_an_instance_too(seed: int, pairs: bool) -> None:
    instance = make_hetedge(5, seed, longest_speculation=2)
    everything = Choices.everything(instance)
    choices = Choices(everything.lengths, everything.smallest, everything.largest, pairs)
    order = np.random.default_rng(seed).permutation(5)
    programme = Programme(instance, order, choices)
    batches, found = programme._batches, programme._found
    rows = [
        found.options[i, b, o] for i, b in np.ndindex(found.count.shape) for o in range(found.count[i, b])
    ]
    tail_ms = min(row[2] + (row[4] if row[6] > 1 else row[3]) for row in rows)
    assert programme.least_service_ms == pytest.approx(plain(batches, tail_ms)[0], rel=1e-9)


def test_without_any_option_nothing_is_to_be_had() -> None:
    batches, _ = random_batches(3)
    none = batches._replace(option_count=np.zeros_like(batches.option_count))
    value = np.zeros(len(none.smallest) + 1)
    to_go(none, 0.0, value, np.zeros((len(none.smallest), 4), dtype=np.int64))
    assert np.isinf(value[:-1]).all()
    assert value[-1] == 0.0
