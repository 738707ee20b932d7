"""``minlp``: P1 as it is stated, handed to a general solver through Pyomo. The peer to beat."""

from __future__ import annotations

import logging
import math
from contextlib import suppress
from pathlib import Path
from typing import Annotated, Any

import numpy as np
from pydantic import Field, create_model

from uara.base.errors import InputError, MissingExtra, SolverError
from uara.base.extras import needs
from uara.base.files import Record, check_output
from uara.base.quantities import Indices
from uara.p1.allocation import allocate
from uara.p1.coefficients import coefficients
from uara.p1.decision import Allocation
from uara.p1.instance import Instance
from uara.registry import as_solver
from uara.solver import OPTIMAL_GAP, Answer, Context

from ..common.posing import posed
from ..search.rules import strongest
from .minlp_model import minlp_model

SECONDS = 5e-4
"""Time to state the model and to hand it over, for each pair."""
_CONTINUOUS = ("ipopt", "knitro_direct")


class _Options(Record):
    """Options of the general solvers."""

    gap: Annotated[float, Field(ge=0, lt=1)] = OPTIMAL_GAP
    """Relative gap at which the solver stops."""
    inequalities: bool = False
    """State delays as at least what the shares give: convex, with the same optimum."""
    log: str | None = None
    """File for the solver's own log, .log or .txt."""


_WITH = "Solver as Pyomo names it: scip, ipopt, gurobi_direct_minlp, gams, ... Continuous ones are rounded."
MinlpOptions: type[Record] = create_model(  # type: ignore[call-overload]
    "MinlpOptions",
    __base__=_Options,
    __doc__=_Options.__doc__,
    **{"with": (str, Field("scip", description=_WITH))},  # a keyword cannot stand in a class body
)


def load_pyomo() -> None:
    """Import Pyomo and SCIP, where it is installed, so that the clock does not count them."""
    with suppress(MissingExtra):
        find_solver("scip")


@as_solver(options=MinlpOptions, requires={"pyomo": "scip"}, prepare=load_pyomo)
def minlp(instance: Instance, context: Context[Any]) -> Answer:
    """The natural mixed-integer non-convex program, by any solver that Pyomo knows (with=scip).

    Where time is up before it has found anything, the start or the strongest signal is the answer, and
    ``details`` says so.
    """
    options = context.options
    chosen = options.model_dump()["with"]
    solver = find_solver(chosen)
    if not context.affords(SECONDS * len(instance.channel.pair_server)):
        return without(instance, context, None)
    model = minlp_model(instance, inequalities=options.inequalities)
    if chosen in _CONTINUOUS:
        from pyomo.environ import TransformationFactory

        TransformationFactory("core.relax_integer_vars").apply_to(model)
    results = run(solver, chosen, model, context)
    association = rounded(model, len(instance.devices))
    bound_ms = None if chosen in _CONTINUOUS else bound_of(results, instance)
    if association is not None:
        return Answer(allocate(instance, association), bound_ms)
    if context.expired() or out_of_time(results) or isinstance(context.start, Allocation):
        return without(instance, context, bound_ms)
    raise SolverError("minlp", f"{chosen} found no feasible answer")


def without(instance: Instance, context: Context[Any], bound_ms: float | None) -> Answer:
    """The answer where the solver has none: the start, or the strongest signal."""
    given = isinstance(context.start, Allocation)
    decision = context.start if given else allocate(instance, strongest(instance), "optimal")
    return Answer(decision, bound_ms, details={"found_nothing": 1.0})  # type: ignore[arg-type]


def run(solver: Any, name: str, model: Any, context: Context[Any]) -> Any:
    """Solve a Pyomo model; its variables hold what was found."""
    options: dict[str, Any] = {
        "load_solutions": False,
        "raise_exception_on_nonoptimal_result": False,
        "rel_gap": context.options.gap,
    }
    options |= posed(solver, model, context)
    if name in _CONTINUOUS:
        del options["rel_gap"]
    if name == "scip":
        options["solver_options"] = {"timing/clocktype": 2}  # wall time, as all limits here
    logging.getLogger("pyomo.contrib.solver").setLevel(logging.ERROR)
    if context.options.log is None:
        results = solver.solve(model, **options)
    else:
        path = Path(context.options.log)
        check_output(path, suffixes=(".log", ".txt"))
        with path.open("w", encoding="utf-8", buffering=1) as log:
            results = solver.solve(model, tee=[log], **options)
    if results.incumbent_objective is not None:
        results.solution_loader.load_vars()
    else:
        for variable in model.x.values():
            variable.set_value(None, skip_validation=True)
    return results


def find_solver(name: str) -> Any:
    """The solver of this name behind Pyomo's current interface.

    Raises
    ------
    MissingExtra, InputError
        If it is not installed, or Pyomo does not know it.
    """
    needs("pyomo.environ", extra="scip")  # registers the solvers
    from pyomo.contrib.solver.common.factory import SolverFactory

    registered = {"scip": "scip_persistent"}.get(name, name)
    if registered not in SolverFactory:
        known = ", ".join(sorted(SolverFactory))
        raise InputError(f"Pyomo knows no solver {name!r}; it knows: {known}", source="option with")
    solver = SolverFactory(registered)
    if not solver.available():
        if name == "scip":
            needs("pyscipopt", extra="scip")
        raise InputError(f"{name} is not installed, or has no licence", source="option with")
    return solver


def rounded(model: Any, devices: int) -> Indices | None:
    """(M,) The server with the largest x of each device; None where nothing was found."""
    chosen = np.full(devices, -1, dtype=np.int64)
    largest = np.full(devices, -np.inf)
    for (i, j), variable in model.x.items():
        if variable.value is not None and variable.value > largest[i]:
            chosen[i], largest[i] = j, variable.value
    return None if (chosen < 0).any() else chosen


def out_of_time(results: Any) -> bool:
    """Whether the solver ended by its time limit."""
    from pyomo.contrib.solver.common.results import TerminationCondition

    return bool(results.termination_condition == TerminationCondition.maxTimeLimit)


def bound_of(results: Any, instance: Instance) -> float | None:
    """The solver's bound on P1's objective, constant part included."""
    bound = results.objective_bound
    if bound is None or not math.isfinite(bound):
        return None
    return float(bound) + coefficients(instance).constant_ms
