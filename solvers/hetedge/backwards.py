"""The cheapest groups at given prices, from the last position to the first: what is to come is known at each.

Where a plan has a hundred groups, a certificate would add up a hundred promises of potentials that are a little too
high. Positions are taken in blocks, so that what follows a block is exact when it is looked at.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise

import numpy as np

from uara.base.quantities import Floats
from uara.hetedge.batch_kinds import Kinds
from uara.hetedge.least_slack import Asked, Found, Stretch, alone_slacks, pair_slacks

BLOCK = 8
"""Positions that are looked at together."""
_PASSES = 6
"""Most looks at a block; each sees what the last one made of its potentials."""
_SETTLED = 1e-9
"""Of the potential: a slack above that is none."""


def cheapest_chain(
    kinds: Kinds,
    asked: Asked,
    tail_ms: float,
    known: Callable[[int, int, Floats], None],
    expired: Callable[[], bool],
) -> Found | None:
    """Lower ``asked.potential`` to what the cheapest chain of groups costs from each position on.

    Parameters
    ----------
    known
        (first, stop, potential): write what chains of known groups cost from these positions on.

    Returns
    -------
    Found or None
        The groups, and the most by which any falls short of the potentials at the end; None where time is up.

    Notes
    -----
    In the last look at a block a group from i to j is priced before the potential at j sinks by its own slack, s_j,
    while the potential at i sinks by that of the cheapest group. So none at i falls short by more than the most
    of these s_j.
    """
    requests, widest = len(asked.price), len(kinds.start) - 1
    potential = asked.potential
    left, first, second = np.zeros(requests), np.full(requests, -1), np.full(requests, -1)
    edges = [*range(requests, 1, -BLOCK), 1, 0]
    for stop, start in pairwise(edges):
        known(start, stop, potential)
        stretch = Stretch(start, stop - 1, tail_ms if start > 0 else 0.0)
        for _ in range(_PASSES):
            found = Found(np.zeros(requests), first, second)
            alone_slacks(kinds, asked, stretch, found)
            for size_a in range(widest, 0, -1):
                for size_b in range(widest, 0, -1):
                    pair_slacks(kinds, asked, stretch, size_a, size_b, found)
            if expired():
                return None
            potential[start:stop] += found.slack[start:stop]
            if found.slack.min() >= -_SETTLED * abs(potential[start]):
                break
        for i in range(start, stop - 1):
            left[i] = found.slack[i + 1 : stop].min()
    return Found(left, first, second)
