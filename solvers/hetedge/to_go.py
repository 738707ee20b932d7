"""The programme backwards: what is to come at least from every boundary, as if all prompts had arrived."""

from __future__ import annotations

import numpy as np

from uara.base.kernels import kernel
from uara.base.quantities import Floats, Indices
from uara.hetedge.timeline import DRAFT_BYTES, FIRST_DRAFT, SEND, VERIFY_BYTES, alone, pair

from .batches import Batches, hopeless, least_pair


@kernel(allocates=False)
def to_go(batches: Batches, tail_ms: float, value_ms: Floats, ways: Indices) -> None:
    """Lower bounds on the latency to come from every boundary, by an additive programme backwards.

    Prompts count as arrived, and the verify node as free ``tail_ms`` after the draft node, which is the least that
    it can be: with both nodes' times at ``(t, t + tail_ms)`` at a boundary with n requests left, what is to come
    costs at least ``n t + value_ms``.

    Parameters
    ----------
    tail_ms
        Least time from the last draft of a batch to the end of its verification.
    value_ms
        (K + 1,) Output.
    ways
        (K, 4) Output: size and option of the best first batch, and of its partner (0, 0).
    """
    options, option_count, least = batches.options, batches.option_count, batches.least_ms
    smallest, largest = batches.smallest, batches.largest
    requests = len(smallest)
    value_ms[requests] = 0.0
    for i in range(requests - 1, -1, -1):
        start_tail = tail_ms if i > 0 else 0.0
        best = np.inf
        for size_a in range(smallest[i], min(largest[i], requests - i) + 1):
            middle = i + size_a
            for option_a in range(option_count[i, size_a - 1]):
                a = options[i, size_a - 1, option_a]
                drafted, end_a = alone(0.0, start_tail, 0.0, a)
                total = size_a * end_a + (requests - middle) * drafted + value_ms[middle]
                if total < best:
                    best = total
                    ways[i, 0], ways[i, 1], ways[i, 2], ways[i, 3] = size_a, option_a, 0, 0
                if not batches.pairs or middle == requests:
                    continue
                verify_a = max(a[FIRST_DRAFT] + a[SEND], start_tail)
                for size_b in range(smallest[middle], min(largest[middle], requests - middle) + 1):
                    j = middle + size_b
                    left = requests - j
                    low_end, low_free = hopeless(verify_a, a[FIRST_DRAFT], 0.0, a, least[middle, size_b - 1])
                    if size_a * end_a + size_b * low_end + left * low_free + value_ms[j] >= best:
                        continue
                    for option_b in range(option_count[middle, size_b - 1]):
                        b = options[middle, size_b - 1, option_b]
                        if a[DRAFT_BYTES] + b[DRAFT_BYTES] > batches.draft_room:
                            continue
                        if a[VERIFY_BYTES] + b[VERIFY_BYTES] > batches.verify_room:
                            continue
                        low = least_pair(0.0, start_tail, 0.0, 0.0, a, b)
                        if size_a * low[2] + size_b * low[3] + left * low[0] + value_ms[j] >= best:
                            continue
                        drafted, _, first, second = pair(0.0, start_tail, 0.0, 0.0, a, b)
                        total = size_a * first + size_b * second + left * drafted + value_ms[j]
                        if total < best:
                            best = total
                            ways[i, 0], ways[i, 1], ways[i, 2], ways[i, 3] = (
                                size_a,
                                option_a,
                                size_b,
                                option_b,
                            )
        value_ms[i] = best
