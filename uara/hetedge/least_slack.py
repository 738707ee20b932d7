"""By how much the cheapest group at every position falls short of what prices and potentials allow it.

A group of one or two batches that starts when i requests are served, the draft node is free at 0 and the verify node
at ``tail_ms``, takes j - i requests and costs c = |A| end_A + |B| end_B + (K - j) draft_free. Its slack is
c - (worth of its requests) - (potential_i - potential_j). Nothing here is taken from a solver: the two recurrences
are played round by round (:mod:`uara.hetedge.played`).
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from uara.base.kernels import kernel
from uara.base.quantities import Floats, Indices
from uara.hetedge.batch_kinds import (
    DRAFT,
    DRAFT_BYTES,
    FIRST_VERIFY,
    PREFILL,
    ROUNDS,
    SEND,
    VERIFY,
    VERIFY_BYTES,
    Kinds,
)
from uara.hetedge.played import apart, played

_CHORDS = 256
"""Points at which the least over all positions is tabulated, between which it is concave."""


class Asked(NamedTuple):
    """At which prices and potentials; K requests, the dearest first."""

    price: Floats
    """(K,) In ms."""
    potential: Floats
    """(K + 1,) In ms, by the number of requests served."""
    disjoint: bool
    """Whether the two batches of a pair share no request."""
    draft_room: float
    verify_room: float
    """Bytes for caches on the nodes."""


class Stretch(NamedTuple):
    """Positions from first to last, at which the verify node is free so long after the draft node."""

    first: int
    last: int
    tail_ms: float


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
    for longer in (False, True):
        limit = (
            slack[first : last + 1] + potential[first : last + 1] - potential[first + size : last + size + 1]
        )
        part_a, part_b = np.empty((to_a - from_a, 2)), np.empty((to_b - from_b, 2))
        _first_parts(kinds, from_a, part_a, (size_a, size_b), tail_ms, longer, (least_b, most_first))
        _second_parts(kinds, from_b, part_b, (size_a, size_b), longer, least_a)
        ok_a = _usable(kinds, from_a, to_a, size if disjoint else size_a, 2.0 if longer else 1.0)
        ok_b = _usable(kinds, from_b, to_b, size if disjoint else size_b, 1.0)
        kept_b = _kept(part_b, ok_b, weight, limit, _least_of(part_a, np.flatnonzero(ok_a), weight))
        kept_a = _kept(part_a, ok_a, weight, limit, _least_of(part_b, kept_b, weight))
        if len(kept_a) == 0 or len(kept_b) == 0:
            continue
        kept_b = kept_b[np.argsort(part_b[kept_b, 0])]
        slope_b = part_b[kept_b, 1].min()
        low = part_a[kept_a, 1].min() + slope_b
        step = (part_a[kept_a, 1].max() + part_b[kept_b, 1].max() - low) / _CHORDS + 1e-9 * abs(low) + 1e-300
        table = np.empty(_CHORDS + 2)
        for g in range(len(table)):
            table[g] = np.min(weight * (low + g * step) - limit)
        for p in kept_a:
            a = kinds.cost[from_a + p]
            cut = part_a[p, 0] + _chord(table, (part_a[p, 1] + slope_b - low) / step)
            for q in kept_b:
                if cut + part_b[q, 0] >= 0.0:
                    break
                b = kinds.cost[from_b + q]
                if (a[ROUNDS] > b[ROUNDS]) != longer:
                    continue
                below = part_a[p, 0] + part_b[q, 0]
                below += _chord(table, (part_a[p, 1] + part_b[q, 1] - low) / step)
                if below >= 0.0:
                    continue
                if a[DRAFT_BYTES] + b[DRAFT_BYTES] > asked.draft_room:
                    continue
                if a[VERIFY_BYTES] + b[VERIFY_BYTES] > asked.verify_room:
                    continue
                worth = kinds.worth[from_a + p] + kinds.worth[from_b + q]
                if disjoint:
                    in_a, in_b = kinds.admits[from_a + p], kinds.admits[from_b + q]
                    prompt = max(kinds.prompt[in_a], kinds.prompt[in_b])
                    pace = max(kinds.pace[in_a], kinds.pace[in_b])
                    if below + worth - kinds.together[prompt, pace, size] >= 0.0:
                        continue
                    truly = min(worth, apart(kinds.sets[in_a], kinds.sets[in_b], size_a, size_b, asked.price))
                    if below + worth - truly >= 0.0:
                        continue
                    worth = truly
                end_a, end_b, free = played(a, b, tail_ms)
                cost = size_a * end_a + size_b * end_b - worth
                for i in range(first, last + 1):
                    least = cost + weight[i - first] * free - potential[i] + potential[i + size]
                    if least < slack[i]:
                        slack[i], found.first[i], found.second[i] = least, from_a + p, from_b + q


@kernel
def _first_parts(
    kinds: Kinds,
    start: int,
    part: Floats,
    sizes: tuple[int, int],
    tail_ms: float,
    longer: bool,
    other: tuple[float, float],
) -> None:
    """What the first batch adds to a pair at least: a number, and a slope in the weight of a position.

    Parameters
    ----------
    start, part
        Place of its first kind, and (n, 2) the output, a row for each of its kinds.
    longer
        Whether it has more rounds than the second one.
    other
        Of the second one: the least later pass, and the longest first one, in ms.
    """
    size_a, size_b = sizes
    least_b, most_first = other
    for t in range(start, start + len(part)):
        c, row = kinds.cost[t], part[t - start]
        begin = max(c[PREFILL] + c[DRAFT] + c[SEND], tail_ms)
        more = c[ROUNDS] - 1.0
        work = c[FIRST_VERIFY] + more * c[VERIFY]
        if more > 0.0:
            row[1] = begin + work - c[VERIFY]
            row[0] = size_a * (begin + work) - kinds.worth[t]
            if not longer:
                row[0] += size_a * (more - 1.0) * least_b
        else:
            row[1] = c[PREFILL] + c[DRAFT]
            row[0] = size_a * (begin + work - most_first) - kinds.worth[t]
        row[0] += size_b * (begin + (c[FIRST_VERIFY] if longer else work))


@kernel
def _second_parts(
    kinds: Kinds, start: int, part: Floats, sizes: tuple[int, int], longer: bool, least_a: float
) -> None:
    """What the second batch adds, as :func:`_first_parts`; ``least_a`` is the least later pass of the first one."""
    size_a, size_b = sizes
    for t in range(start, start + len(part)):
        c, row = kinds.cost[t], part[t - start]
        more = c[ROUNDS] - 1.0
        work = c[FIRST_VERIFY] + more * c[VERIFY]
        row[1] = work - (c[VERIFY] if more > 0.0 else c[FIRST_VERIFY])
        row[0] = size_b * work - kinds.worth[t]
        row[0] += size_a * work + size_b * more * least_a if longer else size_a * c[FIRST_VERIFY]


@kernel
def _usable(kinds: Kinds, start: int, stop: int, reach: int, rounds: float) -> NDArray[np.bool_]:
    """Kinds whose limits the dearest so many meet, with at least so many rounds."""
    usable = np.empty(stop - start, dtype=np.bool_)
    for t in range(start, stop):
        usable[t - start] = kinds.reach[t] <= reach and kinds.cost[t, ROUNDS] >= rounds
    return usable


@kernel
def _least_of(part: Floats, among: Indices, weight: Floats) -> Floats:
    """The least part at every position, over some kinds."""
    least = np.full(len(weight), np.inf)
    for t in among:
        for i in range(len(weight)):
            least[i] = min(least[i], part[t, 0] + weight[i] * part[t, 1])
    return least


@kernel
def _kept(part: Floats, usable: NDArray[np.bool_], weight: Floats, limit: Floats, other: Floats) -> Indices:
    """Usable kinds that fall short somewhere with the least part of a partner."""
    kept = np.empty(len(part), np.int64)
    count = 0
    for t in np.flatnonzero(usable):
        for i in range(len(weight)):
            if part[t, 0] + weight[i] * part[t, 1] + other[i] < limit[i]:
                kept[count] = t
                count += 1
                break
    return kept[:count]


@kernel(allocates=False)
def _chord(table: Floats, place: float) -> float:
    """A concave function from below, between two of its tabulated points."""
    index = min(max(int(place), 0), len(table) - 2)
    return float(table[index] + (place - index) * (table[index + 1] - table[index]))
