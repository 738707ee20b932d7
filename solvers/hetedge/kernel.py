"""The dynamic programme over batch boundaries, speculation lengths and pairs, compiled.

A state is a boundary ``j`` of the stated order with the times ``p`` and ``q`` at which the draft node and the verify
node are done with everything before it. A group ``g`` leads from a boundary ``i`` to ``j``: one batch, or two that
alternate, each with its size and speculation length. With ``T_g`` for the times that it leaves the nodes at and
``e_b`` for the end of each of its batches of ``n_b`` requests (closed expressions, :mod:`uara.hetedge.timeline`), the
least sum of the latencies of the first ``j`` requests is

    F_0(0, 0) = 0,    F_j(p', q') = min over i < j, g from i to j, (p, q) with T_g(p, q) = (p', q')
                                    of F_i(p, q) + sum over b in g of n_b e_b(p, q),

and the least total latency is the least value of ``F_K``. A label ``(p, q, F_j)`` is a point where ``F_j`` is finite.
What comes after depends on the two times alone, grows with both, and by at most ``n d`` when both grow by ``d``, with
``n`` requests left (all times are max-plus expressions). So a label is dropped without loss when another one of its
boundary has ``F_j' + n max(0, p' - p, q' - q) <= F_j``; and, once all further prompts have arrived, also without the
0, since then a shift of both times shifts all that follows. Nothing else is dropped: the programme is exact for the
stated order (proof: ``docs/hetedge.md``).
"""

from __future__ import annotations

from typing import NamedTuple

from uara.base.kernels import kernel
from uara.base.quantities import Floats
from uara.hetedge.timeline import DRAFT_BYTES, FIRST_DRAFT, SEND, VERIFY_BYTES, alone, pair

from .batches import Batches, hopeless, least_pair
from .labels import COST, DRAFT_FREE, VERIFY_FREE, Labels, dominated, insert


class Horizon(NamedTuple):
    """When work can start, and what it must not exceed; K requests, at most B in a batch, all times in ms."""

    release_ms: Floats
    """(K, B) When the prompts of a batch have arrived, by start and size - 1."""
    last_release_ms: Floats
    """(K + 1,) When all prompts from here on have arrived."""
    to_come_ms: Floats
    """(K + 1,) Lower bounds of :func:`.to_go.to_go`."""
    lead_ms: float
    """Least time from the draft node's start with a batch to the verify node's."""
    limit_ms: float
    """A total latency that is known to be possible; labels that must exceed it are dropped."""


@kernel(allocates=False)
def search(batches: Batches, horizon: Horizon, labels: Labels) -> bool:
    """Fill the labels of all boundaries; False where a boundary had no room for its labels."""
    requests = len(batches.smallest)
    smallest, largest, option_count = batches.smallest, batches.largest, batches.option_count
    labels.counts[:] = 0
    labels.counts[0] = 1
    labels.times_ms[0, 0] = 0.0
    for i in range(requests):
        for index in range(labels.counts[i]):
            label = labels.times_ms[i, index]
            for size_a in range(smallest[i], min(largest[i], requests - i) + 1):
                middle = i + size_a
                for option_a in range(option_count[i, size_a - 1]):
                    a = batches.options[i, size_a - 1, option_a]
                    release = horizon.release_ms[i, size_a - 1]
                    free, end = alone(label[DRAFT_FREE], label[VERIFY_FREE], release, a)
                    reached = free, end, label[COST] + size_a * end
                    way = i, index, size_a, option_a, 0, 0
                    if not _reach(horizon, labels, middle, reached, way):
                        return False
                    if not batches.pairs or middle == requests:
                        continue
                    if not _extend(batches, horizon, labels, (i, index, size_a, option_a)):
                        return False
    return True


@kernel(allocates=False)
def _reach(
    horizon: Horizon,
    labels: Labels,
    j: int,
    reached: tuple[float, float, float],
    way: tuple[int, int, int, int, int, int],
) -> bool:
    """Add the label that a group leads to, unless it must exceed the limit; False where there is no room for it."""
    requests = len(labels.counts) - 1
    left = float(requests - j)
    free, end, cost = reached
    if cost + left * free + horizon.to_come_ms[j] > horizon.limit_ms:
        return True
    free, end = waited(free, end, j, horizon.release_ms, horizon.lead_ms)
    # F_j(T_g(p, q)) = min over g of F_i(p, q) + sum of n_b e_b(p, q)
    labels.counts[j] = insert(
        labels.times_ms[j],
        labels.ways[j],
        labels.counts[j],
        (free, end, cost),
        way,
        left,
        horizon.last_release_ms[j],
    )
    return bool(labels.counts[j] >= 0)


@kernel(allocates=False)
def waited(free: float, end: float, boundary: int, release: Floats, lead: float) -> tuple[float, float]:
    """The same label without time that cannot be used: nothing starts before the next prompt has arrived."""
    if boundary < len(release):
        free = max(free, release[boundary, 0])
        end = max(end, free + lead)
    return free, end


@kernel(allocates=False)
def _extend(batches: Batches, horizon: Horizon, labels: Labels, first: tuple[int, int, int, int]) -> bool:
    """All partners of a first batch: its boundary and label there, its size and option."""
    i, index, size_a, option_a = first
    requests, middle = len(batches.smallest), i + size_a
    a = batches.options[i, size_a - 1, option_a]
    to_come, limit = horizon.to_come_ms, horizon.limit_ms
    release_a = horizon.release_ms[i, size_a - 1]
    label = labels.times_ms[i, index]
    drafted, verified, cost = label[DRAFT_FREE], label[VERIFY_FREE], label[COST]
    first_a = max(drafted, release_a) + a[FIRST_DRAFT]
    verify_a = max(first_a + a[SEND], verified)
    _, least_a = alone(drafted, verified, release_a, a)
    for size_b in range(batches.smallest[middle], min(batches.largest[middle], requests - middle) + 1):
        j = middle + size_b
        left = float(requests - j)
        release_b = horizon.release_ms[middle, size_b - 1]
        low_end, low_free = hopeless(verify_a, first_a, release_b, a, batches.least_ms[middle, size_b - 1])
        if cost + size_a * least_a + size_b * low_end + left * low_free + to_come[j] > limit:
            continue
        for option_b in range(batches.option_count[middle, size_b - 1]):
            b = batches.options[middle, size_b - 1, option_b]
            if a[DRAFT_BYTES] + b[DRAFT_BYTES] > batches.draft_room:
                continue
            if a[VERIFY_BYTES] + b[VERIFY_BYTES] > batches.verify_room:
                continue
            low = least_pair(drafted, verified, release_a, release_b, a, b)
            ended = cost + size_a * low[2] + size_b * low[3]
            if ended + left * low[0] + to_come[j] > limit:
                continue
            known, last_release = labels.times_ms[j], horizon.last_release_ms[j]
            if dominated(known, labels.counts[j], low[0], low[1], ended, left, last_release):
                continue
            free, end, end_a, end_b = pair(drafted, verified, release_a, release_b, a, b)
            reached = free, end, cost + size_a * end_a + size_b * end_b
            if not _reach(horizon, labels, j, reached, (i, index, size_a, option_a, size_b, option_b)):
                return False
    return True
