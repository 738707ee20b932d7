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

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from uara.base.kernels import kernel
from uara.base.quantities import Floats, Indices

from .labels import Flips, Workspace, search_one_row, search_rows
from .room import FLIP, ORDER, RATIO, SIGN, START, Room, sort_by


class Items(NamedTuple):
    """One server's choice: ``max over g of [c_g + sum of r_gi] + (t0 + sum of s_i)^2 / flop`` over sets of n items."""

    s: Floats
    """(n,) Load of each item, in the layout's unit of root of work."""
    r: Floats
    """(G, n) or wider. Cost of each item in each row, ms."""
    flop: float
    """F of the server, in the square of that unit per ms."""
    t0: float
    """Load of what is in the set anyway, in the same unit."""
    c0: Floats
    """(G,) Its cost in each row, ms."""


@kernel(allocates=False, inner=True)
def compute_price(s: Floats, r: Floats, flop: float, t0: float, ratio: Floats, order: Indices) -> float:
    """The price p = 2 t / F at the optimum of ``(t0 + sum s x)^2 / F + sum r x`` over 0 <= x <= 1.

    Parameters
    ----------
    ratio, order
        (n,) Work space.
    """
    n: Any = np.int64(0)  # a bare 0 is a type of its own, which costs another compilation
    for i in range(len(s)):
        if r[i] < 0.0:
            ratio[i], order[n] = r[i] / s[i], i
            n += 1
    sort_by(ratio, order, n)
    t = t0
    for a in range(n):
        i = order[a]
        if ratio[i] + 2.0 * t / flop >= 0.0:
            break
        if ratio[i] + 2.0 * (t + s[i]) / flop >= 0.0:
            return float(-ratio[i])
        t += s[i]
    return 2.0 * t / flop


@kernel(allocates=False)
def base_row(items: Items, ratio: Floats, order: Indices) -> tuple[int, float, float]:
    """The row whose continuous optimum is highest, its price of compute, and its value: a lower bound.

    Parameters
    ----------
    ratio, order
        (n,) Work space.
    """
    best, price, value = 0, 0.0, -np.inf
    s, flop = items.s, items.flop
    for g in range(len(items.c0)):
        own = items.r[g]
        p = compute_price(s, own, flop, items.t0, ratio, order)
        total = items.c0[g] + p * items.t0 - p * p * flop / 4.0
        for i in range(len(s)):
            total += min(0.0, own[i] + p * s[i])
        if total > value or g == 0:
            best, price, value = g, p, total
    return best, price, value


@kernel(allocates=False, inner=True)
def cheapest_set(
    items: Items, cut: float, tolerance: float, chosen: NDArray[np.bool_], work: Workspace, room: Room
) -> tuple[float, float, int]:
    """The least cost of a set of items.

    Parameters
    ----------
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
    s, r, flop, t0, c0 = items.s, items.r, items.flop, items.t0, items.c0
    rows, n = len(c0), len(s)
    g0, p, lb0 = base_row(items, room.line[RATIO], room.whole[ORDER])
    deviation = t0 - p * flop / 2.0
    sign, flip, start = room.line[SIGN, :n], room.table[FLIP], room.head[START, :rows]
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
    highest = start[0]
    for g in range(1, rows):
        highest = max(highest, start[g])
    best = highest + deviation * deviation / flop
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
    flips = Flips(flop, deviation, start, sign, flip, g0)
    if rows == 1:
        found, labels, trace, whole = search_one_row(flips, best, cut - lb0, tolerance, work, room)
    else:
        found, labels, trace, whole = search_rows(flips, best, cut - lb0, tolerance, work, room)
    if trace < 0 and single >= 0:
        chosen[single] = not chosen[single]
    while trace > 0:
        chosen[work.item[trace]] = not chosen[work.item[trace]]
        trace = work.parent[trace]
    if not whole:
        return lb0, lb0 + found, labels
    return lb0 + max(0.0, min(found, cut - lb0) - tolerance), lb0 + found, labels
