"""The dual of P1 in device prices pi and count prices nu, and what forcing a pair in or out adds to it. Compiled.

    g(pi, nu) = sum_i pi_i + sum_j min over S of [V_j(S) - sum over S of (pi_i + nu_j)]
                + sum_j (nu_j > 0 ? lo_j : hi_j) nu_j

is a lower bound on every association that gives server j between lo_j and hi_j devices. The minimum runs over the
sets that the state of the pairs allows: closed, open, or the only pair that its device has left (forced).
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from uara.base.kernels import kernel
from uara.base.quantities import Floats

from .knapsack import Items, base_row, cheapest_set
from .labels import Workspace
from .layout import Layout
from .room import BASE, BUT_ONE, COST, LOAD, ORDER, OTHER, OTHERS, PLACE, RATIO, Room

CLOSED, OPEN, FORCED = 0, 1, 2
"""States of a pair."""

States = NDArray[np.uint8]


class Prices(NamedTuple):
    """A point of the dual."""

    pi: Floats
    """(M,) Device prices, ms."""
    nu: Floats
    """(E,) Count prices, ms."""


class Minima(NamedTuple):
    """What the pricing of all servers gives."""

    lower: Floats
    """(E,) Lower bounds on the servers' minima, ms."""
    member: NDArray[np.bool_]
    """(K,) Their best sets."""


class Rises(NamedTuple):
    """Proven rises of a server's minimum, ms, at least 0."""

    taken: Floats
    """(K,) With the pair in its set."""
    left: Floats
    """(K,) With the pair not in its set."""


def minima(layout: Layout) -> Minima:
    """Room for the minima."""
    return Minima(np.zeros(len(layout.wait_ms)), np.zeros(len(layout.device), dtype=np.bool_))


@kernel(allocates=False, inner=True)
def collect(
    layout: Layout, j: int, prices: Prices, state: States, below: float, room: Room
) -> tuple[int, float]:
    """Put the open items of server j at these prices, and the cost of what is forced, into the room.

    Parameters
    ----------
    below
        Items that cost less than this in some row are taken: 0 for those that may be worth it, infinity for all.

    Returns
    -------
    n, t0
        How many items there are, and the load of what is forced.
    """
    first, count = layout.start[j], layout.start[j + 1] - layout.start[j]
    rows = layout.grid_start[j + 1] - layout.grid_start[j]
    s, r, c0, place = room.line[LOAD], room.table[COST], room.head[BASE], room.whole[PLACE]
    for g in range(rows):
        c0[g] = -layout.grid_ms[layout.grid_start[j] + g]
    n, t0 = 0, 0.0
    for a in range(count):
        k = first + a
        if state[k] == CLOSED:
            continue
        i = layout.device[k]
        rent = prices.pi[i] + prices.nu[j]
        least = np.inf
        for g in range(rows):
            cost = layout.table_ms[layout.table_start[j] + g * count + a] - rent
            r[g, n] = cost
            least = min(least, cost)
        if state[k] == FORCED:
            t0 += layout.root_flop[i]
            for g in range(rows):
                c0[g] += r[g, n]
        elif least < below:
            s[n], place[n] = layout.root_flop[i], k
            n += 1
    return n, t0


@kernel(allocates=False, inner=True, inline="always")
def all_minima(
    layout: Layout,
    prices: Prices,
    state: States,
    tolerance: float,
    found: Minima,
    work: Workspace,
    room: Room,
) -> tuple[float, int]:
    """Sum of pi and of the servers' minima, and the labels it took.

    Parameters
    ----------
    tolerance
        By how much each server's minimum may be understated, ms.
    found
        Output.
    """
    total, labels = 0.0, 0
    for j in range(len(found.lower)):
        n, t0 = collect(layout, j, prices, state, 0.0, room)
        rows = layout.grid_start[j + 1] - layout.grid_start[j]
        items = Items(
            room.line[LOAD, :n], room.table[COST], layout.flop_per_ms[j], t0, room.head[BASE, :rows]
        )
        bound, _, count = cheapest_set(items, np.inf, tolerance, room.chosen, work, room)
        found.lower[j] = bound
        labels += count + n
        for k in range(layout.start[j], layout.start[j + 1]):
            found.member[k] = state[k] == FORCED
        for a in range(n):
            found.member[room.whole[PLACE, a]] = room.chosen[a]
        total += bound
    rent = 0.0
    for i in range(len(prices.pi)):
        rent += prices.pi[i]
    return total + rent, labels


def count_term(nu: Floats, low: Floats, high: Floats) -> float:
    """What the limits of the servers' counts add to the dual."""
    return float(np.where(nu > 0, low * nu, high * nu).sum())


@kernel(allocates=False, inner=True)
def server_rises(
    layout: Layout,
    j: int,
    prices: Prices,
    state: States,
    lower: float,
    gap: float,
    rises: Rises,
    work: Workspace,
    room: Room,
) -> int:
    """By how much the minimum of server j rises if one of its pairs is forced in, or out; returns the labels.

    Parameters
    ----------
    lower
        The minimum as :func:`.climb.dual` states it.
    gap
        Rises of this much or more are all one; they may be understated by a thousandth of it.
    rises
        Output, at most ``gap``.
    """
    tolerance = 1e-3 * gap
    labels = 0
    for k in range(layout.start[j], layout.start[j + 1]):
        rises.taken[k] = rises.left[k] = 0.0
    n, forced = collect(layout, j, prices, state, np.inf, room)
    rows = layout.grid_start[j + 1] - layout.grid_start[j]
    items = Items(
        room.line[LOAD, :n], room.table[COST], layout.flop_per_ms[j], forced, room.head[BASE, :rows]
    )
    g0, p, lb0 = base_row(items, room.line[RATIO], room.whole[ORDER])
    s1, r1, c1 = room.line[OTHER], room.table[OTHERS], room.head[BUT_ONE, :rows]
    for i in range(n):
        here = room.whole[PLACE, i]
        h = items.r[g0, i] + p * items.s[i]
        if lb0 + abs(h) - lower >= gap:
            if h >= 0.0:
                rises.taken[here] = gap
            else:
                rises.left[here] = gap
            continue
        m = 0
        for a in range(n):
            worth = np.inf
            for g in range(rows):
                worth = min(worth, items.r[g, a])
            if a != i and worth < 0.0:
                s1[m] = items.s[a]
                for g in range(rows):
                    r1[g, m] = items.r[g, a]
                m += 1
        for inside in (True, False):
            for g in range(rows):
                c1[g] = items.c0[g] + (items.r[g, i] if inside else 0.0)
            t0 = items.t0 + items.s[i] if inside else items.t0
            others = Items(s1[:m], r1, items.flop, t0, c1)
            bound, _, count = cheapest_set(others, lower + gap, tolerance, room.chosen, work, room)
            labels += count + m
            rise = min(max(bound - lower, 0.0), gap)
            if inside:
                rises.taken[here] = rise
            else:
                rises.left[here] = rise
            if rise > 2.0 * tolerance:
                break  # The optimum is on the other side, whose rise is nothing.
    return labels


def base_of(
    layout: Layout, j: int, prices: Prices, state: States
) -> tuple[NDArray[np.int64], int, float, Floats]:
    """The continuous optimum of server j: its (n,) open pairs, the row, the price of compute, and the pairs' (n,) h."""
    own = slice(layout.start[j], layout.start[j + 1])
    grid = layout.grid_ms[layout.grid_start[j] : layout.grid_start[j + 1]]
    table = layout.table_ms[layout.table_start[j] : layout.table_start[j + 1]].reshape(len(grid), -1)
    cost, load = table - prices.pi[layout.device[own]] - prices.nu[j], layout.root_flop[layout.device[own]]
    open_, forced = state[own] == OPEN, state[own] == FORCED
    s, r = load[open_], np.ascontiguousarray(cost[:, open_])
    fixed = cost[:, forced].sum(axis=1) - grid
    items = Items(s, r, float(layout.flop_per_ms[j]), float(load[forced].sum()), fixed)
    g, p, _ = base_row(items, np.empty(len(s)), np.empty(len(s), dtype=np.int64))
    return own.start + np.flatnonzero(open_), g, p, r[g] + p * s


def deviations(layout: Layout, prices: Prices, state: States) -> Floats:
    """(K,) What flipping each pair adds at its server's continuous optimum, ms: h, negative for those in its base set.

    Closed pairs get infinity, forced ones minus infinity.
    """
    result = np.where(state == FORCED, -np.inf, np.inf)
    for j in range(len(layout.start) - 1):
        pairs, _, _, rise = base_of(layout, j, prices, state)
        result[pairs] = rise
    return result
