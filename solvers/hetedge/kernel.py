"""The dynamic programme over batch boundaries, speculation lengths and pairs, compiled.

A state is a boundary of the stated order with a label ``(draft_free, verify_free, cost)``: when the two nodes
are done with everything before the boundary, and the sum of the latencies so far. What comes after depends on
the two times alone, grows with both, and by at most ``n d`` when both grow by ``d``, with ``n`` requests left
(all times are max-plus expressions). So a label is dropped without loss when another one of its boundary has
``cost' + n max(0, draft_free' - draft_free, verify_free' - verify_free) <= cost``; and, once all further prompts
have arrived, also without the 0, since then a shift of both times shifts all that follows. Nothing else is
dropped: the programme is exact for the stated order (proof: ``docs/hetedge.md``).
"""

from __future__ import annotations

import numpy as np

from uara.base.kernels import kernel
from uara.base.quantities import Floats, Indices
from uara.hetedge.timeline import (
    DRAFT,
    DRAFT_BYTES,
    FIRST_DRAFT,
    FIRST_VERIFY,
    REPLY,
    ROUNDS,
    SEND,
    VERIFY,
    VERIFY_BYTES,
    alone,
    pair,
)

# Columns of a label and of the way it was reached.
DRAFT_FREE, VERIFY_FREE, COST = 0, 1, 2
LEAST_CHAIN, LEAST_DRAFT, LEAST_VERIFY, LEAST_VERIFY_BUT_LAST = range(4)
BOUNDARY, LABEL, SIZE_A, OPTION_A, SIZE_B, OPTION_B = range(6)


@kernel
def _dominated(
    labels: Floats, count: int, drafted: float, verified: float, cost: float, left: float, last_release: float
) -> bool:
    for index in range(count):
        gap = max(labels[index, DRAFT_FREE] - drafted, labels[index, VERIFY_FREE] - verified)
        if gap < 0.0 and (labels[index, DRAFT_FREE] < last_release or drafted < last_release):
            gap = 0.0
        if labels[index, COST] + left * gap <= cost:
            return True
    return False


@kernel
def _insert(
    labels: Floats,
    ways: Indices,
    count: int,
    label: tuple[float, float, float],
    way: tuple[int, int, int, int, int, int],
    left: float,
    last_release: float,
) -> int:
    """Add a label to a boundary, drop those that it dominates; the new count, or -1 where there is no room."""
    drafted, verified, cost = label
    if _dominated(labels, count, drafted, verified, cost, left, last_release):
        return count
    kept = 0
    for index in range(count):
        gap = max(drafted - labels[index, DRAFT_FREE], verified - labels[index, VERIFY_FREE])
        if gap < 0.0 and (labels[index, DRAFT_FREE] < last_release or drafted < last_release):
            gap = 0.0
        if cost + left * gap <= labels[index, COST]:
            continue
        if kept != index:
            labels[kept] = labels[index]
            ways[kept] = ways[index]
        kept += 1
    if kept == len(labels):
        return -1
    labels[kept, DRAFT_FREE], labels[kept, VERIFY_FREE], labels[kept, COST] = drafted, verified, cost
    for column in range(6):
        ways[kept, column] = way[column]
    return kept + 1


@kernel
def _least_pair(
    draft_free: float, verify_free: float, release_a: float, release_b: float, a: Floats, b: Floats
) -> tuple[float, float, float, float]:
    """Lower bounds on what :func:`pair` returns, from each node's load and each batch's own chain."""
    begin = max(draft_free, release_a)
    first_a = begin + a[FIRST_DRAFT]
    verify_a = max(first_a + a[SEND], verify_free)
    first_b = max(first_a, release_b) + b[FIRST_DRAFT]
    more_a, more_b = a[ROUNDS] - 1.0, b[ROUNDS] - 1.0
    cycle_a = a[REPLY] + a[DRAFT] + a[SEND] + a[VERIFY]
    cycle_b = b[REPLY] + b[DRAFT] + b[SEND] + b[VERIFY]
    verified_b = max(first_b + b[SEND], verify_a + a[FIRST_VERIFY]) + b[FIRST_VERIFY]
    # A waits for B's rounds before its own last one, B for A's rounds up to its own last one.
    b_before = min(more_a, b[ROUNDS])
    a_before = min(a[ROUNDS], b[ROUNDS])
    end_a = verify_a + a[FIRST_VERIFY] + more_a * cycle_a
    if b_before > 0.0:
        end_a = max(end_a, verified_b + (b_before - 1.0) * b[VERIFY] + more_a * a[VERIFY])
        end_a = max(end_a, first_b + (b_before - 1.0) * b[DRAFT] + more_a * a[DRAFT] + a[SEND] + a[VERIFY])
    end_b = verified_b + more_b * cycle_b
    end_b = max(end_b, verified_b + (a_before - 1.0) * a[VERIFY] + more_b * b[VERIFY])
    tail_b = b[VERIFY] if more_b > 0.0 else b[FIRST_VERIFY]
    end_b = max(end_b, first_b + (a_before - 1.0) * a[DRAFT] + more_b * b[DRAFT] + b[SEND] + tail_b)
    verified = max(end_a, end_b)
    drafted = first_b
    if a[ROUNDS] > b[ROUNDS]:
        drafted = max(drafted, verify_a + a[FIRST_VERIFY] + more_a * cycle_a - a[SEND] - a[VERIFY])
    if more_b > 0.0:
        drafted = max(drafted, verified_b + more_b * cycle_b - b[SEND] - b[VERIFY])
    drafted = max(drafted, first_b + more_a * a[DRAFT] + more_b * b[DRAFT])
    if more_a > 0.0 or more_b > 0.0:
        # The longer batch's last draft waits for its last reply but one; before that all but one pass of each.
        load = max(more_a - 1.0, 0.0) * a[VERIFY] + max(more_b - 1.0, 0.0) * b[VERIFY]
        load += (a[FIRST_VERIFY] if more_a > 0.0 else 0.0) + (b[FIRST_VERIFY] if more_b > 0.0 else 0.0)
        drafted = max(drafted, verify_a + load + min(a[DRAFT], b[DRAFT]))
    return drafted, verified, end_a, end_b


@kernel
def _hopeless(
    verify_a: float, first_a: float, release_b: float, a: Floats, least_b: Floats
) -> tuple[float, float]:
    """Least ``end_b`` and least ``draft_free`` over all options of a partner of one size."""
    first_b = max(first_a, release_b)
    end_b = max(first_b + least_b[LEAST_CHAIN], verify_a + a[FIRST_VERIFY] + least_b[LEAST_VERIFY])
    more_a = a[ROUNDS] - 1.0
    drafted = first_b + more_a * a[DRAFT] + least_b[LEAST_DRAFT]
    if more_a > 0.0:
        load = a[FIRST_VERIFY] + (more_a - 1.0) * a[VERIFY] + least_b[LEAST_VERIFY_BUT_LAST]
        drafted = max(drafted, verify_a + load)
    return end_b, drafted


@kernel
def least_of_options(options: Floats, option_count: Indices) -> Floats:
    """(K, B, 4) Least chain, draft load, verify load and the same without its last pass, over each size's options."""
    starts, sizes = option_count.shape
    least = np.full((starts, sizes, 4), np.inf)
    for i in range(starts):
        for size in range(sizes):
            for index in range(option_count[i, size]):
                b = options[i, size, index]
                more = b[ROUNDS] - 1.0
                cycle = b[REPLY] + b[DRAFT] + b[SEND] + b[VERIFY]
                load = b[FIRST_VERIFY] + more * b[VERIFY]
                last = b[VERIFY] if more > 0.0 else b[FIRST_VERIFY]
                row = least[i, size]
                chain = b[FIRST_DRAFT] + b[SEND] + b[FIRST_VERIFY] + more * cycle
                row[LEAST_CHAIN] = min(row[LEAST_CHAIN], chain)
                row[LEAST_DRAFT] = min(row[LEAST_DRAFT], b[FIRST_DRAFT] + more * b[DRAFT])
                row[LEAST_VERIFY] = min(row[LEAST_VERIFY], load)
                row[LEAST_VERIFY_BUT_LAST] = min(row[LEAST_VERIFY_BUT_LAST], load - last)
    return least


@kernel
def to_go(
    options: Floats,
    option_count: Indices,
    least: Floats,
    smallest: Indices,
    largest: Indices,
    pairs: bool,
    draft_room: float,
    verify_room: float,
    tail: float,
    value: Floats,
    ways: Indices,
) -> None:
    """Lower bounds on the latency to come from every boundary, by an additive programme backwards.

    Prompts count as arrived, and the verify node as free ``tail`` after the draft node, which is the least that it
    can be: with both nodes' times at ``(t, t + tail)`` at a boundary with n requests left, what is to come costs
    at least ``n t + value``.

    Parameters
    ----------
    tail
        Least time from the last draft of a batch to the end of its verification.
    value
        (K + 1,) Output.
    ways
        (K, 4) Output: size and option of the best first batch, and of its partner (0, 0).
    """
    requests = len(smallest)
    value[requests] = 0.0
    for i in range(requests - 1, -1, -1):
        start_tail = tail if i > 0 else 0.0
        best = np.inf
        for size_a in range(smallest[i], min(largest[i], requests - i) + 1):
            middle = i + size_a
            for option_a in range(option_count[i, size_a - 1]):
                a = options[i, size_a - 1, option_a]
                drafted, end_a = alone(0.0, start_tail, 0.0, a)
                total = size_a * end_a + (requests - middle) * drafted + value[middle]
                if total < best:
                    best = total
                    ways[i, 0], ways[i, 1], ways[i, 2], ways[i, 3] = size_a, option_a, 0, 0
                if not pairs or middle == requests:
                    continue
                verify_a = max(a[FIRST_DRAFT] + a[SEND], start_tail)
                for size_b in range(smallest[middle], min(largest[middle], requests - middle) + 1):
                    j = middle + size_b
                    left = requests - j
                    low_end, low_free = _hopeless(verify_a, a[FIRST_DRAFT], 0.0, a, least[middle, size_b - 1])
                    if size_a * end_a + size_b * low_end + left * low_free + value[j] >= best:
                        continue
                    for option_b in range(option_count[middle, size_b - 1]):
                        b = options[middle, size_b - 1, option_b]
                        if a[DRAFT_BYTES] + b[DRAFT_BYTES] > draft_room:
                            continue
                        if a[VERIFY_BYTES] + b[VERIFY_BYTES] > verify_room:
                            continue
                        low = _least_pair(0.0, start_tail, 0.0, 0.0, a, b)
                        if size_a * low[2] + size_b * low[3] + left * low[0] + value[j] >= best:
                            continue
                        drafted, _, first, second = pair(0.0, start_tail, 0.0, 0.0, a, b)
                        total = size_a * first + size_b * second + left * drafted + value[j]
                        if total < best:
                            best = total
                            ways[i, 0], ways[i, 1], ways[i, 2], ways[i, 3] = (
                                size_a,
                                option_a,
                                size_b,
                                option_b,
                            )
        value[i] = best


@kernel
def search(
    options: Floats,
    option_count: Indices,
    least: Floats,
    release: Floats,
    smallest: Indices,
    largest: Indices,
    pairs: bool,
    draft_room: float,
    verify_room: float,
    to_come: Floats,
    lead: float,
    limit: float,
    labels: Floats,
    ways: Indices,
    counts: Indices,
) -> bool:
    """Fill the labels of all boundaries; False where a boundary had no room for its labels.

    Parameters
    ----------
    options
        (K, B, L, 9) Batches by start, size - 1 and option (:data:`uara.hetedge.timeline.FIELDS`).
    option_count
        (K, B) Options that exist.
    least
        (K, B, 4) Their least loads (:func:`least_of_options`).
    release
        (K, B) When the batch's prompts have arrived.
    smallest, largest
        (K,) Sizes that a batch which starts here may have.
    pairs
        Whether two batches may alternate.
    draft_room, verify_room
        Memory for caches.
    to_come
        (K + 1,) Lower bounds of :func:`to_go`.
    lead
        Least time from the draft node's start with a batch to the verify node's.
    limit
        A total latency that is known to be possible; labels that must exceed it are dropped.
    labels, ways
        (K + 1, C, 3) and (K + 1, C, 6) Output.
    counts
        (K + 1,) Output: labels of each boundary.
    """
    requests = len(release)
    last_release = np.zeros(requests + 1)
    for start in range(requests - 1, -1, -1):
        last_release[start] = max(last_release[start + 1], release[start, 0])
    counts[:] = 0
    counts[0] = 1
    labels[0, 0] = 0.0
    for i in range(requests):
        for index in range(counts[i]):
            drafted, verified, cost = labels[i, index, 0], labels[i, index, 1], labels[i, index, 2]
            for size_a in range(smallest[i], min(largest[i], requests - i) + 1):
                middle = i + size_a
                left = float(requests - middle)
                for option_a in range(option_count[i, size_a - 1]):
                    a = options[i, size_a - 1, option_a]
                    free, end = alone(drafted, verified, release[i, size_a - 1], a)
                    ended = cost + size_a * end
                    if ended + left * free + to_come[middle] <= limit:
                        free, end = _waited(free, end, middle, release, lead)
                        counts[middle] = _insert(
                            labels[middle], ways[middle], counts[middle], (free, end, ended),
                            (i, index, size_a, option_a, 0, 0), left, last_release[middle],
                        )  # fmt: skip
                        if counts[middle] < 0:
                            return False
                    if not pairs or middle == requests:
                        continue
                    if not _extend(
                        options, option_count, least, release, smallest[middle], largest[middle],
                        draft_room, verify_room, to_come, lead, limit, labels, ways, counts, last_release,
                        i, index, size_a, option_a,
                    ):  # fmt: skip
                        return False
    return True


@kernel
def _waited(free: float, end: float, boundary: int, release: Floats, lead: float) -> tuple[float, float]:
    """The same label without time that cannot be used: nothing starts before the next prompt has arrived."""
    if boundary < len(release):
        free = max(free, release[boundary, 0])
        end = max(end, free + lead)
    return free, end


@kernel
def _extend(
    options: Floats,
    option_count: Indices,
    least: Floats,
    release: Floats,
    smallest: int,
    largest: int,
    draft_room: float,
    verify_room: float,
    to_come: Floats,
    lead: float,
    limit: float,
    labels: Floats,
    ways: Indices,
    counts: Indices,
    last_release: Floats,
    i: int,
    index: int,
    size_a: int,
    option_a: int,
) -> bool:
    """All partners of a batch."""
    requests, middle = len(release), i + size_a
    a = options[i, size_a - 1, option_a]
    release_a = release[i, size_a - 1]
    drafted, verified, cost = labels[i, index, 0], labels[i, index, 1], labels[i, index, 2]
    first_a = max(drafted, release_a) + a[FIRST_DRAFT]
    verify_a = max(first_a + a[SEND], verified)
    _, least_a = alone(drafted, verified, release_a, a)
    for size_b in range(smallest, min(largest, requests - middle) + 1):
        j = middle + size_b
        left = float(requests - j)
        release_b = release[middle, size_b - 1]
        low_end, low_free = _hopeless(verify_a, first_a, release_b, a, least[middle, size_b - 1])
        if cost + size_a * least_a + size_b * low_end + left * low_free + to_come[j] > limit:
            continue
        for option_b in range(option_count[middle, size_b - 1]):
            b = options[middle, size_b - 1, option_b]
            if (
                a[DRAFT_BYTES] + b[DRAFT_BYTES] > draft_room
                or a[VERIFY_BYTES] + b[VERIFY_BYTES] > verify_room
            ):
                continue
            low = _least_pair(drafted, verified, release_a, release_b, a, b)
            ended = cost + size_a * low[2] + size_b * low[3]
            if ended + left * low[0] + to_come[j] > limit:
                continue
            if _dominated(labels[j], counts[j], low[0], low[1], ended, left, last_release[j]):
                continue
            free, end, end_a, end_b = pair(drafted, verified, release_a, release_b, a, b)
            ended = cost + size_a * end_a + size_b * end_b
            if ended + left * free + to_come[j] > limit:
                continue
            free, end = _waited(free, end, j, release, lead)
            counts[j] = _insert(
                labels[j], ways[j], counts[j], (free, end, ended),
                (i, index, size_a, option_a, size_b, option_b), left, last_release[j],
            )  # fmt: skip
            if counts[j] < 0:
                return False
    return True
