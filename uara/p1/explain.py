"""Where an answer loses: its gap split into what association costs and what allocation costs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from uara.base.cells import Column, Table, percent, words
from uara.p1.allocation import allocate
from uara.p1.decision import Allocation
from uara.p1.instance import Instance
from uara.p1.model import evaluate

if TYPE_CHECKING:
    from uara.solver import Result


@dataclass(frozen=True)
class Parts:
    """An answer's distance to a reference, in ms of the objective.

    ``total = allocation + association``: the first part would go if the same association shared band and
    compute optimally, the second is what the association itself costs beyond the reference.
    """

    solver: str
    own_ms: float
    """Objective of the answer."""
    reallocated_ms: float
    """Objective of its association with the optimal shares."""
    reference_ms: float
    """A lower bound, or the best known objective."""
    scale_ms: float
    """Controllable part of the reference, to which gaps are relative."""

    @property
    def allocation(self) -> float:
        """Part of the gap that the shares cause."""
        return (self.own_ms - self.reallocated_ms) / self.scale_ms

    @property
    def association(self) -> float:
        """Part of the gap that the association causes."""
        return (self.reallocated_ms - self.reference_ms) / self.scale_ms

    @property
    def total(self) -> float:
        """The whole gap."""
        return (self.own_ms - self.reference_ms) / self.scale_ms


def split(instance: Instance, decision: Allocation, reference_ms: float, solver: str = "") -> Parts:
    """Split an answer's gap to a reference value of the objective (constant part included)."""
    own = evaluate(instance, decision)
    best = evaluate(instance, allocate(instance, decision.association))
    return Parts(solver, own.objective_ms, best.objective_ms, reference_ms, reference_ms - own.constant_ms)


def explain(results: Sequence[Result], best_known_ms: float | None = None) -> Table:
    """A table that splits the gaps of several answers to one instance.

    The reference is the best bound among the results, or the best known objective where no result has a bound.
    """
    bounds = [result.bound_ms for result in results if result.bound_ms is not None]
    values = [result.evaluation.objective_ms for result in results if result.evaluation.feasible]
    if bounds:
        reference_ms, name = max(bounds), "best lower bound of these runs"
    elif best_known_ms is not None:
        reference_ms, name = best_known_ms, "best known objective"
    else:
        reference_ms, name = min(values), "best of these answers"
    gap = "optimality gap" if bounds else "primal gap"
    columns = [
        Column("solver", numeric=False),
        *(Column(f"{name} %") for name in (gap, "association", "allocation")),
    ]
    rows = []
    for result in results:
        if result.evaluation.feasible:
            parts = split(result.instance, result.decision, reference_ms, result.solver)  # type: ignore[arg-type]
            shown = (parts.total, parts.association, parts.allocation)
            rows.append([words(parts.solver), *map(percent(4), shown)])
    return Table(columns, rows, f"gap to the {name}, of the controllable part")
