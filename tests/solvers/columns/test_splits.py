"""How a node is divided: nothing lost, nothing twice, and the split that promises most."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest
from cases import make_instance
from hypothesis import given, settings
from hypothesis import strategies as st
from uara.solvers.columns.fixing import settle
from uara.solvers.columns.layout import Layout, layout_of
from uara.solvers.columns.master import Master
from uara.solvers.columns.node import Node, Split
from uara.solvers.columns.pool import Pool
from uara.solvers.columns.pricing import CLOSED, OPEN
from uara.solvers.columns.splits import _half, best_split, candidates, parts

from uara import Options
from uara.p1.coefficients import coefficients
from uara.solver import Context

INSTANCE = make_instance(4, 3, 1, missing=0.0)
LAYOUT = layout_of(coefficients(INSTANCE), np.zeros(3))
ALL = [np.array(one) for one in product(range(3), repeat=4)]
seeds = st.integers(0, 2**32 - 1)


def holds(part: Node | None, association: np.ndarray) -> bool:  # type: ignore[type-arg]
    if part is None:
        return False
    used = association[LAYOUT.device] == LAYOUT.server
    count = np.bincount(association, minlength=3)
    allowed = (part.states[used] != CLOSED).all()
    return bool(allowed and (part.low <= count).all() and (count <= part.high).all())


def some_node(rng: np.random.Generator) -> Node:
    """A node deep in some tree: closed pairs, limits of counts; every device has a choice or its only server."""
    states = rng.choice([CLOSED, OPEN], 12, p=[0.3, 0.7]).astype(np.uint8)
    for i in range(4):
        states[np.flatnonzero(LAYOUT.device == i)[rng.integers(3)]] = OPEN
    settle(LAYOUT, states)
    low = rng.integers(0, 2, 3).astype(float)
    return Node(states, low, low + rng.integers(0, 4, 3), np.zeros(4), np.zeros(3), 1.0)


def shares_within(node: Node, rng: np.random.Generator) -> np.ndarray:  # type: ignore[type-arg]
    allowed = np.zeros((4, 3))
    allowed[LAYOUT.device[node.states != CLOSED], LAYOUT.server[node.states != CLOSED]] = 1
    share = allowed * rng.dirichlet(np.full(3, 0.5), 4) + 1e-9 * allowed
    return share / share.sum(axis=1, keepdims=True)


@settings(max_examples=25, deadline=None)
@given(seeds, st.integers(1, 8))
def test_children_share_out_what_a_node_holds(seed: int, probes: int) -> None:
    rng = np.random.default_rng(seed)
    node = some_node(rng)
    before = node.states.copy(), node.low.copy(), node.high.copy()
    splits = list(candidates(LAYOUT, node, shares_within(node, rng), probes))
    assert len({(s.device, s.server) for s in splits}) == len(splits)
    assert len(splits) <= probes + (probes + 1) // 2
    for split in splits:
        first, second = children = parts(LAYOUT, node, split)
        for association in ALL:
            assert sum(holds(child, association) for child in children) == holds(node, association)
        if split.device >= 0:
            own = node.states[(LAYOUT.device == split.device) & np.isin(LAYOUT.server, split.servers)]
            assert (own != CLOSED).all()
            assert first is not None
            assert second is not None  # each half has a server of the device's own
    for now, then in zip((node.states, node.low, node.high), before, strict=True):
        assert (now == then).all()


@given(st.integers(2, 6), seeds)
def test_halves_weigh_about_the_same(count: int, seed: int) -> None:
    share = np.random.default_rng(seed).dirichlet(np.full(count, 0.7))
    first = list(_half(np.arange(count), share))
    rest = sorted(set(range(count)) - set(first))
    assert first
    assert rest
    assert int(np.argmax(share)) in first
    assert abs(share[first].sum() - share[rest].sum()) <= share.max() + 1e-12


def master_of(layout: Layout) -> Master:
    pool = Pool(layout)
    for one in ALL:
        pool.add_association(one)
    return Master(pool, 3, np.zeros(4), float(pool.cost_ms.sum()), Context(INSTANCE, Options()))


def open_node() -> Node:
    states = np.full(12, OPEN, dtype=np.uint8)
    return Node(states, np.zeros(3), np.full(3, 4.0), np.zeros(4), np.zeros(3), 0.0)


def least_of(node: Node | None, master: Master) -> float:
    assert node is not None
    master.enter(node.states, node.low, node.high)
    return master.solve()


def test_the_chosen_split_lifts_its_children_most() -> None:
    master, node = master_of(LAYOUT), open_node()
    node.value_ms = least_of(node, master)
    shares = np.random.default_rng(2).dirichlet(np.ones(3), 4)
    missing = 0.1 * node.value_ms
    found = best_split(LAYOUT, master, node, shares, node.value_ms + missing, 8, lambda: False)
    assert found is not None

    def merit(split: Split) -> float:
        rises = [least_of(child, master) - node.value_ms for child in parts(LAYOUT, node, split)]
        assert min(rises) >= -1e-6 * node.value_ms
        return float(np.prod([min(max(rise, 0), 1.2 * missing) + 1e-3 * missing for rise in rises]))

    every = list(candidates(LAYOUT, node, shares, 8))
    assert len(every) > 3
    assert merit(found[0]) == pytest.approx(max(map(merit, every)), rel=1e-6)


def test_where_time_is_up_the_first_split_is_taken_and_without_a_choice_none() -> None:
    master, node = master_of(LAYOUT), open_node()
    shares = np.random.default_rng(2).dirichlet(np.ones(3), 4)
    found = best_split(LAYOUT, master, node, shares, 1e9, 8, lambda: True)
    assert found is not None
    assert found[0] == next(candidates(LAYOUT, node, shares, 8))
    node.states[LAYOUT.server != 0] = CLOSED
    settle(LAYOUT, node.states)
    whole = np.tile([1.0, 0.0, 0.0], (4, 1))
    assert best_split(LAYOUT, master, node, whole, 1e9, 8, lambda: False) is None
