"""Joint batching, speculation lengths, pairing and band shares by dynamic programming."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from typing import Annotated, Any, Literal

import numpy as np
from pydantic import Field

from uara.base.files import Record
from uara.hetedge.instance import HetEdge
from uara.hetedge.plan import Plan
from uara.registry import as_solver
from uara.solver import Answer, Context

from .alternate import Band, alternate, programme_s
from .order import HEATS, Search, annealed, improved
from .search import Choices, Order, Programme, ordered

RULES: tuple[Order, ...] = ("prompt", "output", "work", "airtime")
"""Orders that are tried where the best is wanted."""


class DynamicProgrammeOptions(Record):
    """Options of the dynamic programme."""

    order: Order | Literal["best"] = "best"
    """Order of service; ``best`` tries shortest prompt, output, service and upload first, and keeps the best."""
    bandwidth: Band = "in-time"
    """Sharing rule of the uplink; ``in-time`` alternates with the programme, so that batches arrive when needed."""
    pipeline: bool = True
    """Whether two batches may alternate on the two nodes."""
    autoregressive: bool = False
    """Whether batches may also be served without speculation."""
    alternations: Annotated[int, Field(ge=1, le=100)] = 8
    """Most rounds of programme and ``in-time`` shares."""
    search_s: Annotated[float, Field(ge=0)] | None = None
    """Longest time for a search over orders after that, 0 for none; by default until the run's time limit, none where
    there is none."""


def compile_search() -> None:
    """Load the compiled programme and search, so that the clock does not count it."""
    from uara.hetedge.generate import smallest_instance

    instance = smallest_instance()
    search = Search(instance, Choices.everything(instance), "in-time", 2)
    plan, _ = search.cut(np.arange(len(instance.requests)))
    annealed(search.service(plan), plan, (HEATS[0], 1), Context(instance, DynamicProgrammeOptions()), 0.0)


@as_solver(kind="hetedge", options=DynamicProgrammeOptions, prepare=compile_search)
def hetedge_dp(instance: HetEdge, context: Context[DynamicProgrammeOptions]) -> Answer:
    """Exact batches, lengths and pairs for an order of service, alternating with in-time band shares."""
    options = context.options
    everything = Choices.everything(instance)
    lengths = ((0,) if options.autoregressive else ()) + everything.lengths
    choices = Choices(lengths, everything.smallest, everything.largest, options.pipeline)
    rules = RULES if options.order == "best" else (options.order,)
    choices, found = served(instance, context, choices, rules, options.bandwidth, options.alternations)
    plan, value = found
    details = {"before_search_ms": value}
    seconds = options.search_s
    if seconds is None:
        seconds = math.inf if math.isfinite(context.time_limit_s) else 0.0
    if seconds > 0:
        search = Search(instance, choices, options.bandwidth, options.alternations)
        plan, value, runs = improved(search, plan, value, context.part(seconds=seconds))
        details["annealing_runs"] = float(runs)
    return Answer(plan, details={**details, "batches": float(len(plan.batch_size)), "value_ms": value})


def served(
    instance: HetEdge, context: Context[Any], choices: Choices, rules: Sequence[Order], band: Band, most: int
) -> tuple[Choices, tuple[Plan, float]]:
    """The best plan of some orders of service and its total latency in ms, with the choices that time allows.

    Where not even one order can be served in the time that is left, every other speculation length is left out,
    and again; the first order is always served.
    """
    while len(choices.lengths) > 1 and not context.affords(programme_s(instance, choices)):
        choices = replace(choices, lengths=choices.lengths[::2])
    found: list[tuple[Plan, float]] = []
    for rule in rules:
        if found and not context.affords(programme_s(instance, choices)):
            break
        programme = Programme(instance, ordered(instance, rule), choices)
        found.append(alternate(programme, band, most, context)[:2])
    return choices, min(found, key=lambda pair: pair[1])
