"""The cheapest set of one server at given device prices, exactly: labels on the deviation from the continuous optimum.

The server's cost of a set S is ``max over g of [c_g + sum over S of r_gi] + (t0 + sum over S of s_i)^2 / F`` with
one row g per band price. For one row the continuous optimum gives a price p of compute with ``t = p F / 2``; taking
item i then costs ``h_i = r_i + p s_i`` on its own, and with the base set {h_i < 0}

    value(S) = lb0 + sum over flips |h_i| + (d0 + sum over flips of +-s_i)^2 / F,

where d is the deviation of t from p F / 2. So only items with ``|h_i|`` below the best value known matter, and the
search runs over labels (d, c), kept by rising d, one item after the other. A label is dropped where

* its own cost and the deviation that the remaining items cannot repair reach the best value known, or
* a neighbour is cheaper, in every row, by what a deviation that differs by dd can cost at most in any completion
  below the best value G: ``|dd| (2 sqrt(F G) + |dd|) / F``.

Both tests are loosened by ``tolerance / (items + 1)``, which adds up to the tolerance at most. With several rows the
row whose continuous optimum is highest plays the part of h; a suffix sum of each row's gains bounds the rest.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from uara.base.kernels import kernel
from uara.base.quantities import Floats, Indices

LABELS = 1 << 17
"""Most labels of one search; beyond them the bound of the continuous optimum is returned."""


class Workspace(NamedTuple):
    """Two lists of labels (deviation, costs row by row, trace), and the traces' parents and items."""

    deviation: Floats
    cost: Floats
    trace: Indices
    parent: Indices
    item: Indices


def workspace(labels: int = LABELS, rows: int = 1) -> Workspace:
    """Memory for searches of this size."""
    return Workspace(
        np.empty((2, labels)),
        np.empty((2, labels * rows)),
        np.empty((2, labels), dtype=np.int64),
        np.empty(4 * labels, dtype=np.int64),
        np.empty(4 * labels, dtype=np.int64),
    )


@kernel
def compute_price(s: Floats, r: Floats, flop: float, t0: float) -> float:
    """The price p = 2 t / F at the optimum of ``(t0 + sum s x)^2 / F + sum r x`` over 0 <= x <= 1."""
    ratio = np.empty(len(s))
    taken = np.empty(len(s), dtype=np.int64)
    n = 0
    for i in range(len(s)):
        if r[i] < 0.0:
            ratio[n], taken[n] = r[i] / s[i], i
            n += 1
    t = t0
    for a in np.argsort(ratio[:n]):
        if ratio[a] + 2.0 * t / flop >= 0.0:
            break
        if ratio[a] + 2.0 * (t + s[taken[a]]) / flop >= 0.0:
            return float(-ratio[a])
        t += s[taken[a]]
    return 2.0 * t / flop


@kernel
def base_row(s: Floats, r: Floats, flop: float, t0: float, c0: Floats) -> tuple[int, float, float]:
    """The row whose continuous optimum is highest, its price of compute, and its value: a lower bound."""
    best, price, value = 0, 0.0, -np.inf
    for g in range(len(r)):
        p = compute_price(s, r[g], flop, t0)
        total = c0[g] + p * t0 - p * p * flop / 4.0
        for i in range(len(s)):
            total += min(0.0, r[g, i] + p * s[i])
        if total > value or g == 0:
            best, price, value = g, p, total
    return best, price, value


@kernel
def cheapest_set(
    s: Floats,
    r: Floats,
    flop: float,
    t0: float,
    c0: Floats,
    cut: float,
    tolerance: float,
    chosen: NDArray[np.bool_],
    work: Workspace,
) -> tuple[float, float, int]:
    """The least cost of a set of items.

    Parameters
    ----------
    s
        (n,) Load of each item.
    r
        (G, n) Cost of each item in each row.
    flop
        F of the server.
    t0, c0
        Load, and (G,) cost in each row, of what is in the set anyway.
    cut
        Sets that cost this much or more are of no interest: the bound may then be this.
    tolerance
        By how much the bound may lie below the optimum.
    chosen
        (n,) Output: the best set seen.

    Returns
    -------
    bound, value, labels
        A lower bound on the cost of every set, what the best set seen costs, and the size of the search.
    """
    rows, n = r.shape
    g0, p, lb0 = base_row(s, r, flop, t0, c0)
    deviation = t0 - p * flop / 2.0
    sign, flip, start = np.empty(n), np.empty((rows, n)), np.empty(rows)
    for g in range(rows):
        start[g] = c0[g] + p * t0 - p * p * flop / 4.0 - lb0
    for i in range(n):
        chosen[i] = r[g0, i] + p * s[i] < 0.0
        sign[i] = -s[i] if chosen[i] else s[i]
        if chosen[i]:
            deviation += s[i]
        for g in range(rows):
            h = r[g, i] + p * s[i]
            flip[g, i] = -h if chosen[i] else h
            if chosen[i]:
                start[g] += h
    best = start.max() + deviation * deviation / flop
    single = -1
    for i in range(n):
        value = start[0] + flip[0, i]
        for g in range(1, rows):
            value = max(value, start[g] + flip[g, i])
        value += (deviation + sign[i]) ** 2 / flop
        if value < best:
            best, single = value, i
    if min(best, cut - lb0) <= tolerance:
        if single >= 0:
            chosen[single] = not chosen[single]
        return lb0, lb0 + best, 0
    found, labels, trace, whole = _search(
        flop, deviation, start, sign, flip, g0, best, cut - lb0, tolerance, work
    )
    if trace < 0 and single >= 0:
        chosen[single] = not chosen[single]
    while trace > 0:
        chosen[work.item[trace]] = not chosen[work.item[trace]]
        trace = work.parent[trace]
    if not whole:
        return lb0, lb0 + found, labels
    return lb0 + max(0.0, min(found, cut - lb0) - tolerance), lb0 + found, labels


@kernel
def _search(
    flop: float,
    deviation: float,
    start: Floats,
    sign: Floats,
    flip: Floats,
    g0: int,
    best: float,
    cut: float,
    tolerance: float,
    work: Workspace,
) -> tuple[float, int, int, bool]:
    """Best value over all flips, labels, the trace of the best set (-1: none better), and whether none was lost."""
    rows, n = flip.shape
    limit = min(best, cut)
    cost0 = flip[g0]
    items = np.argsort(-cost0)
    first = 0
    while first < n and cost0[items[first]] >= limit:
        first += 1
    items = items[first:]
    m = len(items)
    up, down, rest = np.zeros(m + 1), np.zeros(m + 1), np.zeros((rows, m + 1))
    for a in range(m - 1, -1, -1):
        i = items[a]
        up[a] = up[a + 1] + max(sign[i], 0.0)
        down[a] = down[a + 1] + max(-sign[i], 0.0)
        for g in range(rows):
            rest[g, a] = rest[g, a + 1] + min(0.0, flip[g, i])
    slack = tolerance / (m + 1)
    room, traces = min(work.deviation.shape[1], work.cost.shape[1] // rows), len(work.parent)
    now, count, used, labels, trace = 0, 1, 1, 1, -1
    work.deviation[0, 0], work.trace[0, 0] = deviation, 0
    work.cost[0, :rows] = start
    cost = np.empty(rows)
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
            if _dominated(d, cost, new_d, new_c, kept, rows, root, flop, slack):
                continue
            while kept > 0 and _replaces(d, cost, new_d, new_c, kept - 1, rows, root, flop):
                kept -= 1
            if kept >= room or used >= traces:
                return best, labels, trace, False
            if flipped:
                work.parent[used], work.item[used] = behind, i
                behind = used
                used += 1
            new_d[kept], new_t[kept] = d, behind
            new_c[kept * rows : (kept + 1) * rows] = cost
            kept += 1
        now, count = after, kept
        labels += kept
        if count == 0:
            break
    return best, labels, trace, True


@kernel
def _dominated(
    d: float,
    cost: Floats,
    ds: Floats,
    cs: Floats,
    kept: int,
    rows: int,
    root: float,
    flop: float,
    slack: float,
) -> bool:
    """Whether the last kept label can take the place of a new one in every completion."""
    if kept == 0:
        return False
    step = d - ds[kept - 1]
    price = step * (2.0 * root + step) / flop - slack
    for g in range(rows):  # noqa: SIM110 - compiled: no generators
        if cost[g] - cs[(kept - 1) * rows + g] < price:
            return False
    return True


@kernel
def _replaces(
    d: float, cost: Floats, ds: Floats, cs: Floats, last: int, rows: int, root: float, flop: float
) -> bool:
    """Whether a new label can take the place of a kept one."""
    step = d - ds[last]
    price = step * (2.0 * root + step) / flop
    for g in range(rows):  # noqa: SIM110
        if cs[last * rows + g] - cost[g] < price:
            return False
    return True
