"""Lower bounds on what two alternating batches take: quick ones, so that few pairs need be played.

Times of a batch are a row of :attr:`uara.hetedge.batch_kinds.Kinds.cost`. A *part* of a batch is two numbers, of which
the second counts once for each request that waits for the pair's draft node: two batches' parts add up to a bound.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from uara.base.kernels import kernel
from uara.base.quantities import Floats, Indices
from uara.hetedge.batch_kinds import DRAFT, FIRST_VERIFY, PREFILL, REPLY, ROUNDS, SEND, VERIFY

_CHORDS = 256
"""Points at which a concave function is tabulated."""
_BINS = 64
"""Slopes among which the least part of all batches is found."""
_FANS = 24
"""Slopes by which the second batches of pairs are sorted."""


@kernel(allocates=False)
def at_least(a: Floats, b: Floats, tail_ms: float) -> tuple[float, float, float]:
    """Lower bounds on both ends and on when the draft node is free, without a loop.

    After the first turn a batch's ends are at least its own cycle apart, and both batches' passes; what is left when
    its partner is complete takes a cycle a round.
    """
    cycle_a = a[REPLY] + a[DRAFT] + a[SEND] + a[VERIFY]
    cycle_b = b[REPLY] + b[DRAFT] + b[SEND] + b[VERIFY]
    drafted_a = a[PREFILL] + a[DRAFT]
    drafted_b = drafted_a + b[PREFILL] + b[DRAFT]
    first_a = max(drafted_a + a[SEND], tail_ms) + a[FIRST_VERIFY]
    first_b = max(drafted_b + b[SEND], first_a) + b[FIRST_VERIFY]
    both = min(a[ROUNDS], b[ROUNDS])
    turn = max(a[VERIFY] + b[VERIFY], cycle_b)
    end_a, end_b, free = first_a, first_b, drafted_b
    if both > 1.0:
        end_a = max(first_a + (both - 1.0) * cycle_a, first_b + (both - 2.0) * turn + a[VERIFY])
        end_b = max(first_b + (both - 1.0) * turn, end_a + b[VERIFY])
        before_a = first_a + (both - 2.0) * cycle_a
        if both > 2.0:
            before_a = max(before_a, first_b + (both - 3.0) * turn + a[VERIFY])
        free = max(before_a + a[REPLY] + a[DRAFT], first_b + (both - 2.0) * turn + b[REPLY]) + b[DRAFT]
    more = a[ROUNDS] - both
    if more > 0.0:
        free = max(free, end_a + a[REPLY]) + a[DRAFT]
        end_a = max(end_a + cycle_a, end_b + a[VERIFY])
        if more > 1.0:
            free = end_a + (more - 2.0) * cycle_a + a[REPLY] + a[DRAFT]
            end_a += (more - 1.0) * cycle_a
    more = b[ROUNDS] - both
    if more > 0.0:
        free = max(free, end_b + (more - 1.0) * cycle_b + b[REPLY] + b[DRAFT])
        end_b += more * cycle_b
    return end_a, end_b, free


@kernel(allocates=False)
def part_of_first(
    c: Floats, sizes: tuple[int, int], longer: bool, tail_ms: float, other: tuple[float, float]
) -> tuple[float, float]:
    """The part of the first batch of a pair, where it has more rounds or not.

    Parameters
    ----------
    other
        Least later pass of any second batch, and the longest first one.
    """
    size_a, size_b = sizes
    begin = max(c[PREFILL] + c[DRAFT] + c[SEND], tail_ms)
    more = c[ROUNDS] - 1.0
    work = c[FIRST_VERIFY] + more * c[VERIFY]
    if more > 0.0:
        slope = begin + work - c[VERIFY]
        if longer:
            slope += c[REPLY] + c[DRAFT]
        total = size_a * (begin + work)
        if not longer:
            total += size_a * (more - 1.0) * other[0]
    else:
        slope = c[PREFILL] + c[DRAFT]
        total = size_a * (begin + work - other[1])
    return total + size_b * (begin + (c[FIRST_VERIFY] if longer else work)), slope


@kernel(allocates=False)
def part_of_second(c: Floats, sizes: tuple[int, int], longer: bool, least_ms: float) -> tuple[float, float]:
    """The part of the second batch, where the first has more rounds or not; with the least later pass of any first."""
    size_a, size_b = sizes
    more = c[ROUNDS] - 1.0
    work = c[FIRST_VERIFY] + more * c[VERIFY]
    slope = work - (c[VERIFY] if more > 0.0 else c[FIRST_VERIFY])
    if not longer:
        slope += c[DRAFT] + (c[REPLY] if more > 0.0 else c[PREFILL])
    total = size_b * work
    total += size_a * work + size_b * more * least_ms if longer else size_a * c[FIRST_VERIFY]
    return total, slope


@kernel
def lower_envelope(part: Floats, among: Indices, weight: Floats) -> Floats:
    """At every weight no more than the least of ``part[:, 0] + weight * part[:, 1]``; weights are not negative."""
    least = np.full(len(weight), np.inf)
    if len(among) == 0:
        return least
    low, high = np.inf, -np.inf
    for t in among:
        low, high = min(low, part[t, 1]), max(high, part[t, 1])
    height, slope = np.full(_BINS, np.inf), np.full(_BINS, np.inf)
    scale = (_BINS - 1) / (high - low) if high > low else 0.0
    for t in among:
        place = int((part[t, 1] - low) * scale)
        height[place] = min(height[place], part[t, 0])
        slope[place] = min(slope[place], part[t, 1])
    for place in range(_BINS):
        if height[place] < np.inf:
            for i in range(len(weight)):
                least[i] = min(least[i], height[place] + weight[i] * slope[place])
    return least


@kernel
def kept(part: Floats, among: Indices, weight: Floats, limit: Floats) -> Indices:
    """Those whose part lies below the limit at some weight, and perhaps a few more."""
    if len(among) == 0:
        return among
    low, high = np.inf, -np.inf
    for t in among:
        low, high = min(low, part[t, 1]), max(high, part[t, 1])
    table, step = tabulated(weight, limit, low, high)
    found = np.empty(len(among), np.int64)
    count = 0
    for t in among:
        if part[t, 0] + chord(table, (part[t, 1] - low) / step) < 0.0:
            found[count] = t
            count += 1
    return found[:count]


@kernel
def tabulated(weight: Floats, limit: Floats, low: float, high: float) -> tuple[Floats, float]:
    """The concave function min(weight * x - limit) of x from ``low`` to beyond ``high``, and the step of the table."""
    step = (high - low) / _CHORDS + 1e-9 * abs(low) + 1e-300
    table = np.empty(_CHORDS + 2)
    for place in range(len(table)):
        least = np.inf
        for i in range(len(weight)):
            least = min(least, weight[i] * (low + place * step) - limit[i])
        table[place] = least
    return table, step


@kernel(allocates=False)
def chord(table: Floats, place: float) -> float:
    """A concave function that does not fall, from below, between two of its tabulated points; its last value beyond."""
    index = min(max(int(place), 0), len(table) - 2)
    return float(table[index] + (min(place, len(table) - 1.0) - index) * (table[index + 1] - table[index]))


@kernel
def usable(rounds: Floats, reach: Indices, most_reach: int, least_rounds: float) -> Indices:
    """Batches whose limits the dearest so many meet, with at least so many rounds."""
    found: NDArray[np.int64] = np.empty(len(reach), dtype=np.int64)
    count = 0
    for t in range(len(reach)):
        if reach[t] <= most_reach and rounds[t] >= least_rounds:
            found[count] = t
            count += 1
    return found[:count]


@kernel
def fanned(part: Floats, among: Indices) -> tuple[Indices, Indices, Floats]:
    """Sort by slope, roughly, and among like ones by the first number: where like ones begin, and their least slope."""
    low, high = part[among, 1].min(), part[among, 1].max()
    scale = (_FANS - 1) / (high - low) if high > low else 0.0
    place = np.empty(len(among), np.int64)
    edges, slope = np.zeros(_FANS + 1, np.int64), np.full(_FANS, high)
    for index in range(len(among)):
        place[index] = int((part[among[index], 1] - low) * scale)
        edges[place[index] + 1] += 1
        slope[place[index]] = min(slope[place[index]], part[among[index], 1])
    edges = np.cumsum(edges)
    order = among[np.argsort(part[among, 0])]
    found, count = np.empty(len(among), np.int64), edges.copy()
    for t in order:
        fan = int((part[t, 1] - low) * scale)
        found[count[fan]] = t
        count[fan] += 1
    return found, edges, slope
