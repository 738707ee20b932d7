"""Finding good associations: local search from every association that a bound suggests, and small kicks."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from uara.base.quantities import Floats, Indices
from uara.p1.allocation import allocate
from uara.p1.instance import Instance
from uara.p1.model import Allocation, coefficients
from uara.solver import Context

from ..common.locality import along_curve
from .local_search import improve
from .settling import make_state
from .state import make_task

if TYPE_CHECKING:
    from .neighbourhood import Neighbourhood


class Incumbents:
    """The best association so far; every better one is reported to the run.

    Attributes
    ----------
    association
        (M,) The best one; None before the first :meth:`offer`.
    cost_ms
        Its cost, controllable part only; infinite before.
    """

    def __init__(self, instance: Instance, context: Context) -> None:  # type: ignore[type-arg]
        self.association: Indices | None = None
        self.cost_ms = np.inf
        self._instance, self._context = instance, context
        self._numbers = coefficients(instance)
        self._ordered = along_curve(instance)
        self._task = make_task(self._ordered.numbers)
        self._tried: set[bytes] = set()

    def offer(self, association: Indices, *, polish: bool = True) -> bool:
        """Polish an association by moves and swaps (once); says whether it became the best."""
        key = np.asarray(association, dtype=np.int64).tobytes()
        if key in self._tried:
            return False
        state = make_state(self._task, self._ordered.numbers, self._ordered.inside(association))
        kept = self._keep(np.array(association), float(state.cost_ms.sum()))
        if not polish:
            return kept
        self._tried.add(key)
        improve(self._task, state, expired=self._context.expired)
        return self._keep(self._ordered.outside(state.chosen), float(state.cost_ms.sum())) or kept

    def _keep(self, association: Indices, cost_ms: float) -> bool:
        if not cost_ms < self.cost_ms * (1 - 1e-12):
            return False
        self.cost_ms, self.association = cost_ms, association.copy()
        self._context.incumbent(self.decision())
        return True

    def decision(self) -> Allocation:
        """The best association with its optimal shares."""
        return allocate(self._instance, self.association, "optimal")  # type: ignore[arg-type]

    def near(self, open_: NDArray[np.bool_]) -> Neighbourhood:
        """A search over the (K,) marked pairs and those of the best association, whose answers are kept here."""
        from .neighbourhood import Neighbourhood

        return Neighbourhood(self, self._numbers, self._context, open_)

    def take(self, association: Indices, cost_ms: float) -> bool:
        """Keep a polished association and its cost, if it is the best."""
        return self._keep(association, cost_ms)

    def kick(self, weight: Floats, count: int) -> bool:
        """Move some devices of the best association at random, and search from there.

        Parameters
        ----------
        weight
            (K,) How likely each pair is drawn; a device that has but one likely pair stays.
        count
            How many devices are moved.
        """
        numbers, rng = self._numbers, self._context.rng
        devices = numbers.devices
        chosen = np.array(self.association)
        likely = np.maximum(weight, 0.0)
        likely[numbers.pairs_of(chosen)] = 0.0
        elsewhere = np.add.reduceat(likely, numbers.start[:-1])
        if not elsewhere.sum() > 0:
            return False
        count = min(count, int((elsewhere > 0).sum()), devices)
        for device in rng.choice(devices, size=count, replace=False, p=elsewhere / elsewhere.sum()):
            pairs = slice(numbers.start[device], numbers.start[device + 1])
            pick = rng.choice(pairs.stop - pairs.start, p=likely[pairs] / elsewhere[device])
            chosen[device] = numbers.server[pairs.start + pick]
        return self.offer(chosen)
