"""A plan and a bound over all orders of service, with a certificate: the programme, then prices of requests."""

from __future__ import annotations

import math
from typing import Annotated

from pydantic import Field

from uara.base.files import Record
from uara.hetedge.instance import HetEdge
from uara.hetedge.plan import Plan
from uara.registry import as_solver
from uara.solver import Answer, Context

from .dp import DynamicProgrammeOptions, hetedge_dp
from .prices import Prices, start_prices

_TOGETHER = 8
"""Requests of a batch in the first prices."""


class OverOrdersOptions(Record):
    """Options of the bound over all orders."""

    search_s: Annotated[float, Field(ge=0)] = 5.0
    """Longest time for a search for orders, before the bound."""
    search_share: Annotated[float, Field(ge=0, le=1)] = 0.25
    """Part of the time limit that this search may take."""
    bound_s: Annotated[float, Field(ge=0)] = 60.0
    """Longest time for the bound where there is no time limit."""
    gap: Annotated[float, Field(ge=0)] = 1e-4
    """Proven gap at which the run ends."""
    disjoint_requests: Annotated[int, Field(ge=0)] = 200
    """Most requests with which pairs are looked at whose batches share none; beyond, less is proved, sooner."""


def compile_bound() -> None:
    """Load the compiled search, so that the clock does not count it."""
    from uara.hetedge.generate import smallest_instance

    instance = smallest_instance()
    hetedge_bound(instance, Context(instance, OverOrdersOptions(search_s=0.01)))


@as_solver(kind="hetedge", options=OverOrdersOptions, prepare=compile_bound)
def hetedge_bound(instance: HetEdge, context: Context[OverOrdersOptions]) -> Answer:
    """Lower bound over all orders of service with a certificate, and the programme's plan."""
    options = context.options
    search_s = min(options.search_s, options.search_share * context.remaining_s())
    served = hetedge_dp(instance, context.part(DynamicProgrammeOptions(search_s=search_s), name="hetedge-dp"))
    context.incumbent(served.decision)
    bounding = context.part(seconds=math.inf if math.isfinite(context.time_limit_s) else options.bound_s)
    prices = Prices(instance, bounding)
    best_ms = float(served.details["value_ms"])
    assert isinstance(served.decision, Plan)
    prices.groups.add_plan(served.decision)
    prices.try_prices(start_prices(instance, _TOGETHER))
    prices.improve(best_ms, options.gap)
    if len(instance.requests) <= options.disjoint_requests and prices.bound_ms < best_ms * (1 - options.gap):
        prices.part()
        prices.improve(best_ms, options.gap)
    details = {**served.details, "rounds": float(prices.rounds), "columns": float(len(prices.groups.start))}
    return Answer(served.decision, certificate=prices.certificate, details=details)
