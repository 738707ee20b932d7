"""Climb, columns, splits and tree: bounds in order, nothing lost, the same whatever the clock."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest
from cases import make_instance
from uara.solvers.columns import climb as climbing
from uara.solvers.columns.climb import Aim
from uara.solvers.columns.layout import layout_of
from uara.solvers.columns.master import Master
from uara.solvers.columns.node import Node, Pricing, generate
from uara.solvers.columns.pricing import CLOSED, OPEN
from uara.solvers.columns.row import DeviceRow, first_row, implied_prices
from uara.solvers.columns.splits import candidates, parts
from uara.solvers.columns.writing import written_row
from uara.solvers.dual.price import PriceOptions, Root

from uara import Instance, solve
from uara.base.files import Record
from uara.p1.device_prices import DevicePrices
from uara.p1.model import coefficients
from uara.p1.proof import lower_bound
from uara.solver import Context

INSTANCE = make_instance(24, 4, 3, payload=10.0, missing=0.0)
BEST_MS = solve(INSTANCE, "exact", options={"gap": 1e-9}).evaluation.controllable_ms


def row_of(instance: Instance) -> DeviceRow:
    root = Root(instance, Context(instance, PriceOptions()), PriceOptions())
    root.raise_bound()
    return first_row(root.numbers, root.prices)


def raised() -> tuple[Pricing, Master, Node]:
    """The root node, not yet raised."""
    row = row_of(INSTANCE)
    pricing = Pricing(row.layout, row.work)
    servers = len(INSTANCE.servers)
    states = np.full(len(row.layout.device), OPEN, dtype=np.uint8)
    node = Node(states, np.zeros(servers), np.full(servers, 24.0), row.pi, np.zeros(servers), -np.inf)
    return pricing, Master(pricing.pool, servers, row.pi, BEST_MS, Context(INSTANCE, Record())), node


def test_a_climb_ends_the_same_whatever_the_clock(monkeypatch: pytest.MonkeyPatch) -> None:
    results = []
    for stretch_s in (1e-9, 0.02, 100.0):
        monkeypatch.setattr(climbing, "_STRETCH_S", stretch_s)
        row = row_of(INSTANCE)
        row.climb(Aim(BEST_MS))
        results.append((row.value_ms, row.passes, row.pi.tolist()))
    assert results[0] == results[1] == results[2]


def test_a_climb_stops_at_its_work_and_its_aim() -> None:
    row = row_of(INSTANCE)
    row.climb(Aim(BEST_MS, most_labels=1.0))
    assert row.passes == 1
    low = row.value_ms
    row = row_of(INSTANCE)
    row.climb(Aim(BEST_MS, low))
    assert row.passes == 1


def test_a_written_row_proves_what_was_climbed() -> None:
    row = row_of(INSTANCE)
    row.climb(Aim(BEST_MS))
    proven = lower_bound(INSTANCE, written_row(row)) - coefficients(INSTANCE).constant_ms
    assert row.proven_ms() <= proven <= BEST_MS * (1 + 1e-12)


def test_the_2e_prices_of_a_row_start_a_climb_near_its_end() -> None:
    row = row_of(INSTANCE)
    row.climb(Aim(BEST_MS))
    numbers = coefficients(INSTANCE)
    again = first_row(numbers, implied_prices(numbers, written_row(row)))
    again.climb(Aim(BEST_MS, most_labels=1.0))
    assert again.value_ms >= BEST_MS * (1 - 0.05)


def test_columns_raise_the_dual_to_the_value_of_their_program() -> None:
    pricing, master, node = raised()
    target_ms = BEST_MS * 1.001
    shares = generate(pricing, master, node, BEST_MS, target_ms, lambda: False)
    assert shares is not None
    assert shares.sum(axis=1) == pytest.approx(1.0)
    program = master.solve()
    assert node.value_ms <= program * (1 + 1e-9)
    assert program <= BEST_MS * (1 + 1e-9)
    assert node.value_ms >= program - 0.06 * (target_ms - node.value_ms)


def test_columns_cost_what_the_model_says_and_come_once() -> None:
    pricing, _, _ = raised()
    association = solve(INSTANCE, "tma").decision.association  # type: ignore[attr-defined]
    assert pricing.pool.add_association(association) == 4
    assert pricing.pool.add_association(association) == 0
    truth = solve(INSTANCE, "tma", options={"allocation": "optimal"})
    cost = solve(INSTANCE, "exact", start=truth.decision)
    assert cost.evaluation.controllable_ms <= pricing.pool.cost_ms.sum() * (1 + 1e-9)


def test_the_parts_of_a_split_hold_every_association_once() -> None:
    instance = make_instance(4, 3, 1, missing=0.0)
    layout = layout_of(coefficients(instance), np.zeros(3))
    states = np.full(12, OPEN, dtype=np.uint8)
    node = Node(states, np.zeros(3), np.full(3, 4.0), np.zeros(4), np.zeros(3), 0.0)
    shares = np.random.default_rng(1).dirichlet(np.ones(3), 4)

    def holds(part: Node | None, association: tuple[int, ...]) -> bool:
        if part is None:
            return False
        used = np.array(association)[layout.device] == layout.server
        count = np.bincount(association, minlength=3)
        return bool(
            (part.states[used] != CLOSED).all() and (part.low <= count).all() and (count <= part.high).all()
        )

    splits = list(candidates(layout, node, shares, 8))
    assert {split.device >= 0 for split in splits} == {True, False}
    for split in splits:
        children = parts(layout, node, split)
        for association in product(range(3), repeat=4):
            assert sum(holds(child, association) for child in children) == 1


@pytest.mark.integration
@pytest.mark.parametrize("nodes", [1, 2, 4, 9])
def test_the_top_of_a_tree_proves_less_but_something(nodes: int) -> None:
    instance = make_instance(30, 12, 4, payload=10.0, missing=0.0)
    full = solve(instance, "exact", options={"gap": 1e-9})
    assert isinstance(full.certificate, DevicePrices)
    assert len(full.certificate.record.nodes) > 1
    cut = solve(instance, "exact", options={"gap": 1e-9, "certificate_nodes": nodes})
    assert isinstance(cut.certificate, DevicePrices)
    assert len(cut.certificate.record.nodes) <= nodes
    proven = lower_bound(instance, cut.certificate)
    root = solve(instance, "price").bound_ms
    assert root is not None
    assert root - 2e-4 * full.evaluation.controllable_ms <= proven <= full.evaluation.objective_ms
