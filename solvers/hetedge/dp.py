"""Joint batching, speculation lengths, pairing and band shares by dynamic programming."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Annotated, Any, Literal

import numpy as np
from pydantic import Field

from uara.base.files import Record
from uara.hetedge import bandwidth
from uara.hetedge.instance import HetEdge
from uara.hetedge.plan import Plan
from uara.registry import as_solver
from uara.solver import Answer, Context

from .search import Choices, Order, Programme, just_in_time, ordered

RULES: tuple[Order, ...] = ("prompt", "output", "work", "airtime")
"""Orders that are tried where the best is wanted."""
_SAME = 1 - 1e-6
"""A gain below a millionth is none."""
Band = Literal["uniform", "min-max", "min-sum", "in-time"]


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
    search_s: Annotated[float, Field(ge=0)] = 0.0
    """Longest time for a local search over orders after that; 0 for none."""


def compile_search() -> None:
    """Load the compiled search, so that the clock does not count it."""
    from uara.hetedge.generate import smallest_instance

    instance = smallest_instance()
    order = np.arange(len(instance.requests))
    alternate(Programme(instance, order, Choices.everything(instance)), "in-time", 2)


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
    details = {"batches": float(len(plan.batch_size)), "before_search_ms": value}
    if options.search_s > 0:
        value, plan = _search(instance, plan, value, choices, context)
    return Answer(plan, details={**details, "value_ms": value})


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


def programme_s(instance: HetEdge, choices: Choices) -> float:
    """Seconds that the programme of an order will take: so much for each batch and length."""
    return 2.5e-6 * len(instance.requests) * int(choices.largest.max()) * len(choices.lengths)


def _search(
    instance: HetEdge, plan: Plan, value: float, choices: Choices, context: Context[DynamicProgrammeOptions]
) -> tuple[float, Plan]:
    """Exchange requests between batches or move one in the order, cut exactly, and again while that helps."""
    from .order import exchange

    options, cutting_s = context.options, programme_s(instance, choices)
    context = context.part(seconds=options.search_s)
    while context.affords(cutting_s):
        exchanging = context.part(seconds=context.remaining_s() - cutting_s)
        order, _ = exchange(
            instance, plan, context.rng, exchanging.expired, arrived=options.bandwidth == "in-time"
        )
        cut, new, _ = alternate(
            Programme(instance, order, choices), options.bandwidth, options.alternations, context
        )
        if new >= value * _SAME:
            cut, new = _reinserted(instance, plan, value, choices, context)
        if new >= value * _SAME:
            break
        value, plan = new, cut
    return value, plan


def _reinserted(
    instance: HetEdge,
    plan: Plan,
    value: float,
    choices: Choices,
    context: Context[DynamicProgrammeOptions],
) -> tuple[Plan, float]:
    """The first better plan that is found with one request in another place of the order."""
    count, options = len(plan.order), context.options
    for move in context.rng.permutation(count * count):
        if not context.affords(programme_s(instance, choices)):
            break
        source, target = divmod(int(move), count)
        if source == target:
            continue
        order = np.insert(np.delete(plan.order, source), target, plan.order[source])
        programme = Programme(instance, order, choices)
        if programme.least_service_ms >= value:
            continue
        cut, new, _ = alternate(programme, options.bandwidth, options.alternations)
        if new < value * _SAME:
            context.incumbent(cut)
            return cut, new
    return plan, value


def alternate(
    programme: Programme, rule: Band, most: int, context: Context[Any] | None = None
) -> tuple[Plan, float, int]:
    """The programme under a sharing rule: the plan, its total latency in ms, and the number of runs.

    With ``in-time`` the shares follow the plan and the plan the shares, while that lowers the latency.
    """
    instance = programme.instance
    best, value = programme.best(bandwidth.shares(instance, "min-max" if rule == "in-time" else rule))
    if context:
        context.incumbent(best)
    used = 1
    while rule == "in-time" and used < most and not (context and context.expired()):
        plan, new = programme.best(just_in_time(instance, best), best)
        used += 1
        if new >= value * (1 - 1e-9):
            break
        best, value = plan, new
        if context:
            context.incumbent(best)
    return best, value, used
