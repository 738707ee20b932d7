"""The climb over device prices: a bound at every step, where it ends, and who looks on."""

from __future__ import annotations

from itertools import pairwise, product

import numpy as np
import pytest
from cases import instances, make_instance
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from uara.solvers.columns.climb import Aim, Watch, begin, climb, passes
from uara.solvers.columns.fixing import settle
from uara.solvers.columns.labels import workspace
from uara.solvers.columns.layout import Layout, layout_of
from uara.solvers.columns.pricing import CLOSED, OPEN
from uara.solvers.columns.room import room_of

from uara import Instance, allocate, evaluate
from uara.base.quantities import Floats
from uara.p1.coefficients import coefficients

WORK = workspace(1 << 12, 24)


def started(instance: Instance) -> tuple[Layout, Floats]:
    """A layout with one band price a server, and each device's cheapest cost at some price of compute."""
    layout = layout_of(coefficients(instance), np.full(len(instance.servers), 3.0))
    pi = np.full(len(instance.devices), np.inf)
    np.minimum.at(pi, layout.device, layout.table_ms + 0.3 * layout.root_flop[layout.device])
    return layout, pi


def open_states(layout: Layout) -> np.ndarray:  # type: ignore[type-arg]
    return np.full(len(layout.device), OPEN, dtype=np.uint8)


def costs(instance: Instance, allowed: np.ndarray) -> list[float]:  # type: ignore[type-arg]
    """What the associations within an (M, E) mask cost."""
    own = [np.flatnonzero(row) for row in allowed]
    found = [np.array(one) for one in product(*own)]
    return [evaluate(instance, allocate(instance, one)).controllable_ms for one in found]


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(instances(4, 3), st.integers(0, 2**32 - 1))
def test_what_is_climbed_bounds_every_association_that_is_allowed(instance: Instance, seed: int) -> None:
    layout, pi = started(instance)
    states = np.random.default_rng(seed).choice([CLOSED, OPEN, OPEN], len(layout.device)).astype(np.uint8)
    if not settle(layout, states):
        return
    allowed = np.zeros((len(instance.devices), len(instance.servers)), dtype=bool)
    allowed[layout.device[states != CLOSED], layout.server[states != CLOSED]] = True
    best = min(costs(instance, allowed))
    _, value, end, made = climb(layout, pi, states, Aim(best), WORK, most_passes=120)
    assert value <= best + 1e-9 * (best + np.abs(end).sum())
    assert 1 <= made <= 120


def test_small_instances_are_climbed_to_their_optimum_or_nearly() -> None:
    """One device at every server of its choice: the dual has no gap."""
    instance = make_instance(1, 4, 2, missing=0.0, payload=50.0)
    layout, pi = started(instance)
    best = min(costs(instance, np.ones((1, 4), dtype=bool)))
    _, value, end, _ = climb(layout, pi, open_states(layout), Aim(best), WORK)
    assert value == pytest.approx(best, rel=1e-6)
    assert end[0] >= best * (1 - 1e-6)


def test_a_climb_begins_with_what_it_is_given() -> None:
    layout, pi = started(make_instance(6, 2, 1))
    at = begin(layout, pi, 7.0, 3.0)
    assert (at.best == pi).all()
    assert (at.point.pi == pi).all()
    assert at.best is not pi
    assert not at.point.nu.any()
    assert not at.direction.any()
    best, factor, idle, tolerance, labels, last = at.numbers
    assert (best, factor, idle, labels, last) == (7.0, 1.0, 0.0, 0.0, 7.0)
    assert 0 < tolerance < 3.0 / 2


def test_passes_end_at_once_where_there_is_nothing_to_do() -> None:
    layout, pi = started(make_instance(6, 2, 1))
    trail = np.zeros((5, len(layout.device)), dtype=bool)
    states = open_states(layout)
    for aim in (Aim(100.0, enough=5.0), Aim(100.0, most_labels=0.0)):
        assert passes(layout, states, aim, begin(layout, pi, 7.0, 3.0), trail, WORK, room_of(layout)) == 0
    tired = begin(layout, pi, 7.0, 3.0)
    tired.numbers[1] = 1e-4
    assert passes(layout, states, Aim(100.0), tired, trail, WORK, room_of(layout)) == 0
    assert not trail.any()


def test_the_best_never_sinks_and_its_prices_are_kept() -> None:
    instance = make_instance(12, 3, 3, missing=0.0, payload=50.0)
    layout, pi = started(instance)
    upper = evaluate(instance, allocate(instance, np.arange(12) % 3)).controllable_ms
    at = begin(layout, pi, -np.inf, 1e-3 * upper)
    trail = np.zeros((1, len(layout.device)), dtype=bool)
    values = []
    for _ in range(60):
        assert passes(layout, open_states(layout), Aim(upper), at, trail, WORK, room_of(layout)) == 1
        values.append(float(at.numbers[0]))
    assert all(before <= after for before, after in pairwise(values))
    assert values[-1] > values[0]
    again = begin(layout, at.best, -np.inf, 1e-9 * upper)
    passes(layout, open_states(layout), Aim(upper), again, trail, WORK, room_of(layout))
    assert again.numbers[0] >= values[-1] - 1e-3 * upper


def test_whoever_looks_on_sees_every_pass_and_may_stop_it() -> None:
    instance = make_instance(12, 3, 3, missing=0.0, payload=50.0)
    layout, pi = started(instance)
    upper = evaluate(instance, allocate(instance, np.arange(12) % 3)).controllable_ms
    seen: list[int] = []
    watch = Watch(seen=lambda sets: seen.append(len(sets)))
    *_, made = climb(layout, pi, open_states(layout), Aim(upper), WORK, most_passes=100, watch=watch)
    assert sum(seen) == made
    asked = iter([False, False])
    stopped = Watch(lambda: next(asked, True), lambda sets: seen.append(len(sets)))
    seen.clear()
    *_, made = climb(layout, pi, open_states(layout), Aim(upper), WORK, watch=stopped)
    assert len(seen) == 3
    assert made == sum(seen)


def test_the_grids_grow_where_sets_lack_prices() -> None:
    instance = make_instance(16, 3, 3, missing=0.0, payload=2000.0)
    layout, pi = started(instance)
    upper = evaluate(instance, allocate(instance, np.arange(16) % 3)).controllable_ms
    finer, value, _, _ = climb(layout, pi, open_states(layout), Aim(upper), WORK, most_passes=300)
    assert len(finer.grid_ms) > len(layout.grid_ms)
    assert len(layout.grid_ms) == 3
    assert value <= upper
