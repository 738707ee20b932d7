from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from uara.solvers.hetedge.batches import hopeless, least_of_options, least_pair

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
    low = np.array(least_pair(free, busy, release_a, release_b, a, b))
    assert (low <= exact + 1e-9 * (1 + exact)).all()
    _, end_a = alone(free, busy, release_a, a)
    assert end_a <= exact[2] + 1e-6
    first_a = max(free, release_a) + a[FIRST_DRAFT]
    least = least_of_options(b[None, None, None, :], np.ones((1, 1), dtype=np.int64))
    end_b, drafted = hopeless(max(first_a + a[2], busy), first_a, release_b, a, least[0, 0])
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
