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


class _Scratch(NamedTuple):
    """Room for the items of one server: up to n, with up to G rows."""

    place: NDArray[np.int64]
    """(n,) Pair of each item."""
    s: Floats
    r: Floats
    c0: Floats
    """(n,), (G, n), (G,) As in :class:`Items`."""
    chosen: NDArray[np.bool_]
    """(n,)"""


def minima(layout: Layout) -> Minima:
    """Room for the minima."""
    return Minima(np.zeros(len(layout.wait_ms)), np.zeros(len(layout.device), dtype=np.bool_))


@kernel(inner=True)
def _scratch(layout: Layout) -> _Scratch:
    widest, rows = 1, 1
    for j in range(len(layout.start) - 1):
        widest = max(widest, layout.start[j + 1] - layout.start[j])
        rows = max(rows, layout.grid_start[j + 1] - layout.grid_start[j])
    return _Scratch(
        np.empty(widest, dtype=np.int64),
        np.empty(widest),
        np.empty((rows, widest)),
        np.empty(rows),
        np.empty(widest, dtype=np.bool_),
    )


@kernel
def collect(
    layout: Layout, j: int, prices: Prices, state: States, every: bool, scratch: _Scratch
) -> tuple[Items, int]:
    """The open items of server j at these prices, and what is forced; returns how many there are, too.

    Parameters
    ----------
    every
        Also items that no row makes worth taking.
    """
    first, count = layout.start[j], layout.start[j + 1] - layout.start[j]
    rows = layout.grid_start[j + 1] - layout.grid_start[j]
    s, r, c0 = scratch.s, scratch.r, scratch.c0
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
        elif every or least < 0.0:
            s[n], scratch.place[n] = layout.root_flop[i], k
            n += 1
    return Items(s[:n], r[:rows, :n], layout.flop_per_ms[j], t0, c0[:rows]), n


@kernel
def dual(
    layout: Layout, prices: Prices, state: States, tolerance: float, found: Minima, work: Workspace
) -> tuple[float, int]:
    """Sum of pi and of the servers' minima, and the labels it took.

    Parameters
    ----------
    tolerance
        By how much each server's minimum may be understated, ms.
    found
        Output.
    """
    scratch = _scratch(layout)
    total, labels = 0.0, 0
    for j in range(len(found.lower)):
        items, n = collect(layout, j, prices, state, False, scratch)
        bound, _, count = cheapest_set(items, np.inf, tolerance, scratch.chosen, work)
        found.lower[j] = bound
        labels += count + n
        for k in range(layout.start[j], layout.start[j + 1]):
            found.member[k] = state[k] == FORCED
        for a in range(n):
            found.member[scratch.place[a]] = scratch.chosen[a]
        total += bound
    return total + prices.pi.sum(), labels


def count_term(nu: Floats, low: Floats, high: Floats) -> float:
    """What the limits of the servers' counts add to the dual."""
    return float(np.where(nu > 0, low * nu, high * nu).sum())


@kernel
def server_rises(
    layout: Layout,
    j: int,
    prices: Prices,
    state: States,
    lower: float,
    gap: float,
    rises: Rises,
    work: Workspace,
) -> int:
    """By how much the minimum of server j rises if one of its pairs is forced in, or out; returns the labels.

    Parameters
    ----------
    lower
        The minimum as :func:`dual` states it.
    gap
        Rises of this much or more are all one; they may be understated by a thousandth of it.
    rises
        Output, at most ``gap``.
    """
    tolerance = 1e-3 * gap
    scratch = _scratch(layout)
    labels = 0
    for k in range(layout.start[j], layout.start[j + 1]):
        rises.taken[k] = rises.left[k] = 0.0
    items, n = collect(layout, j, prices, state, True, scratch)
    rows = len(items.r)
    g0, p, lb0 = base_row(items)
    s1, r1, c1 = np.empty(n), np.empty((rows, n)), np.empty(rows)
    for i in range(n):
        here = scratch.place[i]
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
            others = Items(s1[:m], r1[:, :m], items.flop, t0, c1)
            bound, _, count = cheapest_set(others, lower + gap, tolerance, scratch.chosen, work)
            labels += count + m
            rise = min(max(bound - lower, 0.0), gap)
            if inside:
                rises.taken[here] = rise
            else:
                rises.left[here] = rise
            if rise > 2.0 * tolerance:
                break  # The optimum is on the other side, whose rise is nothing.
    return labels


@kernel
def deviations(layout: Layout, prices: Prices, state: States) -> Floats:
    """(K,) What flipping each pair adds at its server's continuous optimum, ms: h, negative for those in its base set.

    Closed pairs get infinity, forced ones minus infinity.
    """
    scratch = _scratch(layout)
    result = np.full(len(layout.device), np.inf)
    for j in range(len(layout.start) - 1):
        items, n = collect(layout, j, prices, state, True, scratch)
        g0, p, _ = base_row(items)
        for k in range(layout.start[j], layout.start[j + 1]):
            if state[k] == FORCED:
                result[k] = -np.inf
        for i in range(n):
            result[scratch.place[i]] = items.r[g0, i] + p * items.s[i]
    return result
