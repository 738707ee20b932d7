"""Branch and price: the parts of the associations that may hold a better answer, weakest bound first."""

from __future__ import annotations

import heapq
from typing import Any

import numpy as np
from numpy.typing import NDArray

from uara.p1.device_prices import DevicePrices
from uara.solver import Context

from .answers import Answers
from .climb import Aim
from .combine import combined
from .fixing import excluded, settle
from .master import Master
from .node import Node, Pricing, generate
from .pricing import CLOSED, OPEN
from .row import DEVICE_LABELS, DeviceRow, target
from .splits import best_split
from .writing import report, written_row, written_tree

FIRST_PASSES = 80
"""Passes of the row's climb before answers are sought from its sets; the climb then goes on towards the better cost."""
_ROOT_PASSES = 1500
_COLUMN_PASSES = 60
"""Passes of the climb after the first pairs are dropped, whose sets are the first columns."""
_PROBES = 8
_ROUNDED_AT_ONCE, _ROUNDED = 20, 100
"""Ends of the climb, latest first, from which an answer is sought."""
_PATIENCE, _PATIENCE_BELOW = 300, 32
"""Shakes without anything better after which no more are made: before the tree, and at each node."""
_GROWTH = 1.3
"""Growth of the columns after which they are combined anew."""


class Tree:
    """The search below one row of device prices.

    Attributes
    ----------
    bound_ms
        What is proven of the controllable part.
    nodes
        How many nodes have been raised.
    """

    def __init__(
        self, row: DeviceRow, found: Any, context: Context[Any], gap: float, constant_ms: float
    ) -> None:
        self.row, self.found, self.context, self.gap = row, found, context, gap
        self._constant_ms = constant_ms
        layout = row.layout
        self.pricing = Pricing(layout, row.work)
        servers, devices = len(layout.wait_ms), len(row.pi)
        states = np.full(len(layout.device), OPEN, dtype=np.uint8)
        settle(layout, states)
        self.top = Node(
            states,
            np.zeros(servers),
            np.full(servers, float(devices)),
            row.pi,
            np.zeros(servers),
            row.value_ms,
        )
        self.bound_ms, self.nodes, self.settled_ms = row.value_ms, 0, np.inf
        self.answers = Answers(layout, found, self.pricing.pool)
        self._combined = 0
        self._open: list[tuple[float, int, Node]] = []
        self._order = 0
        self._master: Master | None = None

    @property
    def target_ms(self) -> float:
        """A bound of this much ends the search."""
        return target(self.found.cost_ms, self.gap)

    @property
    def columns(self) -> int:
        """How many columns there are."""
        return len(self.pricing.pool)

    def proven(self) -> bool:
        """Whether the gap is reached."""
        return self.bound_ms >= self.target_ms

    def grow(self) -> None:
        """Search until the gap is proven or time is up."""
        self._begin()
        while self._open and not self.proven() and not self.context.expired():
            _, _, node = heapq.heappop(self._open)
            self._work_on(node)
            self._raise_bound()
            if self.nodes & (self.nodes - 1) == 0 or self.nodes % 64 == 0:
                self._report()
        self._report()

    def _begin(self) -> None:
        """Drop pairs by the row, climb once more without them, and open the first node."""
        if self.proven():
            return
        pricing, row, top = self.pricing, self.row, self.top
        pricing.pool.add_association(self.found.association)
        self._search(top)
        if self.proven():
            return
        self._drop(top, top.states)
        states = top.states.copy()
        states[top.dropped] = CLOSED
        if not settle(row.layout, states):
            self.bound_ms = self.target_ms
            return
        reduced = DeviceRow(pricing.layout, row.pi, row.work, row.value_ms)
        reduced.climb(
            Aim(self.found.cost_ms, self.target_ms),
            states=states,
            most_passes=_COLUMN_PASSES,
            expired=self.context.expired,
        )
        pricing.layout = reduced.layout
        for sets in reduced.trail:
            pricing.pool.add(sets)
        first = Node(states, top.low, top.high, reduced.pi, top.nu, max(reduced.value_ms, top.value_ms))
        top.children = [first]
        self._master = Master(pricing.pool, len(top.low), reduced.pi, self.found.cost_ms, self.context)
        self._push(first)
        self._raise_bound()

    def _search(self, top: Node) -> None:
        """Look for better answers before the tree grows: their cost decides how much of it is needed."""
        row, answers, context = self.row, self.answers, self.context
        answers.look(row.layout, top.prices, row.value_ms)
        answers.round(list(row.trail), _ROUNDED_AT_ONCE)
        aim = Aim(self.found.cost_ms, self.target_ms, DEVICE_LABELS)
        row.climb(aim, most_passes=_ROOT_PASSES, expired=context.expired)
        self.pricing.layout, top.pi = row.layout, row.pi
        top.value_ms = self.bound_ms = row.value_ms
        report(row, context, self._constant_ms)
        if self.proven() or context.expired():
            return
        answers.look(row.layout, top.prices, row.value_ms)
        answers.round(list(row.trail), _ROUNDED)
        self._again(top, _PATIENCE)

    def _again(self, node: Node, patience: int) -> None:
        """Shake the best answer; after every success where the gap that is left says."""
        while self.answers.shake(patience) and not self.proven() and not self.context.expired():
            self.answers.look(self.pricing.layout, node.prices, node.value_ms, node.states)

    def _combine(self, node: Node) -> None:
        """The best answer that the columns make up."""
        pool, pricing = self.pricing.pool, self.pricing
        if len(pool) < _GROWTH * self._combined:
            return
        self._combined = len(pool)
        value_ms = pricing.dual(node, node.prices, 1e-10 * self.found.cost_ms)
        gap_ms = self.found.cost_ms - value_ms
        association = combined(pool, node.prices, pricing.found.lower, gap_ms, self.context)
        if association is not None and self.found.offer(association):
            pool.add_association(self.found.association)

    def _push(self, node: Node) -> None:
        heapq.heappush(self._open, (node.value_ms, self._order, node))
        self._order += 1

    def _raise_bound(self) -> None:
        weakest = self._open[0][0] if self._open else np.inf
        self.bound_ms = max(self.bound_ms, min(weakest, self.settled_ms, self.target_ms))

    def _report(self) -> None:
        details = {"nodes": self.nodes, "open": len(self._open), "columns": self.columns}
        self.context.bound(self.bound_ms + self._constant_ms, "columns", **details)

    def _drop(self, node: Node, states: NDArray[np.uint8]) -> None:
        """Find the pairs that the node's prices exclude."""
        pricing = self.pricing
        cost_ms = float(self.found.cost_ms)
        value_ms = pricing.dual(node, node.prices, 1e-10 * cost_ms)
        if value_ms < self.target_ms:
            out = excluded(
                pricing.layout,
                node.prices,
                states,
                pricing.found.lower,
                self.target_ms - value_ms,
                self.target_ms,
                pricing.work,
                self.context.expired,
            )
            node.dropped = np.flatnonzero(out)

    def _work_on(self, node: Node) -> None:
        """Raise a node by column generation, and divide it if it stays below the target."""
        assert self._master is not None
        self.nodes += 1
        pricing, expired = self.pricing, self.context.expired
        shares = generate(pricing, self._master, node, self.found.cost_ms, self.target_ms, expired)
        if node.value_ms >= self.target_ms:
            return
        if shares is None and expired():
            self._push(node)
            return
        if shares is None:  # HiGHS gave up on the program: divide the largest device
            shares = np.zeros((len(node.pi), len(node.nu)))
        if self.nodes == 1:
            self._combine(node)
        self.answers.look(pricing.layout, node.prices, node.value_ms, node.states)
        self.answers.prefer(shares)
        self._again(node, _PATIENCE_BELOW)
        if node.value_ms >= self.target_ms:
            return
        self._drop(node, node.states)
        kept = Node(node.states.copy(), node.low, node.high, node.pi, node.nu, node.value_ms)
        kept.states[node.dropped] = CLOSED
        if not settle(pricing.layout, kept.states) or node.value_ms >= self.target_ms:
            return
        chosen = best_split(pricing.layout, self._master, kept, shares, self.target_ms, _PROBES, expired)
        if chosen is None:
            self._settle(node, kept)
            return
        node.split, children = chosen
        node.children = [self._placeholder(node) if child is None else child for child in children]
        for child in children:
            if child is not None:
                self._push(child)

    def _placeholder(self, node: Node) -> Node:
        """A child that holds no association."""
        return Node(node.states, node.low, node.high, node.pi, node.nu, np.inf)

    def _settle(self, node: Node, kept: Node) -> None:
        """One association is left: its cost is what its band prices make it, but for the infimum at lambda = 0."""
        layout = self.pricing.layout
        self.found.offer(
            layout.server[kept.states != CLOSED][np.argsort(layout.device[kept.states != CLOSED])]
        )
        self.pricing.refine((kept.states != CLOSED)[None], 0.0)
        kept.value_ms = max(kept.value_ms, self.pricing.dual(kept, kept.prices, 0.0))
        node.children = [kept]
        self.settled_ms = min(self.settled_ms, kept.value_ms)

    def certificate(self, most_nodes: int) -> DevicePrices:
        """The tree as a certificate; nodes beyond the first ``most_nodes``, breadth first, are cut off."""
        if not self.top.children and not len(self.top.dropped):
            return written_row(self.row)
        return written_tree(self.top, self.pricing.layout, self.target_ms, most_nodes)
