"""The compiled pricing of one server against brute force, in every kind of case."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from uara.solvers.columns.knapsack import Items, cheapest_set
from uara.solvers.columns.labels import Workspace, workspace
from uara.solvers.columns.room import Room, room_for, sort_by

from uara.base.kernels import kernel
from uara.base.quantities import Floats, Indices

WORK, ROOM = workspace(1 << 12, 4), room_for(10, 4)


@kernel(allocates=False)
def found_alone(
    items: Items, cut: float, tolerance: float, chosen: np.ndarray, work: Workspace, room: Room
) -> tuple[float, float, int]:
    """A way in from Python, which the search itself does without."""
    return cheapest_set(items, cut, tolerance, chosen, work, room)


@kernel(allocates=False)
def sorted_alone(key: Floats, order: Indices, count: int) -> None:
    sort_by(key, order, count)


def solved(
    seed: int, work: Workspace, cut_at: float = np.inf
) -> tuple[float, float, float, float, float, float]:
    """Bound, value, cost of the chosen set, the least cost, tolerance and scale of a random case."""
    rng = np.random.default_rng(seed)
    n, rows = int(rng.integers(0, 10)), int(rng.integers(1, 5))
    s, flop = rng.uniform(0.3, 1, n), rng.uniform(0.01, 0.1) * 10 ** rng.uniform(-1, 1)
    t = rng.uniform(0, s.sum()) if n else 0.0
    noise = rng.normal(0, 1, (rows, n)) * rng.choice([0.0, 0.1, 1.0, 10.0, 50.0])
    r, c0 = noise - 2 * t / flop * s, rng.normal(0, 1, rows) * rng.choice([0.0, 1.0, 10.0])
    t0, tolerance = float(rng.choice([0.0, 0.5])), float(rng.choice([1e-9, 1e-3, 1e-1]))

    def cost(chosen: Floats | list[int]) -> float:
        return float((t0 + s[chosen].sum()) ** 2 / flop + (c0 + r[:, chosen].sum(axis=1)).max())

    truth = min(cost(list(own)) for size in range(n + 1) for own in combinations(range(n), size))
    chosen = np.zeros(n, dtype=bool)
    cut = truth + cut_at if np.isfinite(cut_at) else np.inf
    bound, value, _ = found_alone(Items(s, r, flop, t0, c0), cut, tolerance, chosen, work, ROOM)
    return bound, value, cost(np.flatnonzero(chosen)), truth, tolerance, 1e-9 * (1 + abs(truth))


@pytest.mark.integration
@given(st.integers(0, 2**32 - 1))
def test_the_cheapest_set_is_found_to_the_tolerance(seed: int) -> None:
    bound, value, own, truth, tolerance, rounding = solved(seed, WORK)
    assert bound <= truth + rounding
    assert bound >= truth - tolerance - rounding
    assert abs(own - value) <= 10 * rounding
    assert value <= truth + tolerance + rounding


@pytest.mark.integration
@given(st.integers(0, 2**32 - 1), st.floats(-2, 2))
def test_a_search_may_end_at_the_cut(seed: int, above: float) -> None:
    bound, value, own, truth, tolerance, rounding = solved(seed, WORK, above)
    assert bound <= truth + rounding
    assert bound >= min(truth, truth + above) - tolerance - rounding
    assert abs(own - value) <= 10 * rounding


@pytest.mark.integration
def test_without_room_the_bound_is_that_of_the_continuous_optimum() -> None:
    short = 0
    for seed in range(200):
        bound, value, own, truth, tolerance, rounding = solved(seed, workspace(2, 4))
        assert bound <= truth + rounding
        assert abs(own - value) <= 10 * rounding
        short += bound < truth - tolerance - rounding
    assert short > 0


@given(st.lists(st.floats(-9, 9), max_size=60), st.integers(0, 60))
def test_items_are_sorted_by_their_keys(keys: list[float], count: int) -> None:
    count = min(count, len(keys))
    key = np.array(keys, dtype=float)
    order = np.random.default_rng(len(keys)).permutation(len(keys))
    expected, rest = np.sort(key[order[:count]]), order[count:].copy()
    before = sorted(order[:count])
    sorted_alone(key, order, count)
    assert (key[order[:count]] == expected).all()
    assert sorted(order[:count]) == before
    assert (order[count:] == rest).all()
