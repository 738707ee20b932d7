"""The dual of P1 in device prices pi and count prices nu, and what forcing a pair in or out adds to it. Compiled.

    g(pi, nu) = sum_i pi_i + sum_j min over S of [V_j(S) - sum over S of (pi_i + nu_j)]
                + sum_j (nu_j > 0 ? lo_j : hi_j) nu_j

is a lower bound on every association that gives server j between lo_j and hi_j devices. The minimum runs over the
sets that the state of the pairs allows: closed, open, or the only pair that its device has left (forced).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from uara.base.kernels import kernel
from uara.base.quantities import Floats

from .knapsack import Workspace, base_row, cheapest_set
from .layout import Layout

CLOSED, OPEN, FORCED = 0, 1, 2
"""States of a pair."""

States = NDArray[np.uint8]


@kernel
def collect(
    layout: Layout,
    j: int,
    pi: Floats,
    nu: Floats,
    state: States,
    every: bool,
    place: NDArray[np.int64],
    s: Floats,
    r: Floats,
    c0: Floats,
) -> tuple[int, float]:
    """The open items of server j at these prices, and what is forced; returns how many, and the forced load.

    Parameters
    ----------
    every
        Also items that no row makes worth taking.
    place, s, r, c0
        Output: pair, load and (G, n) costs of each item, (G,) costs of the forced ones.
    """
    first, count = layout.start[j], layout.start[j + 1] - layout.start[j]
    rows = layout.grid_start[j + 1] - layout.grid_start[j]
    for g in range(rows):
        c0[g] = -layout.grid_ms[layout.grid_start[j] + g]
    n, t0 = 0, 0.0
    for a in range(count):
        k = first + a
        if state[k] == CLOSED:
            continue
        i = layout.device[k]
        least = np.inf
        for g in range(rows):
            cost = layout.table_ms[layout.table_start[j] + g * count + a] - pi[i] - nu[j]
            r[g, n] = cost
            least = min(least, cost)
        if state[k] == FORCED:
            t0 += layout.root_flop[i]
            for g in range(rows):
                c0[g] += r[g, n]
        elif every or least < 0.0:
            s[n], place[n] = layout.root_flop[i], k
            n += 1
    return n, t0


@kernel
def dual(
    layout: Layout,
    pi: Floats,
    nu: Floats,
    state: States,
    tolerance: float,
    lower: Floats,
    member: NDArray[np.bool_],
    work: Workspace,
) -> tuple[float, int]:
    """Sum of pi and of the servers' minima, and the labels it took.

    Parameters
    ----------
    tolerance
        By how much each server's minimum may be understated.
    lower
        (E,) Output: lower bounds on the servers' minima.
    member
        (K,) Output: the best sets.
    """
    widest, rows = _sizes(layout)
    s, r, c0 = np.empty(widest), np.empty((rows, widest)), np.empty(rows)
    place, chosen = np.empty(widest, dtype=np.int64), np.empty(widest, dtype=np.bool_)
    total, labels = 0.0, 0
    for j in range(len(lower)):
        own = layout.grid_start[j + 1] - layout.grid_start[j]
        n, t0 = collect(layout, j, pi, nu, state, False, place, s, r, c0)
        lower[j], _, count = cheapest_set(
            s[:n], r[:own, :n], layout.flop_per_ms[j], t0, c0[:own], np.inf, tolerance, chosen, work
        )
        labels += count + n
        for k in range(layout.start[j], layout.start[j + 1]):
            member[k] = state[k] == FORCED
        for a in range(n):
            member[place[a]] = chosen[a]
        total += lower[j]
    return total + pi.sum(), labels


@kernel
def _sizes(layout: Layout) -> tuple[int, int]:
    """Most pairs and most band prices of a server."""
    widest, rows = 1, 1
    for j in range(len(layout.start) - 1):
        widest = max(widest, layout.start[j + 1] - layout.start[j])
        rows = max(rows, layout.grid_start[j + 1] - layout.grid_start[j])
    return widest, rows


def count_term(nu: Floats, low: Floats, high: Floats) -> float:
    """What the limits of the servers' counts add to the dual."""
    return float(np.where(nu > 0, low * nu, high * nu).sum())


@kernel
def rises(
    layout: Layout,
    pi: Floats,
    nu: Floats,
    state: States,
    lower: Floats,
    first: int,
    last: int,
    gap: float,
    tolerance: float,
    taken: Floats,
    left: Floats,
    work: Workspace,
) -> int:
    """By how much the minima of servers ``first..last`` rise if one pair is forced in, or out; returns the labels.

    Parameters
    ----------
    lower
        (E,) The minima as :func:`dual` states them.
    gap
        Rises of this much or more are all one.
    taken, left
        (K,) Output: proven rise with the pair in, and without it, at most ``gap``.
    """
    widest, rows = _sizes(layout)
    s, r, c0, c1 = np.empty(widest), np.empty((rows, widest)), np.empty(rows), np.empty(rows)
    s1, r1 = np.empty(widest), np.empty((rows, widest))
    place, chosen = np.empty(widest, dtype=np.int64), np.empty(widest, dtype=np.bool_)
    labels = 0
    for j in range(first, last):
        own, flop = layout.grid_start[j + 1] - layout.grid_start[j], layout.flop_per_ms[j]
        for k in range(layout.start[j], layout.start[j + 1]):
            taken[k] = left[k] = 0.0
        n, t0 = collect(layout, j, pi, nu, state, True, place, s, r, c0)
        g0, p, lb0 = base_row(s[:n], r[:own, :n], flop, t0, c0[:own])
        for i in range(n):
            h = r[g0, i] + p * s[i]
            if lb0 + abs(h) - lower[j] >= gap:
                if h >= 0.0:
                    taken[place[i]] = gap
                else:
                    left[place[i]] = gap
                continue
            m = 0
            for a in range(n):
                worth = np.inf
                for g in range(own):
                    worth = min(worth, r[g, a])
                if a != i and worth < 0.0:
                    s1[m] = s[a]
                    for g in range(own):
                        r1[g, m] = r[g, a]
                    m += 1
            for inside in (True, False):
                for g in range(own):
                    c1[g] = c0[g] + (r[g, i] if inside else 0.0)
                bound, _, count = cheapest_set(
                    s1[:m],
                    r1[:own, :m],
                    flop,
                    t0 + s[i] if inside else t0,
                    c1[:own],
                    lower[j] + gap,
                    tolerance,
                    chosen,
                    work,
                )
                labels += count + m
                rise = min(max(bound - lower[j], 0.0), gap)
                if inside:
                    taken[place[i]] = rise
                else:
                    left[place[i]] = rise
                if rise > 2.0 * tolerance:
                    break  # The optimum is on the other side, whose rise is nothing.
    return labels
