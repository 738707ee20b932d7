"""Trees of device prices as certificates."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from uara.base.quantities import Floats
from uara.p1 import device_prices as form
from uara.p1.device_prices import DevicePrices, DevicePricesRecord
from uara.solver import Context

from .layout import Layout, grids_of
from .node import Node

if TYPE_CHECKING:
    from .row import DeviceRow

_DIGITS = 13


def written_tree(top: Node, layout: Layout, target_ms: float, most_nodes: int) -> DevicePrices:
    """A tree as a certificate; nodes beyond the first ``most_nodes``, breadth first, are cut off.

    All rows share the layout's band prices: those that a row was raised with are among them.
    """
    kept = [top]
    inner: set[int] = set()
    for node in kept:
        if node.children and len(kept) + len(node.children) <= most_nodes:
            inner.add(id(node))
            kept.extend(node.children)
    rows: dict[tuple[int, int], int] = {}
    table: list[form.Row] = []
    nodes: list[form.Node] = []
    waiting = [top]
    while waiting:
        node = waiting.pop()
        key = (id(node.pi), id(node.nu))
        if key not in rows:
            rows[key] = len(table)
            table.append(_row(node.pi, node.nu))
        children = node.children if id(node) in inner else []
        nodes.append(_node(node, rows[key], layout, divided=bool(children)))
        waiting.extend(reversed(children))
    return DevicePrices(
        DevicePricesRecord(
            kind="device-prices",
            version=1,
            target_ms=target_ms,
            nodes=nodes,
            rows=table,
            band_prices=[[grid.tolist() for grid in grids_of(layout)]],
        )
    )


def written_row(row: DeviceRow) -> DevicePrices:
    """One row of prices as a certificate of what it proves, whatever the target."""
    servers = len(row.layout.wait_ms)
    none = np.zeros(0, dtype=np.uint8), np.zeros(servers), np.zeros(servers)
    top = Node(*none, row.pi, np.zeros(servers), row.value_ms)
    return written_tree(top, row.layout, 2.0 * abs(row.value_ms), 1)


def _node(node: Node, row: int, layout: Layout, *, divided: bool) -> form.Node:
    pairs = np.stack([layout.device[node.dropped], layout.server[node.dropped]], axis=1)
    split: form.DeviceSplit | form.CountSplit | str | None = None
    if divided and node.split is None:
        split = "again"
    elif divided and node.split is not None and node.split.device >= 0:
        split = form.DeviceSplit(device=node.split.device, servers=list(node.split.servers))
    elif divided and node.split is not None:
        split = form.CountSplit(server=node.split.server, most=node.split.most)
    return form.Node(row=row, drop=pairs.tolist(), split=split)  # type: ignore[arg-type]


def _row(pi: Floats, nu: Floats) -> form.Row:
    """Prices with the digits that matter."""
    size = float(np.abs(pi).sum())
    digits = max(0, _DIGITS - int(np.ceil(np.log10(max(size, 1e-300)))))
    return form.Row(
        device_price=np.round(pi, digits).tolist(), count_price=np.round(nu, digits).tolist(), band=0
    )


def report(row: DeviceRow, context: Context[Any], constant_ms: float) -> None:
    """Tell the run what a row proves, with the certificate."""
    context.certify(written_row(row))
    context.bound(row.proven_ms() + constant_ms, "device prices", passes=row.passes)
