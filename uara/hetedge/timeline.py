"""Closed expressions of the pipeline: where one batch, or a pair of alternating batches, leaves the two nodes.

The recurrences are linear in the max-plus sense: every time is a maximum of sums of the four inputs (both
nodes' free times, both batches' releases) and of durations. Once a round moves all of the pair's times by the
same amount, every later round does too, so that the rounds that are left are added in one step. The replay in
``pipeline.py`` is their independent check.
"""

from __future__ import annotations

import numpy as np

from uara.base.kernels import kernel
from uara.base.quantities import Floats

FIELDS = (
    "first_draft",
    "draft",
    "send",
    "first_verify",
    "verify",
    "reply",
    "rounds",
    "draft_bytes",
    "verify_bytes",
)
"""What a batch is to the compiled functions: times in ms (``first_draft`` holds the prefill), rounds, caches."""
FIRST_DRAFT, DRAFT, SEND, FIRST_VERIFY, VERIFY, REPLY, ROUNDS, DRAFT_BYTES, VERIFY_BYTES = range(len(FIELDS))


@kernel
def alone(draft_free: float, verify_free: float, release: float, a: Floats) -> tuple[float, float]:
    """A batch without a partner: when the draft node and the verify node are free again.

    The verify node is free when the batch is complete.
    """
    drafted = max(draft_free, release) + a[FIRST_DRAFT]
    verified = max(drafted + a[SEND], verify_free) + a[FIRST_VERIFY]
    further = a[ROUNDS] - 1.0
    if further > 0.0:
        cycle = a[REPLY] + a[DRAFT] + a[SEND] + a[VERIFY]
        drafted = verified + (further - 1.0) * cycle + a[REPLY] + a[DRAFT]
        verified += further * cycle
    return drafted, verified


@kernel
def pair(
    draft_free: float, verify_free: float, release_a: float, release_b: float, a: Floats, b: Floats
) -> tuple[float, float, float, float]:
    """Two alternating batches, ``a`` first.

    Returns
    -------
    draft_free, verify_free
        When the nodes have done their last work for the pair.
    end_a, end_b
        When each batch is complete.
    """
    drafted = max(draft_free, release_a) + a[FIRST_DRAFT]
    verified = max(drafted + a[SEND], verify_free) + a[FIRST_VERIFY]
    end_a = verified
    drafted = max(drafted, release_b) + b[FIRST_DRAFT]
    verified = max(drafted + b[SEND], verified) + b[FIRST_VERIFY]
    end_b = verified
    common = min(a[ROUNDS], b[ROUNDS])
    done = 1.0
    while done < common:
        before_drafted, before_a, before_b = drafted, end_a, end_b
        drafted = max(drafted, end_a + a[REPLY]) + a[DRAFT]
        end_a = max(drafted + a[SEND], end_b) + a[VERIFY]
        drafted = max(drafted, end_b + b[REPLY]) + b[DRAFT]
        end_b = max(drafted + b[SEND], end_a) + b[VERIFY]
        done += 1.0
        step = end_b - before_b
        small = 1e-12 * end_b
        if abs(drafted - before_drafted - step) <= small and abs(end_a - before_a - step) <= small:
            left = (common - done) * step
            drafted += left
            end_a += left
            end_b += left
            break
    verified = end_b
    if a[ROUNDS] > common:
        drafted, end_a = _continued(drafted, verified, end_a, a[ROUNDS] - common, a)
        verified = end_a
    elif b[ROUNDS] > common:
        drafted, end_b = _continued(drafted, verified, end_b, b[ROUNDS] - common, b)
        verified = end_b
    return drafted, verified, end_a, end_b


@kernel
def _continued(drafted: float, verified: float, end: float, left: float, a: Floats) -> tuple[float, float]:
    """The ``left`` rounds of a batch whose partner is complete; ``end`` is when it was last verified."""
    drafted = max(drafted, end + a[REPLY]) + a[DRAFT]
    end = max(drafted + a[SEND], verified) + a[VERIFY]
    if left > 1.0:
        cycle = a[REPLY] + a[DRAFT] + a[SEND] + a[VERIFY]
        drafted = end + (left - 2.0) * cycle + a[REPLY] + a[DRAFT]
        end += (left - 1.0) * cycle
    return drafted, end


@kernel
def partner_begin(started: float, a: Floats, b: Floats) -> float:
    """When a node could begin with the second batch of a pair, whose first one has ``started``."""
    begin: float = started + a[FIRST_DRAFT]
    if b[FIRST_DRAFT] <= 0.0:
        begin += a[FIRST_VERIFY]
    return begin


@kernel
def play(
    options: Floats, release: Floats, paired: np.ndarray, end: Floats, begin: Floats
) -> tuple[float, float]:
    """A whole plan: completion of each batch.

    Parameters
    ----------
    options
        (M, 9) The batches (:data:`FIELDS`).
    release
        (M,) When each batch's prompts have arrived.
    paired
        (M,) Whether a batch alternates with the one before it.
    end, begin
        (M,) Outputs: when each batch is complete, and when a node could begin with it.

    Returns
    -------
    draft_free, verify_free
        When the nodes are done.
    """
    drafted, verified, m = 0.0, 0.0, 0
    while m < len(release):
        begin[m] = drafted if options[m, FIRST_DRAFT] > 0.0 else verified
        if m + 1 < len(release) and paired[m + 1]:
            begin[m + 1] = partner_begin(max(begin[m], release[m]), options[m], options[m + 1])
            drafted, verified, end[m], end[m + 1] = pair(
                drafted, verified, release[m], release[m + 1], options[m], options[m + 1]
            )
            m += 2
        else:
            drafted, verified = alone(drafted, verified, release[m], options[m])
            end[m] = verified
            m += 1
    return drafted, verified
