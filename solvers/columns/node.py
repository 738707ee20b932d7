"""A node of the tree, and its dual raised by column generation."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from uara.base.quantities import Floats, Indices

from .bands import refined
from .climb import dual
from .labels import Workspace
from .layout import Layout
from .master import Master
from .pool import Pool
from .pricing import Prices, States, count_term, minima

SMOOTHING = (0.7, 0.49, 0.34, 0.0)
"""Weights of the best prices in the points at which columns are sought, one after the other until there are some."""
_FINEST = 1e-10
_CLOSED = 0.05
"""The dual is not raised further once the program's value is this near, as a part of what is missing to the target."""


@dataclass(frozen=True)
class Split:
    """How a node is divided: by the servers of a device, or by the count of a server."""

    device: int = -1
    servers: tuple[int, ...] = ()
    """The first child has the device at one of these."""
    server: int = -1
    most: int = 0
    """The first child gives the server at most this many devices."""


@dataclass
class Node:
    """A part of the associations: states of the pairs, limits of the counts, and the prices that bound it."""

    states: States
    low: Floats
    high: Floats
    pi: Floats
    nu: Floats
    value_ms: float
    dropped: Indices = field(default_factory=lambda: np.zeros(0, dtype=np.int64))
    """Pairs closed by the node's own prices."""
    split: Split | None = None
    children: list[Node] = field(default_factory=list)
    """One without a split: the node goes on with other prices."""

    @property
    def prices(self) -> Prices:
        """Its device and count prices."""
        return Prices(self.pi, self.nu)


class Pricing:
    """The servers' pairs with their band prices, and the columns found so far."""

    def __init__(self, layout: Layout, work: Workspace) -> None:
        self.layout, self.work = layout, work
        self.pool = Pool(layout)
        self.found = minima(layout)

    def dual(self, node: Node, prices: Prices, tolerance: float) -> float:
        """The dual of a node at some prices; leaves the servers' minima and best sets in ``found``."""
        value = dual(self.layout, prices, node.states, tolerance, self.found, self.work)
        return value + count_term(prices.nu, node.low, node.high)

    def refine(self, sets: NDArray[np.bool_], slack_ms: float) -> bool:
        """Add the band prices that these sets lack; says whether there were any."""
        finer = refined(self.layout, sets, slack_ms)
        if finer is not None:
            self.layout = finer
        return finer is not None


def generate(
    pricing: Pricing,
    master: Master,
    node: Node,
    upper_ms: float,
    target_ms: float,
    expired: Callable[[], bool],
) -> Floats | None:
    """Raise a node's dual until it reaches the target, or all but what the columns' program leaves.

    Returns
    -------
    shares
        (M, E) How the program divides the devices; None if the target is reached or time is up.
    """
    servers = len(pricing.found.lower)
    pool = pricing.pool
    node.value_ms = max(node.value_ms, pricing.dual(node, node.prices, _FINEST * upper_ms))
    pool.add(pricing.found.member)
    best, pi, nu = node.value_ms, node.pi, node.nu
    solved = False
    while best < target_ms and not expired():
        master.enter(node.states, node.low, node.high)
        limit = master.solve()
        if not master.solved:
            solved = False
            break
        solved = True
        if limit - best <= max(_CLOSED * (target_ms - best), _FINEST * upper_ms):
            break
        there = master.prices()
        tolerance = max(0.01 * (limit - best) / servers, 0.1 * _FINEST * upper_ms)
        found, sets = 0, []
        for weight in SMOOTHING:
            at = Prices(weight * pi + (1 - weight) * there.pi, weight * nu + (1 - weight) * there.nu)
            value = pricing.dual(node, at, tolerance)
            sets.append(pricing.found.member.copy())
            if value > best:
                best, pi, nu = value, *at
            found = pool.add(pricing.found.member)
            if found or best >= target_ms:
                break
        if not found and not pricing.refine(np.array(sets), 0.1 * (limit - best) / servers):
            break
    node.value_ms, node.pi, node.nu = best, pi, nu
    return master.shares() if solved and best < target_ms else None
