"""Screens of pairs: below what the pairs truly take, whatever the batches."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from uara.base.quantities import Floats
from uara.hetedge.batch_kinds import DRAFT, DRAFT_BYTES, FIRST_VERIFY, PREFILL, REPLY, ROUNDS, SEND, VERIFY
from uara.hetedge.pair_screens import (
    at_least,
    chord,
    fanned,
    kept,
    lower_envelope,
    part_of_first,
    part_of_second,
    tabulated,
    usable,
)
from uara.hetedge.played import played

seeds = st.integers(0, 2**32 - 1)


def drawn(rng: np.random.Generator) -> Floats:
    """(9,) A batch: any phase may be the long one, or none at all."""
    row = np.zeros(9)
    row[[PREFILL, DRAFT, SEND, FIRST_VERIFY, VERIFY, REPLY]] = rng.choice(
        [0.0, 1.0, 10.0, 100.0], 6
    ) * rng.random(6)
    row[VERIFY] += 0.1
    row[FIRST_VERIFY] += row[VERIFY]
    row[ROUNDS] = rng.choice([1, 2, 3, 5, 17])
    row[DRAFT_BYTES:ROUNDS] = 1.0
    return row


@settings(max_examples=600, deadline=None)
@given(seeds)
def test_quick_times_are_never_later_than_the_played_ones(seed: int) -> None:
    rng = np.random.default_rng(seed)
    a, b, tail_ms = drawn(rng), drawn(rng), float(rng.choice([0.0, 5.0, 80.0]))
    low, true = at_least(a, b, tail_ms), played(a, b, tail_ms)
    for quick, real in zip(low, true, strict=True):
        assert quick <= real * (1 + 1e-9) + 1e-9


def test_where_the_passes_rule_the_quick_times_are_exact() -> None:
    a, b = np.zeros(9), np.zeros(9)
    for row, rounds in ((a, 5), (b, 3)):
        row[[PREFILL, DRAFT, SEND, FIRST_VERIFY, VERIFY, REPLY]] = 20.0, 4.0, 1.0, 90.0, 40.0, 1.0
        row[ROUNDS] = rounds
    for first, second in ((a, b), (b, a), (a, a)):
        assert at_least(first, second, 0.0) == pytest.approx(played(first, second, 0.0))


@settings(max_examples=400, deadline=None)
@given(seeds)
def test_two_parts_together_are_no_more_than_the_pair(seed: int) -> None:
    """For any number of requests that wait for the draft node."""
    rng = np.random.default_rng(seed)
    rows = [drawn(rng) for _ in range(4)]
    a, b = rows[:2]
    tail_ms, sizes = float(rng.choice([0.0, 30.0])), (int(rng.integers(1, 9)), int(rng.integers(1, 9)))
    longer = bool(a[ROUNDS] > b[ROUNDS])
    least, most = min(row[VERIFY] for row in rows), max(row[FIRST_VERIFY] for row in rows)
    first = part_of_first(a, sizes, longer, tail_ms, (least, most))
    second = part_of_second(b, sizes, longer, least)
    end_a, end_b, free = played(a, b, tail_ms)
    for waiting in (0.0, 1.0, 40.0):
        true = sizes[0] * end_a + sizes[1] * end_b + waiting * free
        assert first[0] + second[0] + waiting * (first[1] + second[1]) <= true * (1 + 1e-9)


@settings(max_examples=60, deadline=None)
@given(seeds)
def test_tables_lie_below_and_lists_leave_nothing_out(seed: int) -> None:
    rng = np.random.default_rng(seed)
    count = int(rng.integers(1, 40))
    part = np.column_stack([rng.normal(0, 1000, count), rng.uniform(0, 300, count)])
    weight = np.sort(rng.integers(0, 50, int(rng.integers(1, 12)))).astype(float)
    limit = rng.normal(0, 3000, len(weight))
    among = np.flatnonzero(rng.random(count) < 0.8)
    true = part[among, 0] + np.outer(weight, part[among, 1])
    envelope = lower_envelope(part, among, weight)
    assert (envelope <= true.min(axis=1, initial=np.inf) + 1e-9).all()
    below = set(among[(true < limit[:, None]).any(axis=0)].tolist())
    assert below <= set(kept(part, among, weight, limit).tolist()) <= set(among.tolist())
    table, step = tabulated(weight, limit, 20.0, 200.0)
    for x in [20.0, 20.7, 133.3, 200.0, 5000.0]:
        assert chord(table, (x - 20.0) / step) <= (weight * x - limit).min() + 1e-6


@given(seeds)
def test_second_batches_are_sorted_among_like_slopes(seed: int) -> None:
    rng = np.random.default_rng(seed)
    part = np.column_stack([rng.normal(0, 10, 30), rng.choice([1.0, rng.uniform(0, 9)], 30)])
    among = np.flatnonzero(rng.random(30) < 0.7)
    if not len(among):
        return
    order, edges, slope = fanned(part, among)
    assert sorted(order.tolist()) == among.tolist()
    assert (edges[0], edges[-1]) == (0, len(among))
    for fan, (start, stop) in enumerate(itertools.pairwise(edges)):
        these = part[order[start:stop]]
        assert (np.diff(these[:, 0]) >= 0).all()
        assert (these[:, 1] >= slope[fan]).all()


def test_usable_batches_have_rounds_and_reach() -> None:
    rounds, reach = np.array([1.0, 2.0, 3.0]), np.array([1, 5, 2])
    assert usable(rounds, reach, 2, 1.0).tolist() == [0, 2]
    assert usable(rounds, reach, 5, 2.0).tolist() == [1, 2]
