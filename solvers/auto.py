"""``auto``, the default: prices first, then a proof, within a time that nobody minds."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from uara.p1.instance import Instance
from uara.registry import as_solver
from uara.solver import Answer, Context

from .exact import ExactOptions, compile_exact, exact


class AutoOptions(ExactOptions):
    """Options of the default method."""

    seconds: Annotated[float, Field(gt=0)] = 60.0
    """Longest time, with or without a time limit; a run that ends by it has completed."""


@as_solver(options=AutoOptions, prepare=compile_exact, warm_start=True)
def auto(instance: Instance, context: Context[AutoOptions]) -> Answer:
    """Prices and local search, then exact until the gap is proven or time is up. The default."""
    return exact(instance, context.part(seconds=context.options.seconds))
