"""Trees of device prices as certificates: what is cut off, which digits stay, and what they prove."""

from __future__ import annotations

import json

import numpy as np
import pytest
from cases import make_instance
from hypothesis import given, settings
from hypothesis import strategies as st
from uara.solvers.columns.climb import Aim
from uara.solvers.columns.node import Node, Split
from uara.solvers.columns.pricing import OPEN
from uara.solvers.columns.row import DeviceRow, first_row
from uara.solvers.columns.writing import _row, report, written_row, written_tree
from uara.solvers.dual.ascent import ascend

from uara import Options, allocate, evaluate
from uara.p1.coefficients import coefficients
from uara.p1.device_prices import CountSplit, DevicePrices, DeviceSplit
from uara.p1.proof import lower_bound
from uara.solver import Context

INSTANCE = make_instance(12, 3, 3, missing=0.0, payload=50.0)
NUMBERS = coefficients(INSTANCE)
UPPER_MS = evaluate(INSTANCE, allocate(INSTANCE, np.arange(12) % 3)).controllable_ms


@pytest.fixture(scope="module")
def row() -> DeviceRow:
    found = first_row(NUMBERS, ascend(NUMBERS).prices)
    found.climb(Aim(UPPER_MS), most_passes=60)
    return found


def child_of(node: Node, **changes: object) -> Node:
    given_ = {"states": node.states, "low": node.low, "high": node.high, "pi": node.pi, "nu": node.nu}
    return Node(**{**given_, "value_ms": node.value_ms, **changes})  # type: ignore[arg-type]


def tree_of(row: DeviceRow) -> Node:
    """A node that goes on once, is divided by a device, and one of its parts by a count."""
    top = Node(
        np.full(36, OPEN, dtype=np.uint8), np.zeros(3), np.full(3, 12.0), row.pi, np.zeros(3), row.value_ms
    )
    on = child_of(top, pi=row.pi.copy())
    top.children = [on]
    on.split = Split(device=4, servers=(0, 2))
    on.children = [child_of(on), child_of(on, pi=row.pi + 0.5)]
    on.children[1].split = Split(server=1, most=3)
    on.children[1].children = [child_of(on), child_of(on, nu=np.array([0.0, 0.1, 0.0]))]
    on.dropped = np.array([1, 5])
    return top


def test_a_written_row_proves_what_the_row_does(row: DeviceRow) -> None:
    certificate = written_row(row)
    assert len(certificate.record.nodes) == 1
    proven = lower_bound(INSTANCE, certificate) - NUMBERS.constant_ms
    # The climb's own minima may be understated by its tolerance.
    assert row.proven_ms() <= proven <= UPPER_MS
    assert proven == pytest.approx(row.value_ms, rel=1e-3)
    copied = DevicePrices.from_plain(json.loads(json.dumps(certificate.to_plain())))
    assert lower_bound(INSTANCE, copied) == lower_bound(INSTANCE, certificate)


def test_the_nodes_of_a_tree_stand_in_their_order(row: DeviceRow) -> None:
    record = written_tree(tree_of(row), row.layout, UPPER_MS, 100).record
    assert record.target_ms == UPPER_MS
    splits = [node.split for node in record.nodes]
    assert splits[0] == "again"
    assert splits[1] == DeviceSplit(device=4, servers=[0, 2])
    assert splits[2] is None
    assert splits[3] == CountSplit(server=1, most=3)
    assert splits[4:] == [None, None]
    layout = row.layout
    pairs = [tuple(pair) for pair in record.nodes[1].drop]
    assert pairs == [(layout.device[k], layout.server[k]) for k in (1, 5)]
    # Equal prices are written once: the first row serves the top alone, since its child holds a copy.
    assert [node.row for node in record.nodes] == [0, 1, 1, 2, 1, 3]
    assert len(record.rows) == 4
    assert record.band_prices == [
        [[*map(float, grid)] for grid in np.split(layout.grid_ms, layout.grid_start[1:-1])]
    ]


@pytest.mark.parametrize("most", range(1, 8))
def test_what_is_beyond_the_first_nodes_is_cut_off(row: DeviceRow, most: int) -> None:
    nodes = written_tree(tree_of(row), row.layout, UPPER_MS, most).record.nodes
    assert len(nodes) == max(size for size in (1, 2, 4, 6) if size <= most)
    leaves = sum(node.split is None for node in nodes)
    assert len(nodes) == 1 or leaves == sum(node.split not in (None, "again") for node in nodes) + 1


@settings(max_examples=50)
@given(st.integers(0, 2**32 - 1), st.integers(-6, 12))
def test_prices_keep_the_digits_that_matter(seed: int, decades: int) -> None:
    rng = np.random.default_rng(seed)
    pi, nu = rng.uniform(0, 1, 9) * 10.0**decades, rng.normal(0, 1, 4) * 10.0**decades
    written = _row(pi, nu)
    size = np.abs(pi).sum()
    assert np.abs(np.array(written.device_price) - pi).max() <= 1e-12 * size
    assert np.abs(np.array(written.count_price) - nu).max() <= 1e-12 * size
    assert written.band == 0


def test_a_run_is_told_the_bound_with_its_proof(row: DeviceRow) -> None:
    seen = []
    context = Context(INSTANCE, Options(), on_progress=seen.append)
    report(row, context, NUMBERS.constant_ms)
    assert [point.message for point in seen] == ["device prices"]
    assert seen[0].bound_ms == row.proven_ms() + NUMBERS.constant_ms
    assert seen[0].details == {"passes": row.passes}
    certificate = context._ledger.certificate
    assert isinstance(certificate, DevicePrices)
    assert lower_bound(INSTANCE, certificate) >= seen[0].bound_ms
