"""Algorithm 1 by a policy that sees who is served where: it weighs under a first association, and again at the end."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from uara.base.quantities import Floats, Indices
from uara.p1.coefficients import Coefficients
from uara.p1.decision import Allocation

from .association import associate, cost_ms, shared
from .sight import AT_ONCE, Sight


def looked_at(
    numbers: Coefficients,
    sight: Sight,
    starts: Sequence[Indices],
    expired: Callable[[], bool] = lambda: False,
    found: Callable[[Allocation], None] = lambda answer: None,
) -> Allocation:
    """The best of what some (M,) associations lead to, all looked at together.

    Parameters
    ----------
    found
        Receives the best answer at the starts, before any search, where that takes long.
    """
    pairs = np.stack([numbers.pairs_of(each) for each in starts])
    weights = np.exp(sight.log_weights(pairs))
    first = _best(numbers, starts, pairs, np.take_along_axis(weights, pairs[..., None], axis=1))
    if len(numbers.server) > AT_ONCE:
        found(first[1])
    ends = [
        associate(numbers, each[:, 0], each[:, 1], start, expired)
        for each, start in zip(weights, starts, strict=True)
    ]
    pairs = np.stack([numbers.pairs_of(each) for each in ends])
    last = _best(numbers, ends, pairs, np.exp(sight.at_members(pairs)))
    return min(first, last, key=lambda each: each[0])[1]


def _best(
    numbers: Coefficients, associations: Sequence[Indices], pairs: Indices, weights: Floats
) -> tuple[float, Allocation]:
    """The cheapest of some associations, and its cost in ms, by the (S, M, 2) weights of their (S, M) pairs."""
    answers = [shared(numbers, *each) for each in zip(associations, *np.moveaxis(weights, 2, 0), strict=True)]
    costs_ms = [cost_ms(numbers, pair, answer) for pair, answer in zip(pairs, answers, strict=True)]
    return min(zip(costs_ms, answers, strict=True), key=lambda each: each[0])
