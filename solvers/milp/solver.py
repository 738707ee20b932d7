"""``milp``: the mixed-integer perspective program in HiGHS, a method of its own beside ``exact``.

The program over the pairs that 2E prices do not exclude starts with the tangents of those prices and is cut at its
answers until bound and incumbent meet (``docs/proofs.md``). What the prices prove is certified; what HiGHS adds is
its own floating-point claim, and the result keeps the two apart. It shares no bound with ``exact``, so that the two
can contradict each other.
"""

from __future__ import annotations

from functools import cache
from typing import Annotated, Any

import numpy as np
from pydantic import Field

from uara.base.files import Record
from uara.base.quantities import Floats, Indices
from uara.p1.allocation import allocate
from uara.p1.instance import Instance
from uara.registry import as_solver
from uara.solver import OPTIMAL_GAP, Answer, Context

from ..dual.price import PriceOptions, Root, searched


class MilpOptions(Record):
    """Options of the mixed-integer program."""

    gap: Annotated[float, Field(ge=1e-9, lt=1)] = OPTIMAL_GAP
    """Relative gap, on the controllable part, at which the search ends."""
    kicks: Annotated[int, Field(ge=0)] = 30
    """Random changes of the best association that are polished before anything is proven."""


@cache
def compile_milp() -> None:
    """Load HiGHS and the compiled kernels, so that the clock does not count them."""
    from ..common.warmup import rehearse

    rehearse(milp, MilpOptions(gap=1e-9))


@as_solver(options=MilpOptions, prepare=compile_milp, warm_start=True)
def milp(instance: Instance, context: Context[MilpOptions]) -> Answer:
    """Prove a gap by the perspective MILP in HiGHS, cut at its own answers."""
    from ..dual.kernel import certificate_of

    root, found = searched(instance, context, PriceOptions(kicks=context.options.kicks))
    program = MilpSearch(instance, context, root, found, context.options.gap)
    if not program.proven():
        program.run()
    return Answer(
        found.decision(),
        program.bound_ms + root.numbers.constant_ms,
        certificate_of(root.numbers, root.prices),
        {"milp_rounds": program.rounds, "tangents": program.tangents},
    )


class MilpSearch:
    """The cut loop: solve the MILP, score its answer exactly, cut where it was wrong, and again.

    Attributes
    ----------
    bound_ms
        What HiGHS states for the controllable part.
    """

    def __init__(self, instance: Instance, context: Context[Any], root: Root, found: Any, gap: float) -> None:
        self.instance, self.context, self.root, self.found, self.gap = instance, context, root, found, gap
        self.bound_ms = root.value_ms
        self.settled_ms = np.inf
        """What any association costs at least that uses a pair which is left out."""
        self.rounds = self.tangents = 0

    @property
    def target_ms(self) -> float:
        """A bound of this much ends the search."""
        return float(self.found.cost_ms * (1 - self.gap))

    def run(self) -> None:
        """Solve until the gap is proven or time is up."""
        from ..dual.kernel import at_prices
        from .highs import Model
        from .perspective import Perspective

        value_ms, excess_ms, _ = at_prices(self.root.numbers, self.root.prices)
        self.settled_ms = self.target_ms
        keep = value_ms + excess_ms < self.settled_ms
        if not self.context.affords(Model.SECONDS * np.count_nonzero(keep)):
            return
        relaxation = Perspective.scaled(self.root.numbers.restricted(keep), self.found.cost_ms)
        model = Model(relaxation, self.root.prices)
        best = self.found.decision()
        self._cut_at(model, best.association, best.bandwidth)
        self._tighten(model)
        model.set_integer()
        seen: set[bytes] = set()
        precise = False
        while not self.proven() and self.context.affords(2 * model.grain_s):
            before_ms = self.bound_ms
            association = self._round(model, 0.0 if precise else 0.3)
            self.tangents = model.tangents
            key = b"" if association is None else association.tobytes()
            if key in seen and self.bound_ms <= before_ms:
                # Cut where it was and found again: solved to the end once, it will not change any more.
                if precise:
                    break
                precise = True
            seen.add(key)

    def proven(self) -> bool:
        """Whether the gap is reached."""
        return self.bound_ms >= self.target_ms

    def _tighten(self, model: Any) -> None:
        """Cut the continuous relaxation while that lifts its bound."""
        last_ms = -np.inf
        for _ in range(20):
            if self.context.expired():
                break
            outcome = model.solve(self.context)
            if outcome.column is None or not model.add(model.relaxation.violated(outcome.column)):
                break
            self._state(outcome.bound_ms, "relaxation", model.tangents)
            if outcome.bound_ms <= last_ms + 1e-6 * abs(last_ms):
                break
            last_ms = outcome.bound_ms

    def _round(self, model: Any, part: float) -> Indices | None:
        """Solve once, to a part of the open gap, and cut at the answer, which is returned."""
        target_ms = self.target_ms
        distance_ms = max(target_ms - self.bound_ms, self.gap * self.found.cost_ms)
        outcome = model.solve(
            self.context,
            cutoff_ms=target_ms,
            abs_gap_ms=part * distance_ms,
            watch=lambda bound_ms, nodes: self._state(
                min(bound_ms, target_ms), "milp", model.tangents, nodes
            ),
        )
        self.rounds += 1
        self._state(min(outcome.bound_ms, target_ms), "milp", model.tangents)
        if outcome.column is None:
            return None
        association = associated(model.relaxation, outcome.column)
        decision = allocate(self.instance, association)
        self._cut_at(model, association, decision.bandwidth)
        model.add(model.relaxation.violated(outcome.column, 1e-7))
        if self.found.offer(association):
            best = self.found.decision()
            self._cut_at(model, best.association, best.bandwidth)
        return association

    def _state(self, bound_ms: float, stage: str, tangents: int, nodes: float = 0) -> None:
        if np.isfinite(bound_ms):
            self.bound_ms = max(self.bound_ms, min(bound_ms, self.settled_ms))
            total_ms = self.bound_ms + self.root.numbers.constant_ms
            self.context.bound(total_ms, stage, cuts=tangents, nodes=nodes, rounds=self.rounds)

    def _cut_at(self, model: Any, association: Indices, shares: Floats) -> None:
        model.add(model.relaxation.tangents_at(association, shares))


def associated(relaxation: Any, column: Floats) -> Indices:
    """(M,) The server that the relaxation's point gives the largest x for each device."""
    x = column[: relaxation.count]
    order = np.lexsort((-x, relaxation.device))
    return np.asarray(relaxation.numbers.server[order[relaxation.numbers.start[:-1]]])
