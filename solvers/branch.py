"""``branch``: branch and bound on prices. Every bound it states can be checked from the tree of prices it leaves.

A node allows each device some of its servers. Its bound is the dual in 2E prices over the allowed pairs, climbed
from the parent's prices, which takes about a millisecond. Pairs whose excess over a device's cheapest pair lifts
the bound to the target are dropped; the target is what the best answer so far costs, less the gap that is
wanted. A node that is still open is split by whether one device uses one server (``docs/proofs.md``).
"""

from __future__ import annotations

import heapq
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Annotated, Any

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from uara.branches import BranchCertificate
from uara.certificate import Certificate
from uara.files import Record
from uara.instance import Floats, Indices, Instance
from uara.registry import as_solver
from uara.solver import OPTIMAL_GAP, Answer, Context

from .price import PriceOptions, Root, at_prices, devices_of, searched

SPLIT_S = 6e-7
"""Least time to split a node, for each pair."""


class BranchOptions(Record):
    """Options of branch and bound."""

    gap: Annotated[float, Field(ge=1e-9, lt=1)] = OPTIMAL_GAP
    """Relative gap, on the controllable part, at which the search ends."""
    kicks: Annotated[int, Field(ge=0)] = 30
    """Random changes of the best association that are polished before branching."""
    probes: Annotated[int, Field(ge=1)] = 4
    """Devices whose split is tried at each node before one is chosen."""
    certificate_nodes: Annotated[int, Field(ge=1)] = 20_000
    """Largest tree that is kept as a certificate; beyond it the certificate proves what its top proves."""


@dataclass
class Node:
    """A node of the tree: the pairs that it allows, and what its prices prove of them."""

    listed: Indices
    """Indices of the allowed pairs, increasing."""
    prices: Floats
    bound_ms: float
    weight: Floats
    """Share of each listed pair in the relaxation."""
    split: tuple[int, int] | None = None
    """Device and server that split it."""
    children: list[Node] = field(default_factory=list)


def compile_branch() -> None:
    """Load the compiled kernels, so that the clock does not count them."""
    from .warmup import rehearse

    rehearse(branch, BranchOptions(gap=1e-9))


@as_solver(options=BranchOptions, prepare=compile_branch, warm_start=True)
def branch(instance: Instance, context: Context[BranchOptions]) -> Answer:
    """Branch and bound on prices: proves a gap by a tree of prices that anyone can check."""
    root, found = searched(instance, context, PriceOptions(kicks=context.options.kicks))
    tree = Tree(root, found, context, context.options.gap, context.options.probes)
    tree.grow()
    certificate = tree.certificate(context.options.certificate_nodes)
    return Answer(
        found.decision(), tree.bound_ms + root.numbers.constant_ms, certificate, {"nodes": tree.nodes}
    )


class Tree:
    """Best-first branch and bound below the root's prices.

    Attributes
    ----------
    bound_ms
        What is proven for the controllable part.
    nodes
        How many nodes have been bounded.
    settled_ms
        Least bound of a node with one association left that prices cannot lift to the target.
    """

    def __init__(self, root: Root, found: Any, context: Context[Any], gap: float, probes: int = 4) -> None:
        self.root, self.found, self.context = root, found, context
        self.gap, self.probes = gap, probes
        self.device = devices_of(root.numbers)
        self.nodes = 1
        everything = np.arange(len(root.pairs.server))
        self.top = Node(everything, root.prices, root.value_ms, root.weight)
        self.bound_ms = root.value_ms
        self._open = [(root.value_ms, 0, self.top)]
        self.settled_ms = np.inf

    @property
    def target_ms(self) -> float:
        """A bound of this much ends the search."""
        return float(self.found.cost_ms * (1.0 - self.gap))

    def proven(self) -> bool:
        """Whether the gap is reached."""
        return self.bound_ms >= self.target_ms

    def grow(self, most_nodes: float = np.inf, seconds: float = np.inf) -> None:
        """Split the weakest node until the gap is proven, time is up or the tree is large."""
        context, split_s, rounds = self.context.part(seconds=seconds), SPLIT_S * len(self.device), 0
        while self._open and not self.proven() and self.nodes < most_nodes and context.affords(split_s):
            _, _, node = heapq.heappop(self._open)
            self._split(node, context.expired)
            weakest = min(self._open[0][0] if self._open else np.inf, self.settled_ms, self.target_ms)
            self.bound_ms = max(self.bound_ms, weakest)
            rounds += 1
            if rounds % 8 == 1:
                self._search(node)
            if rounds & (rounds - 1) == 0 or rounds % 256 == 0:
                self._report()
        self._report()

    def alive(self) -> NDArray[np.bool_]:
        """(K,) The pairs that an association below the target may use: those that an open node allows."""
        keep = np.zeros(len(self.device), dtype=bool)
        for bound_ms, _, node in self._open:
            if bound_ms < self.target_ms:
                keep[self._useful(node)[0]] = True
        return keep

    def _report(self) -> None:
        bound_ms = self.bound_ms + self.root.numbers.constant_ms
        self.context.bound(bound_ms, "branches", nodes=self.nodes, open=len(self._open))

    def _search(self, node: Node) -> None:
        """Look for a better answer near what the node's relaxation prefers."""
        weight = np.zeros(len(self.device))
        weight[node.listed] = node.weight
        best = np.lexsort((-weight, self.device))[self.root.pairs.start[:-1]]
        self.found.offer(self.root.pairs.server[best])
        self.found.kick(self.root.likely(self.found.cost_ms), int(self.context.rng.integers(2, 6)))

    def _split(self, node: Node, expired: Callable[[], bool]) -> None:
        """Drop the node's useless pairs, and bound the two children of its best split."""
        listed, weight = self._useful(node)
        decided = len(listed) == len(self.root.pairs.local_ms)
        best: tuple[float, tuple[int, int], list[Node]] | None = None
        for pair in self._splits(listed, weight):
            children = [self._bounded(part, node, expired) for part in self._parts(listed, pair)]
            rises = [max(0.0, min(child.bound_ms, self.target_ms) - node.bound_ms) for child in children]
            merit = (rises[0] + 1e-9) * (rises[1] + 1e-9)
            if best is None or merit > best[0]:
                best = (merit, (int(self.device[pair]), int(self.root.pairs.server[pair])), children)
            if min(child.bound_ms for child in children) >= self.target_ms or expired():
                break
        if best is None:
            return
        _, node.split, node.children = best
        for child in node.children:
            if child.bound_ms < self.target_ms and decided:
                # One association is left. Where it has no optimum but an infimum, prices cannot reach its cost.
                self.settled_ms = min(self.settled_ms, child.bound_ms)
                self.found.offer(self.root.pairs.server[listed])
                self.nodes += 1
            elif child.bound_ms < self.target_ms:
                heapq.heappush(self._open, (child.bound_ms, self.nodes, child))
                self.nodes += 1

    def _useful(self, node: Node) -> tuple[Indices, Floats]:
        """The pairs that an association below the target may use, and their shares."""
        from .price_kernel import restricted

        keep = np.zeros(len(self.device), dtype=bool)
        keep[node.listed] = True
        value, excess_ms, _ = at_prices(restricted(self.root.pairs, keep), node.prices)
        useful = value + excess_ms < self.target_ms
        return node.listed[useful], node.weight[useful]

    def _splits(self, listed: Indices, weight: Floats) -> list[int]:
        """The pairs to split by, most promising first: large devices that the relaxation divides."""
        device = self.device[listed]
        first = np.flatnonzero(np.diff(device, prepend=-1))
        widest = np.maximum.reduceat(weight, first)
        several = np.diff(np.append(first, len(listed))) > 1
        divided = np.where(several, (1.0 - widest + 1e-6) * self.root.pairs.root_flop, -1.0)
        if not several.any():
            return [int(listed[first[0]])]
        order = np.argsort(-divided)[: min(self.probes, int(several.sum()))]
        by_share = np.lexsort((-weight, device))
        return [int(listed[by_share[first[i]]]) for i in order]

    def _parts(self, listed: Indices, pair: int) -> tuple[Indices, Indices]:
        own = self.device[listed] == self.device[pair]
        return listed[~own | (listed == pair)], listed[listed != pair]

    def _bounded(self, listed: Indices, parent: Node, expired: Callable[[], bool]) -> Node:
        """A child: its prices are climbed from the parent's until they reach the target or stall."""
        from .price_ascent import ascend
        from .price_kernel import restricted

        if len(np.unique(self.device[listed])) < len(self.root.pairs.local_ms):
            return Node(listed, parent.prices, np.inf, np.zeros(len(listed)))
        keep = np.zeros(len(self.device), dtype=bool)
        keep[listed] = True
        pairs = restricted(self.root.pairs, keep)
        # A leaf must be seen to reach the target when it is computed again with other roundings.
        enough_ms = self.target_ms + 1e-9 * abs(self.target_ms)
        result = ascend(pairs, parent.prices, hottest=1e-3, enough_ms=enough_ms, expired=expired)
        bound_ms = max(result.value_ms - 1e-11 * abs(result.value_ms), parent.bound_ms)
        return Node(listed, result.prices, bound_ms, result.weight)

    def certificate(self, most_nodes: int) -> Certificate | BranchCertificate:
        """The tree as a certificate; nodes beyond the first ``most_nodes``, breadth first, are cut off."""
        from .price_kernel import certificate_of

        kept: list[Node] = [self.top]
        inner: set[int] = set()
        for node in kept:
            if node.children and len(kept) + 2 <= most_nodes:
                inner.add(id(node))
                kept.extend(node.children)
        if not inner:
            return certificate_of(self.root.pairs, self.root.prices)
        rows: dict[int, int] = {}
        table: list[Certificate] = []
        columns: list[tuple[int, int, int]] = []
        waiting = [self.top]
        while waiting:
            node = waiting.pop()
            if id(node.prices) not in rows:
                rows[id(node.prices)] = len(table)
                table.append(certificate_of(self.root.pairs, node.prices))
            device, server = node.split if id(node) in inner and node.split else (-1, -1)
            columns.append((rows[id(node.prices)], device, server))
            if id(node) in inner:
                waiting.extend(reversed(node.children))
        prices, devices, servers = (np.array(column) for column in zip(*columns, strict=True))
        # Rounding apart, the checker's leaves reach the bound; a pair is then dropped as it was here.
        target_ms = self.bound_ms + self.root.numbers.constant_ms
        return BranchCertificate(target_ms, prices, devices, servers, tuple(table))
