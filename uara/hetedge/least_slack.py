"""By how much the cheapest group at every position falls short of what prices and potentials allow it.

A group of one or two batches that starts when i requests are served, the draft node is free at 0 and the verify node
at ``tail_ms``, takes j - i requests and costs c = |A| end_A + |B| end_B + (K - j) draft_free. Its slack is
c - (worth of its requests) - (potential_i - potential_j). Nothing here is taken from a solver: the two recurrences are
played round by round (:mod:`uara.hetedge.played`).
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from uara.base.kernels import kernel
from uara.base.quantities import Floats, Indices
from uara.hetedge.batch_kinds import (
    DRAFT_BYTES,
    FIRST_VERIFY,
    ROUNDS,
    VERIFY,
    VERIFY_BYTES,
    Kinds,
)
from uara.hetedge.pair_screens import (
    at_least,
    chord,
    fanned,
    kept,
    lower_envelope,
    part_of_first,
    part_of_second,
    tabulated,
    usable,
)
from uara.hetedge.played import apart, played


class Asked(NamedTuple):
    """At which prices and potentials; K requests, the dearest first."""

    price: Floats
    """(K,) In ms."""
    potential: Floats
    """(K + 1,) In ms, by the number of requests served."""
    disjoint: bool
    """Whether the two batches of a pair share no request."""
    draft_room: float
    """Bytes for caches on the draft node."""
    verify_room: float
    """Bytes for caches on the verify node."""


class Stretch(NamedTuple):
    """Positions from first to last, at which the verify node is free so long after the draft node."""

    first: int
    """Requests that are served before its first group."""
    last: int
    """The same of its last one, which belongs to the stretch."""
    tail_ms: float
    """How long after the draft node the verify node is free."""


class Found(NamedTuple):
    """The cheapest group at every position, so far; K positions."""

    slack: Floats
    """(K,) In ms; what is not below is not looked at."""
    first: Indices
    """(K,) Kind of its first batch, -1 for none."""
    second: Indices
    """(K,) Kind of its second batch, -1 for none."""


@kernel
def alone_slacks(kinds: Kinds, asked: Asked, stretch: Stretch, found: Found) -> None:
    """Lower the slacks to the least of any batch alone."""
    requests, potential = len(found.slack), asked.potential
    none = np.zeros(9)
    for size in range(1, len(kinds.start)):
        for t in range(kinds.start[size - 1], kinds.start[size]):
            if kinds.reach[t] > size:  # the dearest that it admits make a cheaper batch
                continue
            end, _, free = played(kinds.cost[t], none, stretch.tail_ms)
            for i in range(stretch.first, min(stretch.last, requests - size) + 1):
                cost = size * end + (requests - i - size) * free
                slack = cost - kinds.worth[t] - potential[i] + potential[i + size]
                if slack < found.slack[i]:
                    found.slack[i], found.first[i], found.second[i] = slack, t, -1


@kernel
def pair_slacks(kinds: Kinds, asked: Asked, stretch: Stretch, size_a: int, size_b: int, found: Found) -> None:
    """Lower the slacks to the least of any pair of batches of two sizes.

    A pair is looked at only if a sum of two parts, one of each batch, falls short: a lower bound on its slack
    (``docs/hetedge.md``). For pairs of which the first has no more rounds, and for the rest.
    """
    slack, potential, disjoint, tail_ms = found.slack, asked.potential, asked.disjoint, stretch.tail_ms
    first, last = stretch.first, stretch.last
    requests, size = len(slack), size_a + size_b
    last = min(last, requests - size)
    if last < first:
        return
    weight = requests - size - np.arange(first, last + 1).astype(np.float64)
    from_a, to_a = kinds.start[size_a - 1], kinds.start[size_a]
    from_b, to_b = kinds.start[size_b - 1], kinds.start[size_b]
    least_a, least_b, most_first = np.inf, np.inf, 0.0
    for t in range(from_a, to_a):
        least_a = min(least_a, kinds.cost[t, VERIFY])
    for t in range(from_b, to_b):
        least_b = min(least_b, kinds.cost[t, VERIFY])
        most_first = max(most_first, kinds.cost[t, FIRST_VERIFY])
    rounds_a, rounds_b = kinds.cost[from_a:to_a, ROUNDS], kinds.cost[from_b:to_b, ROUNDS]
    for longer in (False, True):
        limit = (
            slack[first : last + 1] + potential[first : last + 1] - potential[first + size : last + size + 1]
        )
        part_a, part_b = np.empty((to_a - from_a, 2)), np.empty((to_b - from_b, 2))
        for t in range(from_a, to_a):
            total, slope = part_of_first(
                kinds.cost[t], (size_a, size_b), longer, tail_ms, (least_b, most_first)
            )
            part_a[t - from_a] = total - kinds.worth[t], slope
        for t in range(from_b, to_b):
            total, slope = part_of_second(kinds.cost[t], (size_a, size_b), longer, least_a)
            part_b[t - from_b] = total - kinds.worth[t], slope
        reach_a, reach_b = kinds.reach[from_a:to_a], kinds.reach[from_b:to_b]
        some_a = usable(rounds_a, reach_a, size if disjoint else size_a, 2.0 if longer else 1.0)
        some_b = usable(rounds_b, reach_b, size if disjoint else size_b, 1.0)
        some_b = kept(part_b, some_b, weight, limit - lower_envelope(part_a, some_a, weight))
        some_a = kept(part_a, some_a, weight, limit - lower_envelope(part_b, some_b, weight))
        if len(some_a) == 0 or len(some_b) == 0:
            continue
        some_b, edges, slope_b = fanned(part_b, some_b)
        low = part_a[some_a, 1].min() + slope_b.min()
        table, step = tabulated(weight, limit, low, part_a[some_a, 1].max() + part_b[some_b, 1].max())
        for p in some_a:
            a = kinds.cost[from_a + p]
            for fan in range(len(slope_b)):
                cut = part_a[p, 0] + chord(table, (part_a[p, 1] + slope_b[fan] - low) / step)
                for q in some_b[edges[fan] : edges[fan + 1]]:
                    if cut + part_b[q, 0] >= 0.0:
                        break
                    b = kinds.cost[from_b + q]
                    if (a[ROUNDS] > b[ROUNDS]) != longer:
                        continue
                    below = part_a[p, 0] + part_b[q, 0]
                    if below + chord(table, (part_a[p, 1] + part_b[q, 1] - low) / step) >= 0.0:
                        continue
                    worth = kinds.worth[from_a + p] + kinds.worth[from_b + q]
                    end_a, end_b, free = at_least(a, b, tail_ms)
                    below = size_a * end_a + size_b * end_b + chord(table, (free - low) / step) - worth
                    if below >= 0.0:
                        continue
                    if a[DRAFT_BYTES] + b[DRAFT_BYTES] > asked.draft_room:
                        continue
                    if a[VERIFY_BYTES] + b[VERIFY_BYTES] > asked.verify_room:
                        continue
                    if disjoint:
                        in_a, in_b = kinds.admits[from_a + p], kinds.admits[from_b + q]
                        prompt = max(kinds.prompt[in_a], kinds.prompt[in_b])
                        pace = max(kinds.pace[in_a], kinds.pace[in_b])
                        if below + worth - kinds.together[prompt, pace, size] >= 0.0:
                            continue
                        truly = min(
                            worth, apart(kinds.sets[in_a], kinds.sets[in_b], size_a, size_b, asked.price)
                        )
                        if below + worth - truly >= 0.0:
                            continue
                        worth = truly
                    end_a, end_b, free = played(a, b, tail_ms)
                    cost = size_a * end_a + size_b * end_b - worth
                    for i in range(first, last + 1):
                        least = cost + weight[i - first] * free - potential[i] + potential[i + size]
                        if least < slack[i]:
                            slack[i], found.first[i], found.second[i] = least, from_a + p, from_b + q
