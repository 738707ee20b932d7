"""How a node may be divided, and which way promises most: the columns' program is asked for both children."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np

from uara.base.quantities import Floats

from .fixing import settle
from .layout import Layout
from .master import Master
from .node import Node, Split
from .pricing import CLOSED

_ITERATIONS = 200
"""Steps of the dual simplex for a child that is only tried."""


def candidates(layout: Layout, node: Node, shares: Floats, probes: int) -> Iterator[Split]:
    """Splits by the most fractional counts, then by the devices that the program divides most."""
    count = shares.sum(axis=0)
    broken = np.minimum(count - np.floor(count + 1e-9), np.ceil(count - 1e-9) - count)
    for j in np.argsort(-broken, kind="stable")[: (probes + 1) // 2]:
        if broken[j] > 1e-3:
            yield Split(server=int(j), most=int(np.floor(count[j])))
    choices = np.bincount(layout.device[node.states != CLOSED], minlength=len(shares))
    divided = np.where(choices > 1, (1 - shares.max(axis=1) + 1e-6) * layout.root_flop**2, -1.0)
    allowed = np.zeros(shares.shape, dtype=bool)
    open_ = node.states != CLOSED
    allowed[layout.device[open_], layout.server[open_]] = True
    for i in np.argsort(-divided, kind="stable")[:probes]:
        if choices[i] > 1:
            yield Split(device=int(i), servers=_half(np.flatnonzero(allowed[i]), shares[i]))


def _half(servers: np.ndarray, share: Floats) -> tuple[int, ...]:
    """Servers that hold about half of a device: the largest share in one half, the next in the other, and so on."""
    halves: tuple[list[int], list[int]] = ([], [])
    weight = [0.0, 0.0]
    for j in servers[np.argsort(-share[servers], kind="stable")]:
        side = 0 if not halves[0] else 1 if not halves[1] else int(weight[1] < weight[0])
        halves[side].append(int(j))
        weight[side] += share[j]
    return tuple(halves[0])


def parts(layout: Layout, node: Node, split: Split) -> list[Node | None]:
    """The two children, with the node's prices; None in the place of one that holds no association."""
    children: list[Node | None] = []
    for first in (True, False):
        states, low, high = node.states.copy(), node.low, node.high
        if split.device >= 0:
            named = np.isin(layout.server, split.servers)
            states[(layout.device == split.device) & (named != first)] = CLOSED
        elif first:
            high = high.copy()
            high[split.server] = min(high[split.server], split.most)
        else:
            low = low.copy()
            low[split.server] = max(low[split.server], split.most + 1)
        empty = not settle(layout, states)
        child = Node(states, low, high, node.pi, node.nu, node.value_ms)
        children.append(None if empty else child)
    return children


def best_split(
    layout: Layout,
    master: Master,
    node: Node,
    shares: Floats,
    target_ms: float,
    probes: int,
    expired: Callable[[], bool],
) -> tuple[Split, list[Node | None]] | None:
    """The split whose two children the columns' program lifts most; None where no device has a choice."""
    best: tuple[float, Split, list[Node | None]] | None = None
    missing = target_ms - node.value_ms
    master.enter(node.states, node.low, node.high)
    master.solve()
    basis = master.basis()
    for split in candidates(layout, node, shares, probes):
        children = parts(layout, node, split)
        merit = 1.0
        for child in children:
            if child is None:
                rise = 1.2 * missing
            else:
                master.enter(child.states, child.low, child.high)
                master.resume(basis)
                rise = master.solve(most_iterations=_ITERATIONS) - node.value_ms
            merit *= min(max(rise, 0.0), 1.2 * missing) + 1e-3 * missing
        if best is None or merit > best[0]:
            best = (merit, split, children)
        if expired():
            break
    return None if best is None else best[1:]
