"""One group played on the two nodes, turn by turn, and what two batches without a common request are worth."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from uara.base.kernels import kernel
from uara.base.quantities import Floats
from uara.hetedge.batch_kinds import DRAFT, FIRST_VERIFY, PREFILL, REPLY, ROUNDS, SEND, VERIFY


@kernel(allocates=False)
def played(a: Floats, b: Floats, tail_ms: float) -> tuple[float, float, float]:
    """Ends of two alternating batches, and when the draft node is free: turn by turn. Without rounds, b is none.

    Once a turn has moved every time by the same amount, so will the next ones of both; and a batch that is alone
    repeats one cycle.
    """
    drafted, verified, end_a, end_b, turn = 0.0, tail_ms, 0.0, 0.0, 0.0
    both = min(a[ROUNDS], b[ROUNDS])
    while turn < both:
        before_drafted, before_a, before_b = drafted, end_a, end_b
        first = turn == 0.0
        drafted = max(drafted, 0.0 if first else end_a + a[REPLY]) + a[DRAFT] + (a[PREFILL] if first else 0.0)
        end_a = max(drafted + a[SEND], verified) + (a[FIRST_VERIFY] if first else a[VERIFY])
        drafted = max(drafted, 0.0 if first else end_b + b[REPLY]) + b[DRAFT] + (b[PREFILL] if first else 0.0)
        end_b = max(drafted + b[SEND], end_a) + (b[FIRST_VERIFY] if first else b[VERIFY])
        verified = end_b
        turn += 1.0
        step, noise = end_b - before_b, 2.0**-50 * end_b
        if (
            turn > 2.0
            and abs(drafted - before_drafted - step) <= noise
            and abs(end_a - before_a - step) <= noise
        ):
            drafted += (both - turn) * step
            end_a += (both - turn) * step
            end_b += (both - turn) * step
            verified, turn = end_b, both
    if a[ROUNDS] > both:
        drafted, end_a = _rest(drafted, verified, end_a, turn, a)
    elif b[ROUNDS] > both:
        drafted, end_b = _rest(drafted, verified, end_b, turn, b)
    return end_a, end_b, drafted


@kernel(allocates=False)
def _rest(drafted: float, verified: float, end: float, turn: float, a: Floats) -> tuple[float, float]:
    """The draft node's time and the end of a batch whose partner is complete after so many turns, or is none."""
    if turn == 0.0:
        drafted += a[PREFILL] + a[DRAFT]
        end = max(drafted + a[SEND], verified) + a[FIRST_VERIFY]
    else:
        drafted = max(drafted, end + a[REPLY]) + a[DRAFT]
        end = max(drafted + a[SEND], verified) + a[VERIFY]
    more = a[ROUNDS] - turn - 1.0
    if more > 0.0:
        cycle = a[REPLY] + a[DRAFT] + a[SEND] + a[VERIFY]
        drafted = end + (more - 1.0) * cycle + a[REPLY] + a[DRAFT]
        end += more * cycle
    return drafted, end


@kernel(allocates=False)
def apart(
    admits_a: NDArray[np.bool_], admits_b: NDArray[np.bool_], size_a: int, size_b: int, price: Floats
) -> float:
    """Most that two batches without a common request are worth; minus infinity where there are none such.

    The sets that can be divided between two batches are independent in a transversal matroid, so that taking
    the dearest that can still be placed is optimal.
    """
    only_a, only_b, taken, worth = 0, 0, 0, 0.0
    for k in range(len(price)):
        in_a, in_b = admits_a[k], admits_b[k]
        if in_a and not in_b:
            if only_a == size_a:
                continue
            only_a += 1
        elif in_b and not in_a:
            if only_b == size_b:
                continue
            only_b += 1
        elif not in_a:
            continue
        taken += 1
        worth += price[k]
        if taken == size_a + size_b:
            return float(worth)
    return -np.inf
