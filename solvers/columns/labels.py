"""The search over labels (deviation, cost) behind :mod:`.knapsack`: one item after the other, lists kept by deviation.

Two loops that do the same: for one row of costs, which is the usual case and runs several times faster, and for many.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from uara.base.kernels import kernel
from uara.base.quantities import Floats, Indices

from .room import DOWN, LABEL, ORDER, RATIO, REST, UP, Room, sort_by

LABELS = 1 << 17
"""Most labels of one search; beyond them the bound of the continuous optimum is returned."""


class Workspace(NamedTuple):
    """Memory of a search: two lists of labels, and the steps that led to them."""

    deviation: Floats
    """(2, L) Load less that of the continuous optimum, in the layout's unit of root of work."""
    cost: Floats
    """(2, L G) Cost of the flips, ms: label by label, row by row."""
    trace: Indices
    """(2, L) Last step of each label."""
    parent: Indices
    """(4 L,) The step before each step, 0 for none."""
    item: Indices
    """(4 L,) The item that each step flips."""


def workspace(labels: int = LABELS, rows: int = 1) -> Workspace:
    """Memory for searches of this size."""
    return Workspace(
        np.empty((2, labels)),
        np.empty((2, labels * rows)),
        np.empty((2, labels), dtype=np.int64),
        np.empty(4 * labels, dtype=np.int64),
        np.empty(4 * labels, dtype=np.int64),
    )


class Flips(NamedTuple):
    """Sets as flips of the base set: ``max_g [start_g + sum flip_gi] + (deviation + sum sign_i)^2 / flop``."""

    flop: float
    """F of the server, in the square of the layout's unit of root of work per ms."""
    deviation: float
    """Load of the base set less that of the continuous optimum, in that unit."""
    start: Floats
    """(G,) Cost of the base set above the continuous optimum, ms."""
    sign: Floats
    """(n,) What a flip adds to the load."""
    flip: Floats
    """(G, n) or wider. What it adds to the cost, ms; at least 0 in the base row."""
    base_row: int
    """The row whose band price the base set was found at."""


@kernel(allocates=False, inner=True)
def order_of(cost: Floats, count: int, limit: float, room: Room) -> int:
    """Put the items that a set below the limit may flip into the room's order, dearest first; how many there are."""
    key, order = room.line[RATIO], room.whole[ORDER]
    n: Any = np.int64(0)  # a bare 0 is a type of its own, which costs another compilation
    for i in range(count):
        if cost[i] < limit:
            key[i], order[n] = -cost[i], i
            n += 1
    sort_by(key, order, n)
    return int(n)


@kernel(allocates=False, inner=True)
def search_one_row(
    flips: Flips, best: float, cut: float, tolerance: float, work: Workspace, room: Room
) -> tuple[float, int, int, bool]:
    """Best value over all flips, labels, the trace of the best set (-1: none better), and whether none was lost."""
    flop, sign, flip = flips.flop, flips.sign, flips.flip[0]
    limit = min(best, cut)
    items, up, down = room.whole[ORDER], room.line[UP], room.line[DOWN]
    m = order_of(flip, len(sign), limit, room)
    up[m] = down[m] = 0.0
    for a in range(m - 1, -1, -1):
        up[a] = up[a + 1] + max(sign[items[a]], 0.0)
        down[a] = down[a + 1] + max(-sign[items[a]], 0.0)
    slack = tolerance / (m + 1)
    parent, item = work.parent, work.item
    most, traces = work.deviation.shape[1], len(parent) - 1
    per_flop = 1.0 / flop
    now, count, used, labels, trace = 0, 1, 1, 1, -1
    work.deviation[0, 0], work.cost[0, 0], work.trace[0, 0] = flips.deviation, flips.start[0], 0
    for a in range(m):
        i = items[a]
        rise, step = flip[i], sign[i]
        if rise >= limit:
            continue
        after = 1 - now
        old_d, new_d = work.deviation[now], work.deviation[after]
        old_c, new_c = work.cost[now], work.cost[after]
        old_t, new_t = work.trace[now], work.trace[after]
        below, above = down[a + 1], up[a + 1]
        twice_root = 2.0 * np.sqrt(flop * max(limit, 0.0))
        bar = limit - slack
        u, v, kept = 0, 0, 0
        last_d, last_c = -np.inf, np.inf
        while u < count or v < count:
            if v < count and (u >= count or old_d[v] + step < old_d[u]):
                d, c, source, flipped = old_d[v] + step, old_c[v] + rise, v, True
                v += 1
                if c >= bar:
                    continue
                value = c + d * d * per_flop
                if value < best:
                    if used >= traces:
                        return best, labels, trace, False
                    parent[used], item[used] = old_t[source], i
                    best, trace = value, used
                    used += 1
                    limit = min(best, cut)
                    bar = limit - slack
                    twice_root = 2.0 * np.sqrt(flop * max(limit, 0.0))
            else:
                d, c, source, flipped = old_d[u], old_c[u], u, False
                u += 1
            far = max(0.0, d - below, -d - above)
            if c + far * far * per_flop >= bar:
                continue
            apart = d - last_d
            price = apart * (twice_root + apart) * per_flop
            if kept > 0 and c - last_c >= price - slack:
                continue
            while kept > 0 and last_c - c >= price:
                kept -= 1
                if kept > 0:
                    last_d, last_c = new_d[kept - 1], new_c[kept - 1]
                    apart = d - last_d
                    price = apart * (twice_root + apart) * per_flop
            if kept >= most or used >= traces:
                return best, labels, trace, False
            if flipped:
                parent[used], item[used] = old_t[source], i
                new_t[kept] = used
                used += 1
            else:
                new_t[kept] = old_t[source]
            new_d[kept], new_c[kept] = d, c
            last_d, last_c = d, c
            kept += 1
        now, count = after, kept
        labels += kept
        if count == 0:
            break
    return best, labels, trace, True


@kernel(allocates=False, inner=True)
def search_rows(
    flips: Flips, best: float, cut: float, tolerance: float, work: Workspace, room: Room
) -> tuple[float, int, int, bool]:
    """Best value over all flips, labels, the trace of the best set (-1: none better), and whether none was lost."""
    flop, start, sign, flip = flips.flop, flips.start, flips.sign, flips.flip
    rows = len(start)
    limit = min(best, cut)
    cost0 = flip[flips.base_row]
    items, up, down, rest = room.whole[ORDER], room.line[UP], room.line[DOWN], room.table[REST]
    m = order_of(cost0, len(sign), limit, room)
    up[m] = down[m] = 0.0
    for g in range(rows):
        rest[g, m] = 0.0
    for a in range(m - 1, -1, -1):
        i = items[a]
        up[a] = up[a + 1] + max(sign[i], 0.0)
        down[a] = down[a + 1] + max(-sign[i], 0.0)
        for g in range(rows):
            rest[g, a] = rest[g, a + 1] + min(0.0, flip[g, i])
    slack = tolerance / (m + 1)
    most, traces = min(work.deviation.shape[1], work.cost.shape[1] // rows), len(work.parent)
    now, count, used, labels, trace = 0, 1, 1, 1, -1
    work.deviation[0, 0], work.trace[0, 0] = flips.deviation, 0
    for g in range(rows):  # a slice's check of shapes would compile Python's texts: seconds
        work.cost[0, g] = start[g]
    cost = room.head[LABEL]
    for a in range(m):
        i = items[a]
        if cost0[i] >= limit:
            continue
        after = 1 - now
        old_d, new_d = work.deviation[now], work.deviation[after]
        old_c, new_c = work.cost[now], work.cost[after]
        old_t, new_t = work.trace[now], work.trace[after]
        u, v, kept = 0, 0, 0
        root = np.sqrt(flop * limit)
        while u < count or v < count:
            flipped = u >= count or (v < count and old_d[v] + sign[i] < old_d[u])
            source = v if flipped else u
            d, behind = old_d[source], old_t[source]
            highest, reach = -np.inf, -np.inf
            for g in range(rows):
                cost[g] = old_c[source * rows + g]
                if flipped:
                    cost[g] += flip[g, i]
                highest = max(highest, cost[g])
                reach = max(reach, cost[g] + rest[g, a + 1])
            if flipped:
                v += 1
                d += sign[i]
                value = highest + d * d / flop
                if value < best:
                    if used >= traces:
                        return best, labels, trace, False
                    work.parent[used], work.item[used] = behind, i
                    best, trace = value, used
                    used += 1
                    limit = min(best, cut)
                    root = np.sqrt(flop * max(limit, 0.0))
            else:
                u += 1
            far = max(0.0, d - down[a + 1], -d - up[a + 1])
            if reach + far * far / flop >= limit - slack:
                continue
            if kept > 0:
                step = d - new_d[kept - 1]
                price = step * (2.0 * root + step) / flop - slack
                if _least_difference(cost, new_c, rows, kept - 1, 1.0) >= price:
                    continue
            while kept > 0:
                step = d - new_d[kept - 1]
                if _least_difference(cost, new_c, rows, kept - 1, -1.0) < step * (2.0 * root + step) / flop:
                    break
                kept -= 1
            if kept >= most or used >= traces:
                return best, labels, trace, False
            if flipped:
                work.parent[used], work.item[used] = behind, i
                behind = used
                used += 1
            new_d[kept], new_t[kept] = d, behind
            for g in range(rows):
                new_c[kept * rows + g] = cost[g]
            kept += 1
        now, count = after, kept
        labels += kept
        if count == 0:
            break
    return best, labels, trace, True


@kernel(allocates=False, inner=True)
def _least_difference(cost: Floats, costs: Floats, rows: int, label: int, sign: float) -> float:
    """Least over the rows of (cost - that of a kept label), or of its opposite for a sign of -1."""
    least = np.inf
    for g in range(rows):
        least = min(least, sign * (cost[g] - costs[label * rows + g]))
    return float(least)
