"""What is dropped: the devices that are left with one pair, and where a look stops."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
from cases import instances, make_instance
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from uara.solvers.columns.climb import dual
from uara.solvers.columns.fixing import excluded, settle
from uara.solvers.columns.labels import workspace
from uara.solvers.columns.layout import Layout, layout_of
from uara.solvers.columns.pricing import CLOSED, FORCED, OPEN, Prices, minima

from uara import Instance
from uara.base.quantities import Floats
from uara.p1.coefficients import coefficients

WORK = workspace(1 << 12, 1)


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(instances(), st.integers(0, 2**32 - 1))
def test_a_device_with_one_pair_left_must_use_it(instance: Instance, seed: int) -> None:
    rng = np.random.default_rng(seed)
    layout = layout_of(coefficients(instance), np.zeros(len(instance.servers)))
    states = rng.choice([CLOSED, OPEN], len(layout.device), p=[0.4, 0.6]).astype(np.uint8)
    before = states.copy()
    every = settle(layout, states)
    assert ((states == CLOSED) == (before == CLOSED)).all()
    left = [int((before[layout.device == i] != CLOSED).sum()) for i in range(len(layout.root_flop))]
    assert every == all(left)
    for i, count in enumerate(left):
        own = states[(layout.device == i) & (before != CLOSED)]
        assert (own == (FORCED if count == 1 else OPEN)).all()
    after = states.copy()
    assert settle(layout, states) == every
    assert (states == after).all()


def at(layout: Layout, pi: Floats) -> tuple[np.ndarray, float, Floats]:  # type: ignore[type-arg]
    """All pairs open, with the dual and the servers' minima there."""
    states = np.full(len(layout.device), OPEN, dtype=np.uint8)
    settle(layout, states)
    found = minima(layout)
    value = dual(layout, Prices(pi, np.zeros(len(layout.wait_ms))), states, 1e-12, found, WORK)
    return states, value, found.lower


def dropped(layout: Layout, pi: Floats, target_ms: float, looks: int = 10**6) -> np.ndarray:  # type: ignore[type-arg]
    states, value, lower = at(layout, pi)
    answers = iter([False] * looks)
    prices = Prices(pi, np.zeros(len(layout.wait_ms)))
    gap = target_ms - value
    return excluded(layout, prices, states, lower, gap, target_ms, WORK, lambda: next(answers, True))


def test_the_nearer_the_target_the_more_is_dropped_and_a_stopped_look_drops_less() -> None:
    instance = make_instance(10, 3, 3, missing=0.0, payload=50.0)
    layout = layout_of(coefficients(instance), np.full(3, 5.0))
    cost = layout.table_ms + 0.5 * layout.root_flop[layout.device]
    pi = np.full(10, np.inf)
    np.minimum.at(pi, layout.device, cost)
    _, value, _ = at(layout, pi)
    size = abs(value) + 1.0
    found = [dropped(layout, pi, value + part * size) for part in (1e-6, 0.05, 0.5, 1e6)]
    for more, fewer in pairwise(found):
        assert (more | ~fewer).all()
    assert found[0].sum() > found[2].sum()
    assert not found[-1].any()
    stopped = dropped(layout, pi, value + 1e-6 * size, looks=0)
    assert (found[0] | ~stopped).all()
    assert stopped.sum() < found[0].sum()


def test_a_pair_that_is_not_open_is_not_dropped() -> None:
    instance = make_instance(6, 3, 3, missing=0.0, payload=50.0)
    layout = layout_of(coefficients(instance), np.full(3, 5.0))
    states = np.full(18, OPEN, dtype=np.uint8)
    states[layout.device == 2] = CLOSED
    states[(layout.device == 2) & (layout.server == 1)] = OPEN
    states[(layout.device == 4) & (layout.server == 0)] = CLOSED
    assert settle(layout, states)
    prices, found = Prices(np.full(6, 40.0), np.zeros(3)), minima(layout)
    value = dual(layout, prices, states, 1e-12, found, WORK)
    out = excluded(layout, prices, states, found.lower, 1e-9, float(value), WORK)
    assert not out[states != OPEN].any()
