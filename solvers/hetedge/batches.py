"""The table of batches that the compiled programmes choose from, and quick bounds on what a batch or a pair takes."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from uara.base.kernels import kernel
from uara.base.quantities import Floats, Indices
from uara.hetedge.timeline import (
    DRAFT,
    FIRST_DRAFT,
    FIRST_VERIFY,
    REPLY,
    ROUNDS,
    SEND,
    VERIFY,
)

LEAST_CHAIN, LEAST_DRAFT, LEAST_VERIFY, LEAST_VERIFY_BUT_LAST = range(4)
"""Columns of ``Batches.least_ms``."""


class Batches(NamedTuple):
    """Batches of consecutive requests of an order: K requests, at most B in a batch, at most L options of each."""

    options: Floats
    """(K, B, L, 9) By start, size - 1 and option; the columns are :data:`uara.hetedge.timeline.FIELDS`."""
    option_count: Indices
    """(K, B) Options that exist."""
    least_ms: Floats
    """(K, B, 4) Least chain, draft load, verify load, and that without its last pass, over the options."""
    smallest: Indices
    """(K,) Least size of a batch that starts here."""
    largest: Indices
    """(K,) Largest one."""
    pairs: bool
    """Whether two batches may alternate."""
    draft_room: float
    """Bytes for caches on the draft node."""
    verify_room: float
    """Bytes for caches on the verify node."""


@kernel(allocates=False)
def least_pair(
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


@kernel(allocates=False)
def hopeless(
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
