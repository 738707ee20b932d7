"""Columns: each set once with its exact cost, and those that a part of the tree allows."""

from __future__ import annotations

import numpy as np
from cases import instances, make_instance
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from uara.solvers.columns.layout import Layout, layout_of, set_cost
from uara.solvers.columns.pool import Pool
from uara.solvers.columns.pricing import CLOSED, FORCED, OPEN

from uara import Instance
from uara.p1.coefficients import coefficients

SOME = settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])
seeds = st.integers(0, 2**32 - 1)


def layout_for(instance: Instance) -> Layout:
    return layout_of(coefficients(instance), np.zeros(len(instance.servers)))


def pairs_of(layout: Layout, server: int, devices: np.ndarray) -> np.ndarray:  # type: ignore[type-arg]
    own = np.arange(layout.start[server], layout.start[server + 1])
    return own[np.isin(layout.device[own], devices)]


@SOME
@given(instances(), seeds)
def test_every_set_stands_once_with_its_cost(instance: Instance, seed: int) -> None:
    layout, rng = layout_for(instance), np.random.default_rng(seed)
    pool, known = Pool(layout), set()
    for _ in range(6):
        sets = rng.random(len(layout.device)) < rng.choice([0.0, 0.3, 0.7, 1.0])
        given = {
            (j, tuple(layout.device[layout.start[j] : layout.start[j + 1]][sets[slice(*own)]]))
            for j, own in enumerate(zip(layout.start[:-1], layout.start[1:], strict=True))
        }
        assert pool.add(sets) == len(given - known)
        known |= given
    found = [
        (int(j), tuple(np.flatnonzero(devices))) for j, devices in zip(pool.server, pool.member, strict=True)
    ]
    assert len(found) == len(known) == len(pool)
    assert set(found) == known
    for (j, devices), cost in zip(found, pool.cost_ms, strict=True):
        assert cost == set_cost(layout, j, pairs_of(layout, j, np.array(devices)))[0]


@SOME
@given(instances(), seeds)
def test_columns_fit_where_no_pair_is_closed_and_no_forced_one_is_missing(
    instance: Instance, seed: int
) -> None:
    layout, rng = layout_for(instance), np.random.default_rng(seed)
    pool = Pool(layout)
    for _ in range(4):
        pool.add(rng.random(len(layout.device)) < 0.5)
    states = rng.choice([CLOSED, OPEN, OPEN, FORCED], len(layout.device)).astype(np.uint8)
    for column, fits in enumerate(pool.fitting(states)):
        own = layout.server == pool.server[column]
        inside = pool.member[column][layout.device]
        assert fits == (
            not (own & inside & (states == CLOSED)).any() and inside[own & (states == FORCED)].all()
        )


def test_an_association_gives_a_set_to_each_server_and_room_grows() -> None:
    instance = make_instance(9, 3, 1, missing=0.0)
    layout, rng = layout_for(instance), np.random.default_rng(0)
    pool = Pool(layout)
    association = np.array([0, 0, 0, 1, 1, 2, 2, 2, 2])
    assert pool.add_association(association) == 3
    assert pool.add_association(association) == 0
    assert [np.flatnonzero(each).tolist() for each in pool.member] == [[0, 1, 2], [3, 4], [5, 6, 7, 8]]
    first = pool.member.copy()
    for _ in range(60):
        pool.add(rng.random(len(layout.device)) < 0.5)
    assert len(pool) > 64
    assert (pool.member[:3] == first).all()
