"""Band shares and the programme of an order take turns: shares follow the plan, and the plan the shares."""

from __future__ import annotations

from typing import Any, Literal

from uara.hetedge import bandwidth
from uara.hetedge.instance import HetEdge
from uara.hetedge.plan import Plan
from uara.solver import Context

from .search import Choices, Programme, just_in_time

Band = Literal["uniform", "min-max", "min-sum", "in-time"]


def programme_s(instance: HetEdge, choices: Choices) -> float:
    """Seconds that the programme of an order will take: so much for each batch and length."""
    return 2.5e-6 * len(instance.requests) * int(choices.largest.max()) * len(choices.lengths)


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
