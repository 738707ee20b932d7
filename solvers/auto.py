"""``auto``, the default: prices first, then a proof, within a time that nobody minds."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from uara.instance import Instance
from uara.registry import as_solver
from uara.solver import Answer, Context

from .exact import ExactOptions, compile_exact, exact


class AutoOptions(ExactOptions):
    """Options of the default method."""

    seconds: Annotated[float, Field(gt=0)] = 60.0
    """When to stop where no time limit is given."""


@as_solver(options=AutoOptions, prepare=compile_exact, warm_start=True)
def auto(instance: Instance, context: Context[AutoOptions]) -> Answer:
    """Prices and local search, then exact until the gap is proven or time is up. The default."""
    context.time_limit_s = min(context.time_limit_s, context.options.seconds)
    return exact(instance, context)  # type: ignore[arg-type]
