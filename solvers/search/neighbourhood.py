"""Search near the best association, over the pairs that a bound leaves open: descents from given ends, and shakes."""

from __future__ import annotations

from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from uara.base.quantities import Floats, Indices
from uara.p1.coefficients import Coefficients
from uara.solver import Context

from .by_prices import shake
from .local_search import improve
from .settling import make_state
from .shake import DRAWS, Shaking
from .state import make_task

_SHAKES = 8
"""Shakes between two looks at the clock."""


class Best(Protocol):
    """Who knows the best association: :class:`.incumbents.Incumbents`."""

    association: Indices | None
    """(M,) None as long as there is none."""

    def take(self, association: Indices, cost_ms: float) -> bool:
        """Keep a polished association and its cost, if it is the best."""


class Neighbourhood:
    """Local search over some of the pairs.

    Parameters
    ----------
    found
        Whose best association is searched from, and who keeps better ones.
    open_
        (K,) The pairs that may be used; those of the best association may always be.
    """

    def __init__(
        self, found: Best, numbers: Coefficients, context: Context[Any], open_: NDArray[np.bool_]
    ) -> None:
        assert found.association is not None
        self.found, self.context = found, context
        self._keep = open_.copy()
        self._keep[numbers.pairs_of(found.association)] = True
        self._numbers = numbers.restricted(self._keep)
        self._task = make_task(self._numbers)
        self._tried: set[bytes] = set()

    def descend(self, liking: Floats) -> Indices | None:
        """Search from each device's pair of most (K,) liking; returns the end, None where it was tried before."""
        few = self._numbers
        liking = liking[self._keep]
        best = np.lexsort((-liking, few.device))[few.start[:-1]]
        association = few.server[best]
        key = association.tobytes()
        if key in self._tried:
            return None
        self._tried.add(key)
        state = make_state(self._task, few, association)
        improve(self._task, state, expired=self.context.expired)
        self.found.take(state.chosen, float(state.cost_ms.sum()))
        return state.chosen

    def shake(self, weight: Floats, patience: int, warmth_ms: float) -> bool:
        """Shake the best association until nothing better has come for so many shakes; says whether any came.

        Parameters
        ----------
        weight
            (K,) How likely each pair is drawn.
        warmth_ms
            Rise with which a worse association is still accepted now and then.
        """
        start = self._numbers.start
        assert self.found.association is not None
        choice = np.repeat(np.diff(start) > 1, np.diff(start))
        likely = np.where(choice, np.maximum(weight[self._keep], 0.0), 0.0)
        if not likely.sum() > 0.0 or (self._numbers.pairs_of(self.found.association) < 0).any():
            return False
        present = np.array(self.found.association)
        best = present.copy()
        state = make_state(self._task, self._numbers, present)
        costs, warmth_ms = np.full(2, state.cost_ms.sum()), max(warmth_ms, 1e-300)
        cumulative = np.cumsum(likely)
        since, better = 0, False
        while since < patience and not self.context.expired():
            draws = self.context.rng.random((_SHAKES, DRAWS))
            last = shake(self._task, state, Shaking(cumulative, present, best, costs, draws, warmth_ms))
            since = since + _SHAKES if last < 0 else _SHAKES - 1 - last
            if last >= 0:
                better |= self.found.take(best, float(costs[1]))
        return better
