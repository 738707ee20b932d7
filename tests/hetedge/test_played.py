"""The recurrences and the worth of two batches apart, against plain twins."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from truth import hetedge_prices as truth

from uara.hetedge.batch_kinds import DRAFT, FIRST_VERIFY, PREFILL, REPLY, ROUNDS, SEND, VERIFY
from uara.hetedge.played import apart, played

seeds = st.integers(0, 2**32 - 1)
NAMES = {
    "prefill": PREFILL,
    "draft": DRAFT,
    "send": SEND,
    "first_verify": FIRST_VERIFY,
    "verify": VERIFY,
    "reply": REPLY,
    "rounds": ROUNDS,
}


def random_batch(rng: np.random.Generator) -> np.ndarray:  # type: ignore[type-arg]
    row = np.zeros(9)
    row[list(NAMES.values())[:-1]] = rng.uniform(0, 20, 6) * rng.choice([0.0, 0.1, 1.0], 6)
    row[ROUNDS] = rng.integers(1, 40)
    return row


def named(row: np.ndarray) -> dict[str, float]:  # type: ignore[type-arg]
    return {name: float(row[place]) for name, place in NAMES.items()}


@settings(max_examples=150, deadline=None)
@given(seeds, st.booleans(), st.sampled_from([0.0, 5.0, 300.0]))
def test_rounds_are_played_as_one_by_one(seed: int, alone: bool, tail_ms: float) -> None:
    rng = np.random.default_rng(seed)
    rows = [random_batch(rng), np.zeros(9) if alone else random_batch(rng)]
    end_a, end_b, free = played(rows[0], rows[1], tail_ms)
    ends, drafted = truth.played([named(row) for row in rows[: 1 if alone else 2]], tail_ms)
    assert end_a == pytest.approx(ends[0], rel=1e-9, abs=1e-9)
    assert free == pytest.approx(drafted, rel=1e-9, abs=1e-9)
    if not alone:
        assert end_b == pytest.approx(ends[1], rel=1e-9, abs=1e-9)


@settings(max_examples=150, deadline=None)
@given(seeds)
def test_apart_is_the_most_of_all_pairs_of_sets(seed: int) -> None:
    rng = np.random.default_rng(seed)
    count = int(rng.integers(1, 7))
    in_a, in_b = rng.random(count) < 0.6, rng.random(count) < 0.6
    price = np.sort(rng.integers(-5, 50, count).astype(float))[::-1].copy()
    size_a, size_b = int(rng.integers(1, 4)), int(rng.integers(1, 4))
    worths = [
        price[[*a, *b]].sum()
        for a in itertools.combinations(np.flatnonzero(in_a), size_a)
        for b in itertools.combinations(np.flatnonzero(in_b), size_b)
        if not set(a) & set(b)
    ]
    assert apart(in_a, in_b, size_a, size_b, price) == max(worths, default=-np.inf)
