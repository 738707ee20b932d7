"""A lower bound over all orders, batches, lengths and band shares by a mixed-integer programme (Pyomo, HiGHS).

Batches follow each other on one machine with the combined loads of ``bound.py``. A flow from 0 to K
requests served takes one arc per batch, at the price of its load times the requests that wait for it; requests
fill the batches according to their kinds. The programme's bound holds for every plan; its sequence of batches is
an order of service, which the dynamic programme then serves exactly.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Annotated, Any

import numpy as np
from pydantic import Field

from uara.base.errors import SolverError
from uara.base.files import Record
from uara.base.quantities import Floats, Indices
from uara.hetedge.instance import HetEdge
from uara.registry import as_solver
from uara.solver import Answer, Context

from ..common.posing import posed
from .alternate import alternate, programme_s
from .bound import Kinds, Weights, alone_bound_ms, first_arrival_ms, kinds_of, loads_of
from .dp import RULES, compile_search, served
from .search import Choices, Programme

SECONDS = 5e-5
"""Time to state a programme and to hand it over, for each batch that it may contain."""

_GRID: tuple[Weights, ...] = (
    (0.0, 1.0, 0.0), (0.0, 0.5, 0.5), (0.0, 0.0, 1.0), (0.5, 0.5, 0.0), (0.25, 0.5, 0.25), (0.5, 0.0, 0.5),
    (1.0, 0.0, 0.0),
)  # fmt: skip


class MilpOptions(Record):
    """Options of the mixed-integer programme."""

    classes: Annotated[int, Field(ge=1, le=100)] = 8
    """Classes of pace into which requests are rounded down."""
    levels: Annotated[int, Field(ge=1, le=100)] = 5
    """Levels of prompt length into which requests are rounded down."""
    solve_s: Annotated[float, Field(gt=0)] = 60.0
    """Longest time in HiGHS for the integer programme."""


def load_pyomo() -> None:
    """Imports and compilation, so that the clock does not count them."""
    import pyomo.contrib.solver.solvers.highs
    import pyomo.environ  # noqa: F401

    compile_search()


@dataclass(frozen=True)
class Arc:
    """A batch in the relaxation: where it starts in the order, how many it serves, and its kind."""

    start: int
    size: int
    request_class: int
    level: int
    load_ms: float


@as_solver(kind="hetedge", options=MilpOptions, requires={"pyomo": "models"}, prepare=load_pyomo)
def hetedge_milp(instance: HetEdge, context: Context[MilpOptions]) -> Answer:
    """Lower bound over all orders and plans by a MILP, and the best plan for the order that it finds."""
    options, choices = context.options, Choices.everything(instance)
    fewer, (best, value) = served(instance, context, choices, RULES, "in-time", 8)
    context.bound(alone_bound_ms(instance), "every request alone")
    lengths = np.array((0, *choices.lengths))  # all of them, or it were no bound
    kinds = kinds_of(instance, options.classes, options.levels, lengths)
    loads = loads_of(instance, kinds, lengths)
    idle = len(instance.requests) * first_arrival_ms(instance)
    relaxed: list[tuple[float, Weights]] = []
    building_s = SECONDS * len(instance.requests) * loads.draft_ms[..., 0].size
    for weights in _GRID:
        if not context.affords(building_s):
            break
        bound, _ = _solve(instance, kinds, loads.combined(weights), context, integer=False)
        context.bound(idle + bound, "linear relaxation")
        relaxed.append((bound, weights))
    details = {"programmes": float(len(relaxed)), "classes": float(len(kinds.rounds))}
    if relaxed and context.affords(building_s):
        weights = max(relaxed)[1]
        limited = context.part(seconds=options.solve_s)
        bound, arcs = _solve(instance, kinds, loads.combined(weights), limited, integer=True)
        context.bound(idle + bound, "integer programme")
        if arcs and context.affords(programme_s(instance, fewer)):
            order = order_of(instance, kinds, arcs)
            plan, new, _ = alternate(Programme(instance, order, fewer), "in-time", 8, context)
            details["milp_order_ms"] = new
            best = plan if new < value else best
    return Answer(best, details=details)


def _arcs(instance: HetEdge, load: Floats) -> Iterator[Arc]:
    classes, levels, sizes = load.shape
    count = len(instance.requests)
    for size in range(1, sizes + 1):
        for request_class in range(classes):
            for level in range(levels):
                cost = float(load[request_class, level, size - 1])
                if math.isfinite(cost):
                    for start in range(count - size + 1):
                        yield Arc(start, size, request_class, level, cost)


def _solve(
    instance: HetEdge, kinds: Kinds, load: Floats, context: Context[Any], *, integer: bool
) -> tuple[float, list[Arc]]:
    """Bound of the programme, and the batches of its best solution in order."""
    from pyomo.contrib.solver.common.results import SolutionStatus
    from pyomo.contrib.solver.solvers.highs import Highs

    arcs = list(_arcs(instance, load))
    model = _model(instance, kinds, arcs, load.shape[:2], integer=integer)
    solver = Highs()
    options = posed(solver, model, context)
    results: Any = solver.solve(
        model, threads=1, load_solutions=False, raise_exception_on_nonoptimal_result=False, **options
    )
    bound = results.objective_bound
    solved = results.solution_status in (SolutionStatus.feasible, SolutionStatus.optimal)
    if bound is None or not math.isfinite(bound):
        if not integer and solved and results.incumbent_objective is not None:
            bound = results.incumbent_objective if results.solution_status == SolutionStatus.optimal else 0.0
        else:
            bound = 0.0
    if not solved or not integer:
        return float(bound) * (1 - 1e-9), []
    results.solution_loader.load_vars()
    chosen = [arc for index, arc in enumerate(arcs) if model.take[index].value > 0.5]
    return float(bound) * (1 - 1e-9), sorted(chosen, key=lambda arc: arc.start)


def _model(instance: HetEdge, kinds: Kinds, arcs: list[Arc], shape: tuple[int, ...], *, integer: bool) -> Any:
    """Flow of served requests 0 to K along the arcs; requests of every kind fill batches that admit them."""
    import pyomo.environ as pyo

    count = len(instance.requests)
    model = pyo.ConcreteModel()
    domain = pyo.Binary if integer else pyo.NonNegativeReals
    model.take = pyo.Var(range(len(arcs)), domain=domain)
    leaving: list[list[Any]] = [[] for _ in range(count + 1)]
    entering: list[list[Any]] = [[] for _ in range(count + 1)]
    filled: dict[tuple[int, int], list[Any]] = {}
    for index, arc in enumerate(arcs):
        leaving[arc.start].append(model.take[index])
        entering[arc.start + arc.size].append(model.take[index])
        filled.setdefault((arc.request_class, arc.level), []).append(arc.size * model.take[index])
    places = list(filled)
    demand = np.zeros(shape, dtype=np.int64)
    np.add.at(demand, (kinds.request_class, kinds.request_level), 1)
    held = [(int(c), int(p)) for c, p in np.argwhere(demand)]
    pairs = [
        (kind, place) for kind in held for place in places if place[0] >= kind[0] and place[1] >= kind[1]
    ]
    model.put = pyo.Var(range(len(pairs)), domain=pyo.NonNegativeReals)
    model.rows = pyo.ConstraintList()
    model.rows.add(pyo.quicksum(leaving[0]) == 1)
    for position in range(1, count):
        model.rows.add(pyo.quicksum(entering[position]) == pyo.quicksum(leaving[position]))
    by_kind: dict[tuple[int, int], list[Any]] = {kind: [] for kind in held}
    by_place: dict[tuple[int, int], list[Any]] = {place: [] for place in places}
    for index, (kind, place) in enumerate(pairs):
        by_kind[kind].append(model.put[index])
        by_place[place].append(model.put[index])
    for kind in held:
        if not by_kind[kind]:
            raise SolverError("hetedge-milp", "a request fits into no batch")
        model.rows.add(pyo.quicksum(by_kind[kind]) == int(demand[kind]))
    for place in places:
        model.rows.add(pyo.quicksum(by_place[place], start=0.0) - pyo.quicksum(filled[place]) == 0)
    model.cost = pyo.Objective(
        expr=pyo.quicksum(
            (count - arc.start) * arc.load_ms * model.take[index] for index, arc in enumerate(arcs)
        )
    )
    return model


def order_of(instance: HetEdge, kinds: Kinds, arcs: list[Arc]) -> Indices:
    """(K,) An order of service after the relaxation's batches: each takes the hardest requests that it admits."""
    waiting = sorted(
        range(len(instance.requests)), key=lambda k: (-kinds.request_class[k], -kinds.request_level[k], k)
    )
    order: list[int] = []
    for arc in arcs:
        admitted = [
            k
            for k in waiting
            if kinds.request_class[k] <= arc.request_class and kinds.request_level[k] <= arc.level
        ]
        taken = (admitted + [k for k in reversed(waiting) if k not in set(admitted)])[: arc.size]
        order.extend(taken)
        waiting = [k for k in waiting if k not in set(taken)]
    return np.array(order + waiting, dtype=np.int64)
