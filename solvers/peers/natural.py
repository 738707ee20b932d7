"""P1 as it is stated, by solvers that read .nl files and that Pyomo's interface (``minlp``) does not know."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated, Any

import numpy as np
from pydantic import Field

from uara.base.errors import SolverError, UaraError, reason_of
from uara.base.extras import needs
from uara.base.files import Record
from uara.p1.allocation import allocate
from uara.p1.export import write
from uara.p1.instance import Instance
from uara.p1.model import coefficients
from uara.p1.smallest import smallest_instance
from uara.registry import as_solver
from uara.solver import OPTIMAL_GAP, Answer, Context

from ..milp.minlp import SECONDS, without

LATE = 0.75
"""Part of the time left that discopt is told: it looks at its clock between steps that take seconds."""
REHEARSAL_S = 5.0
"""Time that is spent on a tiny instance beforehand: it would go on for minutes."""


class NaturalOptions(Record):
    """Options of discopt."""

    gap: Annotated[float, Field(ge=0, lt=1)] = OPTIMAL_GAP
    """Relative gap at which it stops."""


def load() -> None:
    """Load discopt and compile what it compiles for any program, so that the clock does not count it."""
    discopt(smallest_instance(), Context(smallest_instance(), NaturalOptions(), time_limit_s=REHEARSAL_S))


@as_solver(options=NaturalOptions, requires={"discopt": "peers"}, prepare=load)
def discopt(instance: Instance, context: Context[Any]) -> Answer:
    """The natural mixed-integer non-convex program by discopt, from the exported .nl file."""
    modeling = needs("discopt.modeling", extra="peers")
    if not context.affords(SECONDS * len(instance.channel.pair_server)):
        return without(instance, context, None)
    with TemporaryDirectory() as folder:
        path = write(instance, Path(folder) / "program", "nl", "minlp")
        names = path.with_suffix(".col").read_text(encoding="utf-8").splitlines()
        try:
            program = modeling.from_nl(str(path))
            seconds = min(LATE * context.remaining_s(), 1e6)
            result = program.solve(time_limit=seconds, gap_tolerance=context.options.gap)
        except UaraError:
            raise
        except Exception as error:
            raise SolverError("discopt", reason_of(error)) from error
    bound = result.bound
    bound_ms = None if bound is None or not np.isfinite(bound) else bound + coefficients(instance).constant_ms
    if not result.x:
        return without(instance, context, bound_ms)
    values = [float(np.ravel(result.x[f"x{k}"])[0]) for k in range(len(names))]
    return Answer(allocate(instance, chosen(names, values, len(instance.devices)), "optimal"), bound_ms)


def chosen(names: list[str], values: list[float], devices: int) -> Any:
    """(M,) The server with the largest x of each device, from columns that are called ``x[i,j]``."""
    best, largest = np.zeros(devices, dtype=np.int64), np.full(devices, -np.inf)
    for name, value in zip(names, values, strict=True):
        if name.startswith("x["):
            i, j = map(int, name[2:-1].split(","))
            if value > largest[i]:
                best[i], largest[i] = j, value
    return best
