"""P1 by any MILP solver: outer approximation (Duran and Grossmann, Mathematical Programming 36, 1986).

Every solver gets the same file: the perspective program of :mod:`uara.solvers.milp.perspective` over all usable pairs,
with the tangents that ``milp`` begins with. Its answer is scored as P1 scores it, tangents are added where the answer
and the solver's point lie, and the solver starts again, until its bound and the best answer meet. Nothing of the
toolkit's searches or proofs helps: no local search, no pair is left out, no answer is handed over. The bound is the
solver's own word.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated, Any

import numpy as np
from pydantic import Field

from uara.base.errors import SolverError, UaraError, reason_of
from uara.base.files import Record
from uara.p1.allocation import allocate
from uara.p1.instance import Instance
from uara.p1.model import coefficients
from uara.problem import evaluate
from uara.registry import as_solver
from uara.solver import OPTIMAL_GAP, Answer, Context

from ..common.warmup import rehearse
from ..milp.solver import associated
from ..search.rules import strongest
from .engines import PEERS, Engine, Found
from .program import Program, stated

SPARE = 0.02
"""Part of the time that is left to a solver's own end: it looks at its limit now and then only."""
SECONDS = 1e-4
"""Time to state and to write the program, for each pair."""
TOLERANCE = 1e-6
"""By how much of itself a solver's bound may lie above its answer: its rows hold to about that. More is an error."""

Solver = Callable[[Instance, Context[Any]], Answer]


class OuterOptions(Record):
    """Options of outer approximation by another solver."""

    gap: Annotated[float, Field(ge=1e-9, lt=1)] = OPTIMAL_GAP
    """Relative gap, on the controllable part, at which the search ends; each program is solved to half of it."""


def approximate(instance: Instance, context: Context[OuterOptions], name: str) -> Answer:
    """Outer approximation by the solver of this name in :data:`~.engines.PEERS`."""
    constant_ms, gap = coefficients(instance).constant_ms, context.options.gap
    best = allocate(instance, strongest(instance), "optimal")
    cost_ms, bound_ms, rounds, rows = np.inf, -np.inf, 0, 0
    seen: set[tuple[bytes, float]] = set()
    program = stated(instance) if context.affords(SECONDS * len(instance.channel.pair_server)) else None
    with TemporaryDirectory() as folder:
        while program is not None and bound_ms < cost_ms * (1 - gap) and not context.expired():
            path, rows = Path(folder) / "program.mps", program.rows
            program.write(path)
            found = _asked(PEERS[name].solve, path, context, name if rounds == 0 else None)
            if found is None:
                break
            rounds += 1
            bound_ms = max(bound_ms, found.bound * program.relaxation.unit_ms)
            column = found.column(program.columns)
            if column is not None:
                decision = allocate(instance, associated(program.relaxation, column), "optimal")
                value_ms = evaluate(instance, decision).controllable_ms
                if value_ms < cost_ms:
                    best, cost_ms = decision, value_ms
                    context.incumbent(decision)
                _cut(program, decision, column)
            if cost_ms < bound_ms <= cost_ms * (1 + TOLERANCE):
                bound_ms = cost_ms
            if np.isfinite(bound_ms):
                context.bound(bound_ms + constant_ms, name, rounds=rounds)
            if column is None or (state := (decision.association.tobytes(), bound_ms)) in seen:
                break  # nothing found, or the same as before: it will not change
            seen.add(state)
    bound = bound_ms + constant_ms if np.isfinite(bound_ms) else None
    return Answer(
        best, bound, details={"rounds": rounds, "rows": rows, "found_nothing": float(cost_ms == np.inf)}
    )


def _cut(program: Program, decision: Any, column: Any) -> None:
    """Make the program exact at an answer, and cut off the point that it came from."""
    relaxation = program.relaxation
    program.add(relaxation.tangents_at(decision.association, decision.bandwidth))
    program.add(relaxation.violated(column))


def _asked(solve: Engine, path: Path, context: Context[OuterOptions], first: str | None) -> Found | None:
    """What the solver finds in the time left; None where it refuses a program that has grown.

    Raises
    ------
    SolverError
        If it refuses the first program (``first`` is its name then), with its own words.
    """
    seconds = min(context.remaining_s() * (1 - SPARE), 1e6)
    try:
        return solve(path, seconds, context.options.gap / 2)
    except UaraError:
        raise
    except Exception as error:
        if first is None:
            return None
        raise SolverError(first, f"refuses the program: {reason_of(error)}") from error


def _by(name: str) -> Solver:
    """The solver function for one of the peers; its package is loaded before the clock starts."""

    def peer(instance: Instance, context: Context[OuterOptions]) -> Answer:
        return approximate(instance, context, name)

    peer.__name__ = peer.__qualname__ = f"{name}-milp"
    peer.__doc__ = f"Outer approximation of the perspective program by {name}."
    declare = as_solver(
        options=OuterOptions,
        requires={PEERS[name].module: "peers"},
        prepare=lambda: rehearse(peer, OuterOptions()),
    )
    return declare(peer)


highs, scip, cbc, cp_sat = _by("highs"), _by("scip"), _by("cbc"), _by("cp-sat")
gurobi, cplex, copt, xpress = _by("gurobi"), _by("cplex"), _by("copt"), _by("xpress")
