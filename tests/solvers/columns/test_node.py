"""A node's dual by column generation: a bound on what the node holds, and where it stops."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest
from cases import instances, make_instance
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from uara.solvers.columns.fixing import settle
from uara.solvers.columns.labels import workspace
from uara.solvers.columns.layout import layout_of
from uara.solvers.columns.master import Master
from uara.solvers.columns.node import Node, Pricing, Split, generate
from uara.solvers.columns.pricing import CLOSED, OPEN, Prices

from uara import Instance, Options, allocate, evaluate
from uara.p1.coefficients import coefficients
from uara.solver import Context

WORK = workspace(1 << 12, 24)


def begun(instance: Instance, states: np.ndarray, low: np.ndarray, high: np.ndarray) -> tuple[Pricing, Node]:  # type: ignore[type-arg]
    """Pricing with a band price a server, and a node at each device's cheapest cost."""
    layout = layout_of(coefficients(instance), np.full(len(instance.servers), 3.0))
    pi = np.full(len(instance.devices), np.inf)
    np.minimum.at(pi, layout.device, layout.table_ms)
    return Pricing(layout, WORK), Node(states, low, high, pi, np.zeros(len(low)), -np.inf)


def master_of(instance: Instance, pricing: Pricing, node: Node, upper_ms: float) -> Master:
    return Master(pricing.pool, len(node.nu), node.pi, upper_ms, Context(instance, Options()))


def within(instance: Instance, node: Node) -> list[float]:
    """What every association that the node holds costs."""
    layout = layout_of(coefficients(instance), np.zeros(len(instance.servers)))
    allowed = np.zeros((len(instance.devices), len(instance.servers)), dtype=bool)
    open_ = node.states != CLOSED
    allowed[layout.device[open_], layout.server[open_]] = True
    found = []
    for one in product(*(np.flatnonzero(row) for row in allowed)):
        count = np.bincount(one, minlength=len(node.low))
        if (node.low <= count).all() and (count <= node.high).all():
            found.append(evaluate(instance, allocate(instance, np.array(one))).controllable_ms)
    return found


@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(instances(4, 3), st.integers(0, 2**32 - 1))
def test_a_raised_node_bounds_all_that_it_holds(instance: Instance, seed: int) -> None:
    rng, servers = np.random.default_rng(seed), len(instance.servers)
    pairs = len(coefficients(instance).server)
    states = rng.choice([CLOSED, OPEN, OPEN, OPEN], pairs).astype(np.uint8)
    low = rng.integers(0, 2, servers).astype(float)
    high = low + rng.integers(0, len(instance.devices) + 1, servers)
    pricing, node = begun(instance, states, low, high)
    if not settle(pricing.layout, node.states):
        return
    held = within(instance, node)
    upper = max(held, default=1e3)
    shares = generate(
        pricing, master_of(instance, pricing, node, upper), node, upper, 2 * upper, lambda: False
    )
    if not held:
        return
    least, size = min(held), np.abs(node.pi).sum() + np.abs(node.nu).sum()
    assert node.value_ms <= least + 1e-9 * (least + size)
    if shares is not None:
        assert shares.sum(axis=1) == pytest.approx(1.0)
        assert (shares >= 0).all()
    again = pricing.dual(node, node.prices, 1e-12 * upper)
    assert again >= node.value_ms - 1e-3 * (abs(node.value_ms) + 1e-6 * size)


def test_it_stops_at_its_target_and_where_time_is_up() -> None:
    instance = make_instance(10, 3, 3, missing=0.0, payload=50.0)
    upper = evaluate(instance, allocate(instance, np.arange(10) % 3)).controllable_ms
    states, none, many = np.full(30, OPEN, dtype=np.uint8), np.zeros(3), np.full(3, 10.0)
    pricing, node = begun(instance, states, none, many)
    first = pricing.dual(node, node.prices, 1e-9)
    pricing, node = begun(instance, states, none, many)
    master = master_of(instance, pricing, node, upper)
    assert generate(pricing, master, node, upper, first - 1.0, lambda: False) is None
    assert node.value_ms == pytest.approx(first, abs=1e-6 * upper)
    pricing, node = begun(instance, states, none, many)
    master = master_of(instance, pricing, node, upper)
    assert generate(pricing, master, node, upper, upper, lambda: True) is None
    assert node.value_ms == pytest.approx(first, abs=1e-6 * upper)
    shares = generate(pricing, master, node, upper, upper, lambda: False)
    assert shares is not None
    assert node.value_ms > first
    assert len(pricing.pool) > 3


def test_the_dual_counts_what_limits_of_counts_add() -> None:
    instance = make_instance(5, 2, 1, missing=0.0)
    states = np.full(10, OPEN, dtype=np.uint8)
    low, high = np.array([1.0, 0.0]), np.array([3.0, 4.0])
    pricing, node = begun(instance, states, low, high)
    wide = Node(states, np.zeros(2), np.full(2, 5.0), node.pi, node.nu, -np.inf)
    at = Prices(node.pi, np.array([0.5, -0.25]))
    apart = pricing.dual(node, at, 0.0) - pricing.dual(wide, at, 0.0)
    assert apart == pytest.approx(0.5 * 1.0 - 0.25 * (4.0 - 5.0), abs=1e-9)


def test_band_prices_are_added_once() -> None:
    instance = make_instance(8, 2, 1, payload=2000.0, missing=0.0)
    pricing, _ = begun(instance, np.full(16, OPEN, dtype=np.uint8), np.zeros(2), np.full(2, 8.0))
    sets = np.ones((1, 16), dtype=bool)
    before = pricing.layout
    assert pricing.refine(sets, 1e-6)
    assert len(pricing.layout.grid_ms) == len(before.grid_ms) + 2
    assert not pricing.refine(sets, 1e-6)


def test_a_new_node_and_a_split_say_nothing() -> None:
    node = Node(np.zeros(0, dtype=np.uint8), np.zeros(1), np.ones(1), np.zeros(1), np.zeros(1), 0.0)
    assert len(node.dropped) == 0
    assert node.split is None
    assert node.children == []
    assert (Split().device, Split().server) == (-1, -1)
