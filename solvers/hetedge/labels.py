"""Labels of the forward programme, and which of them can be dropped without loss."""

from __future__ import annotations

from typing import NamedTuple

from uara.base.kernels import kernel
from uara.base.quantities import Floats, Indices

DRAFT_FREE, VERIFY_FREE, COST = 0, 1, 2
"""Columns of a label, in ms: when the two nodes are free, and the sum of the latencies so far."""
BOUNDARY, LABEL, SIZE_A, OPTION_A, SIZE_B, OPTION_B = range(6)
"""Columns of the way by which a label was reached; size 0 and option 0 for no partner."""


class Labels(NamedTuple):
    """The labels of all boundaries of an order of K requests, C at most of each."""

    times_ms: Floats
    """(K + 1, C, 3) Columns :data:`DRAFT_FREE`, :data:`VERIFY_FREE`, :data:`COST`."""
    ways: Indices
    """(K + 1, C, 6) Columns :data:`BOUNDARY` to :data:`OPTION_B`."""
    counts: Indices
    """(K + 1,) Labels of each boundary."""


@kernel(allocates=False)
def dominated(
    labels: Floats, count: int, drafted: float, verified: float, cost: float, left: float, last_release: float
) -> bool:
    """Whether one of the first ``count`` labels makes another one useless, with ``left`` requests to come.

    All times in ms; after ``last_release`` every prompt has arrived.
    """
    for index in range(count):
        gap = max(labels[index, DRAFT_FREE] - drafted, labels[index, VERIFY_FREE] - verified)
        if gap < 0.0 and (labels[index, DRAFT_FREE] < last_release or drafted < last_release):
            gap = 0.0
        if labels[index, COST] + left * gap <= cost:
            return True
    return False


@kernel(allocates=False)
def insert(
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
    if dominated(labels, count, drafted, verified, cost, left, last_release):
        return count
    kept = 0
    for index in range(count):
        gap = max(drafted - labels[index, DRAFT_FREE], verified - labels[index, VERIFY_FREE])
        if gap < 0.0 and (labels[index, DRAFT_FREE] < last_release or drafted < last_release):
            gap = 0.0
        if cost + left * gap <= labels[index, COST]:
            continue
        if kept != index:
            for column in range(3):
                labels[kept, column] = labels[index, column]
            for column in range(6):
                ways[kept, column] = ways[index, column]
        kept += 1
    if kept == len(labels):
        return -1
    labels[kept, DRAFT_FREE], labels[kept, VERIFY_FREE], labels[kept, COST] = drafted, verified, cost
    for column in range(6):
        ways[kept, column] = way[column]
    return kept + 1
