"""The checker's least cost of a set: never above brute force, equal to it but for rounding, and cut where asked."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from uara.p1 import least_set
from uara.p1.least_set import Items, least_cost, relaxed


def items_of(seed: int, most: int = 9) -> Items:
    """Loads, costs and rows of every size: idle servers, tight bands, what is in the set anyway."""
    rng = np.random.default_rng(seed)
    n, rows = int(rng.integers(0, most + 1)), int(rng.integers(1, 5))
    s = rng.uniform(0.3, 1.0, n) * 10 ** rng.choice([0.0, 3.0])
    flop = rng.uniform(0.01, 0.1) * 10 ** rng.uniform(-1, 1)
    t = rng.uniform(0, s.sum()) if n else 0.0
    noise = rng.normal(0, 1, (rows, n)) * rng.choice([0.0, 0.1, 1.0, 10.0, 1e4])
    c0 = rng.normal(0, 1, rows) * rng.choice([0.0, 1.0, 10.0])
    return Items(s, noise - 2 * t / flop * s, flop, float(rng.choice([0.0, 0.5])), c0)


def truth_of(items: Items) -> float:
    """Every set tried."""
    n = len(items.s)
    return min(
        (items.t0 + items.s[list(chosen)].sum()) ** 2 / items.flop
        + float((items.c0 + items.r[:, list(chosen)].sum(axis=1)).max())
        for size in range(n + 1)
        for chosen in combinations(range(n), size)
    )


def scale_of(items: Items) -> float:
    """What is added up on the way."""
    load = items.t0 + items.s.sum()
    return float(np.abs(items.r).sum() + np.abs(items.c0).sum() + load**2 / items.flop)


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 2**32 - 1))
def test_it_is_the_least_from_below(seed: int) -> None:
    items = items_of(seed)
    truth, scale = truth_of(items), scale_of(items)
    found = least_cost(items)
    assert found <= truth + 1e-15 * scale
    assert found >= truth - 1e-12 * scale
    assert relaxed(items).base <= truth + 1e-13 * scale


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 2**32 - 1), st.floats(-1, 1))
def test_a_cut_is_reached_where_no_set_is_below_it(seed: int, offset: float) -> None:
    items = items_of(seed)
    truth, scale = truth_of(items), scale_of(items)
    cut = truth + offset * abs(truth)
    found = least_cost(items, cut)
    assert found <= truth + 1e-15 * scale
    assert found >= min(cut, truth) - 1e-12 * scale


def test_too_many_labels_leave_a_lower_bound(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(least_set, "MOST_LABELS", 2)
    for seed in range(60):
        items = items_of(seed)
        assert least_cost(items) <= truth_of(items) + 1e-15 * scale_of(items)


@pytest.mark.parametrize("huge", [1e308, np.inf, np.nan])
def test_numbers_too_large_prove_nothing(huge: float) -> None:
    with np.errstate(all="ignore"):
        items = Items(np.ones(2), np.array([[-huge, -huge]]), 1.0, 0.0, np.zeros(1))
        assert least_cost(items) <= -1e300
        items = Items(np.ones(2), np.array([[huge, -1.0]]), 1.0, 0.0, np.array([huge]))
        assert not least_cost(items) > huge


@pytest.mark.integration
def test_taking_and_leaving_an_item_divide_the_sets() -> None:
    for seed in range(40):
        items = items_of(seed)
        for i in range(len(items.s)):
            parts = min(truth_of(items.with_item(i)), truth_of(items.without_item(i)))
            assert parts == pytest.approx(truth_of(items), abs=1e-12 * scale_of(items))
