"""A plan and a bound over all orders of service, with a certificate: the programme, then prices of requests."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from functools import cache
from typing import Annotated, Any

from pydantic import Field

from uara.base.files import Record
from uara.hetedge.instance import HetEdge
from uara.hetedge.plan import Plan
from uara.hetedge.request_prices import earliest_ms
from uara.registry import as_solver
from uara.solver import Answer, Context

from .by_type import prices_by_type
from .diving import dived
from .dp import DynamicProgrammeOptions, hetedge_dp
from .order import Search, improved
from .prices import Prices, start_prices
from .rounding import rounded_order
from .search import Choices

_TOGETHER = 8
"""Requests of a batch in the first prices."""
_SAMPLE = 100
"""Requests of the sample on which the prices of very many are learnt."""
_LEARNING = 0.25
"""Part of the time that this may take."""
_DIVES, _AFTER_DIVE = 60, 0.2
"""Dives without a gain after which no more are made, and the search's time after each, of the first search's."""
_AROUND = (16, 1)
"""Positions about its own at which a group of the first plan, and a request alone, are columns, where K is large."""


class OverOrdersOptions(Record):
    """Options of the bound over all orders."""

    search_s: Annotated[float, Field(ge=0)] = 10.0
    """Longest time for a search for orders, before the bound."""
    search_share: Annotated[float, Field(ge=0, le=1)] = 0.25
    """Part of the time limit that this search may take."""
    bound_s: Annotated[float, Field(ge=0)] = 60.0
    """Longest time for the bound where there is no time limit."""
    gap: Annotated[float, Field(ge=0)] = 1e-4
    """Proven gap at which the run ends."""
    disjoint_requests: Annotated[int, Field(ge=0)] = 200
    """Most requests with which pairs are looked at whose batches share none; beyond, less is proved, sooner."""


@cache
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
    served = hetedge_dp(instance, context.part(DynamicProgrammeOptions(search_s=0.0), name="hetedge-dp"))
    assert isinstance(served.decision, Plan)
    best = _Best(Search(instance, Choices.everything(instance), "in-time", 8), served.decision, search_s)
    best.value_ms = float(served.details["value_ms"])
    best.search(context)
    context.incumbent(best.plan)
    bounding = context.part(seconds=math.inf if math.isfinite(context.time_limit_s) else options.bound_s)
    few = len(instance.requests) <= options.disjoint_requests
    prices = Prices(instance, bounding, disjoint=few)
    prices.know(best.plan, *(2 * [len(instance.requests)] if few else _AROUND))
    best.hand_over(prices)
    if few:
        first = start_prices(instance, _TOGETHER)
        prices.prove(first, prices.seen(first)[1])
        prices.improve(best.value_ms, options.gap, lambda: best.rounded(prices, bounding))
        best.rounded(prices, bounding)
        best.dive(prices, bounding, options.gap)
    else:
        learning = bounding.part(seconds=_LEARNING * bounding.remaining_s())
        for first in prices_by_type(instance, _SAMPLE, _TOGETHER, options.gap, learning):
            prices.try_stepwise(first)
    details = {
        **served.details,
        "annealing_runs": float(best.runs),
        "batches": float(len(best.plan.batch_size)),
        "value_ms": best.value_ms,
        "rounds": float(prices.rounds),
        "columns": float(len(prices.groups.start)),
    }
    return Answer(best.plan, certificate=prices.certificate, details=details)


@dataclass
class _Best:
    """The best plan so far, and the search that improves it."""

    kind: Search
    plan: Plan
    search_s: float
    value_ms: float = math.inf
    runs: int = 0
    ends: list[Plan] = field(default_factory=list)

    def search(self, context: Context[Any]) -> None:
        """Anneal from the plan; what the runs end with is kept."""
        if self.search_s <= 0:
            return
        part = context.part(seconds=self.search_s)
        self.plan, self.value_ms, runs = improved(self.kind, self.plan, self.value_ms, part, self.ends)
        self.runs += runs

    def hand_over(self, prices: Prices) -> None:
        """Make columns of the groups of the plan and of what the runs ended with."""
        for plan in [self.plan, *self.ends]:
            prices.know(plan)
        self.ends.clear()

    def rounded(self, prices: Prices, context: Context[Any]) -> float:
        """Look for a better plan among the known groups, and on from there: what the best plan costs."""
        idle_ms = len(self.plan.order) * earliest_ms(prices.instance)
        while not context.expired():
            order = rounded_order(prices.groups, prices.centre_ms, self.value_ms - idle_ms, context)
            if order is None:
                break
            plan, value_ms = self.kind.cut(order)
            if value_ms >= self.value_ms * (1 - 1e-6):
                break
            self.plan, self.value_ms = plan, value_ms
            self.search(context)
            context.incumbent(self.plan)
            self.hand_over(prices)
        return self.value_ms

    def dive(self, prices: Prices, context: Context[Any], gap: float) -> None:
        """Look for better plans where the prices lead to, until the gap is proven or nothing more is found."""
        idle = 0
        while prices.bound_ms < self.value_ms * (1 - gap) and idle < _DIVES and not context.expired():
            order = dived(prices, context, drawn=idle > 0)
            if order is None:
                break
            ends: list[Plan] = []
            part = context.part(seconds=_AFTER_DIVE * self.search_s)
            plan, value_ms, runs = improved(self.kind, *self.kind.cut(order), part, ends)
            self.runs, idle = self.runs + runs, idle + 1
            if value_ms < self.value_ms * (1 - 1e-6):
                self.plan, self.value_ms, idle = plan, value_ms, 0
                context.incumbent(plan)
                self.ends += ends
                self.hand_over(prices)
                self.rounded(prices, context)
