from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from uara.solvers.hetedge.kernel import (
    COST,
    DRAFT_FREE,
    VERIFY_FREE,
    _dominated,
    _hopeless,
    _insert,
    _least_pair,
    _waited,
    least_of_options,
)

from uara.hetedge.timeline import FIELDS, FIRST_DRAFT, alone, pair

times = st.floats(0, 50)


@st.composite
def options(draw: st.DrawFn) -> np.ndarray:  # type: ignore[type-arg]
    row = np.zeros(len(FIELDS))
    row[:6] = [
        draw(times),
        draw(times),
        draw(times),
        draw(st.floats(0.1, 90)),
        draw(st.floats(0.1, 50)),
        draw(times),
    ]
    row[FIRST_DRAFT] += row[1]
    row[6] = draw(st.integers(1, 12))
    return row


@settings(max_examples=500, deadline=None)
@given(options(), options(), *[st.floats(0, 400)] * 4)
def test_quick_bounds_are_bounds(
    a: np.ndarray,
    b: np.ndarray,
    free: float,
    busy: float,
    release_a: float,
    release_b: float,  # type: ignore[type-arg]
) -> None:
    exact = np.array(pair(free, busy, release_a, release_b, a, b))
    low = np.array(_least_pair(free, busy, release_a, release_b, a, b))
    assert (low <= exact + 1e-9 * (1 + exact)).all()
    _, end_a = alone(free, busy, release_a, a)
    assert end_a <= exact[2] + 1e-6
    first_a = max(free, release_a) + a[FIRST_DRAFT]
    least = least_of_options(b[None, None, None, :], np.ones((1, 1), dtype=np.int64))
    end_b, drafted = _hopeless(max(first_a + a[2], busy), first_a, release_b, a, least[0, 0])
    assert end_b <= exact[3] + 1e-6
    assert drafted <= exact[0] + 1e-6


def test_least_loads_are_the_least() -> None:
    rng = np.random.default_rng(0)
    table = rng.uniform(1, 9, (2, 3, 4, len(FIELDS)))
    table[..., 6] = rng.integers(1, 9, (2, 3, 4))
    count = np.array([[4, 2, 0], [1, 3, 4]])
    least = least_of_options(table, count)
    assert np.isinf(least[0, 2]).all()
    first_draft, draft, send, first_verify, verify, reply, rounds = table[0, 1, :2, :7].T
    chain = first_draft + send + first_verify + (rounds - 1) * (reply + draft + send + verify)
    assert np.isclose(least[0, 1, 0], chain.min())
    assert np.isclose(least[0, 1, 1], (first_draft + (rounds - 1) * draft).min())
    assert np.isclose(least[0, 1, 2], (first_verify + (rounds - 1) * verify).min())


def label_table(*labels: tuple[float, float, float]) -> np.ndarray:  # type: ignore[type-arg]
    table = np.zeros((8, 3))
    table[: len(labels)] = labels
    return table


def test_dominance_allows_for_what_is_left() -> None:
    one = label_table((10.0, 20.0, 100.0))
    # later by 5 with 3 requests left costs at most 15
    assert _dominated(one, 1, 5.0, 15.0, 115.0, 3.0, 0.0)
    assert not _dominated(one, 1, 5.0, 15.0, 114.0, 3.0, 0.0)
    # earlier by 5 gains 15 once all prompts are there, and nothing before
    assert _dominated(one, 1, 15.0, 25.0, 85.0, 3.0, 0.0)
    assert not _dominated(one, 1, 15.0, 25.0, 84.9, 3.0, 0.0)
    assert not _dominated(one, 1, 15.0, 25.0, 99.0, 3.0, 12.0)
    assert _dominated(one, 1, 15.0, 25.0, 100.0, 3.0, 12.0)


def test_labels_come_and_go() -> None:
    labels, ways = np.zeros((2, 3)), np.zeros((2, 6), dtype=np.int64)
    way = (0, 0, 1, 0, 0, 0)
    count = _insert(labels, ways, 0, (10.0, 20.0, 100.0), way, 2.0, 1e9)
    assert count == 1
    assert _insert(labels, ways, count, (10.0, 20.0, 100.0), way, 2.0, 1e9) == 1
    count = _insert(labels, ways, count, (30.0, 40.0, 70.0), way, 2.0, 1e9)
    assert count == 2
    assert _insert(labels, ways, count, (20.0, 30.0, 82.0), way, 2.0, 1e9) == -1
    assert _insert(labels, ways, count, (5.0, 10.0, 20.0), (4, 1, 2, 3, 0, 0), 2.0, 1e9) == 1
    assert labels[0].tolist() == [5.0, 10.0, 20.0]
    assert ways[0].tolist() == [4, 1, 2, 3, 0, 0]
    assert (DRAFT_FREE, VERIFY_FREE, COST) == (0, 1, 2)


def test_nothing_starts_before_the_next_prompt() -> None:
    release = np.array([[5.0], [9.0]])
    assert _waited(3.0, 4.0, 1, release, 2.0) == (9.0, 11.0)
    assert _waited(12.0, 30.0, 1, release, 2.0) == (12.0, 30.0)
    assert _waited(3.0, 4.0, 2, release, 2.0) == (3.0, 4.0)
