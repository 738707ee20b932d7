"""TMA-MASAC (Fig. 4 of the paper): the trained policy weighs Y and Z, Algorithm 1 then chooses X."""

from __future__ import annotations

from functools import cache, lru_cache
from pathlib import Path
from typing import Annotated, Any, Literal

import numpy as np
from pydantic import Field

from uara.base.files import Record
from uara.base.quantities import Floats, Indices
from uara.p1.allocation import allocate, usable_pairs
from uara.p1.coefficients import coefficients
from uara.p1.decision import Allocation
from uara.p1.instance import Instance
from uara.p1.model import evaluate
from uara.registry import as_solver
from uara.solver import Answer, Context, counts

from ..search.matching import by_gain
from ..search.rules import AllocationOptions, max_compute, max_sinr, random_server
from .policy import Policy
from .ranges import warn_outside

SECONDS = 4.5e-6
"""Time of the policy's forward pass for each device and server."""


GUARDED = "guarded"
"""Detail of an answer: 1 where its shares are the square-root rule's."""


class TmaMasacOptions(Record):
    """Options of TMA-MASAC."""

    policy: str = ""
    """Policy file from ``uara train``; the shipped one where left out."""
    guard: bool = True
    """Use the shares of the square-root rule where they are better than the policy's on the same association."""
    starts: Annotated[int, Field(ge=1, le=2)] = 1
    """First associations of a policy that sees who is served where: each device where it costs least beside those
    before it; 2: where its signal is strongest too, for 0.03 % in the mean and nearly twice the time."""
    polish: bool = False
    """Replace the policy's Y and Z by the optimal ones at the end, and go on moving and swapping under them."""


class MasacOptions(Record):
    """Options of MASAC alone."""

    policy: str = ""
    """Policy file from ``uara train``; the shipped one where left out."""
    guard: bool = True
    """Use the shares of the square-root rule where they are better than the policy's on the same association."""
    association: Literal["random", "max-sinr", "max-compute"] = "max-sinr"
    """Rule that associates."""


@lru_cache(maxsize=8)
def load_policy(path: str) -> Policy:
    """The policy of a file, read once; the shipped one for an empty name."""
    return Policy.load(Path(path) if path else None)


@cache
def prepare() -> None:
    """Load the compiled search, ONNX Runtime and the shipped policy, so that the clock does not count them."""
    from uara.p1.smallest import smallest_instance

    from .association import associate, by_cost

    load_policy("")
    numbers = coefficients(smallest_instance())
    ones = np.ones(len(numbers.uplink_ms))
    by_cost(numbers, ones)
    associate(numbers, ones, ones, np.zeros(numbers.devices, dtype=np.int64))


@as_solver(options=TmaMasacOptions, prepare=prepare, warm_start=True)
def tma_masac(instance: Instance, context: Context[TmaMasacOptions]) -> Answer:
    """The paper's scheme: a learned policy weighs bandwidth and compute, two-phase matching associates."""
    from ..search.local_search import improve
    from ..search.settling import make_state
    from ..search.state import make_task

    numbers = coefficients(instance)
    given = context.start if isinstance(context.start, Allocation) else None
    start = by_gain(instance) if given is None else given.association
    policy = affordable(instance, context)
    if policy is None:  # what is left of the time goes to the search under optimal shares
        answer, guarded = allocate(instance, start, "optimal"), False
    else:
        learned = matched(policy, instance, start, context)
        answer, guarded = guard(instance, learned, context.options.guard)
    context.incumbent(answer)
    if policy is None or context.options.polish:
        state = make_state(task := make_task(numbers), numbers, answer.association)
        improve(task, state, expired=context.expired)
        answer, guarded = allocate(instance, state.chosen, "optimal"), False
    if given is not None and objective_ms(instance, given) < objective_ms(instance, answer):
        answer, guarded = given, False  # its shares may be better than learned ones
    return Answer(answer, details={GUARDED: float(guarded)})


@as_solver(options=MasacOptions, prepare=prepare)
def masac(instance: Instance, context: Context[MasacOptions]) -> Answer:
    """The learned allocation alone, over the association of a simple rule."""
    rule, options = context.options.association, AllocationOptions(allocation="optimal")
    answer, guarded = RULES[rule](instance, context.part(options, name=rule)), False
    policy = affordable(instance, context)
    if policy is not None:
        answer, guarded = guard(
            instance,
            weighted_allocation(instance, answer.association, *weights(policy, instance, answer.association)),
            context.options.guard,
        )
    return Answer(answer, details={GUARDED: float(guarded)})


def affordable(instance: Instance, context: Context[Any]) -> Policy | None:
    """The policy that the options name; None where it cannot answer in the time that is left."""
    policy = load_policy(context.options.policy)
    if not context.affords(SECONDS * policy.cells(instance)):
        return None
    warn_outside(policy.header.ranges, instance)
    return policy


def weights(policy: Policy, instance: Instance, association: Indices | None = None) -> tuple[Floats, Floats]:
    """(K,) The policy's weights of Y and Z for each pair."""
    band, compute = policy.log_weights(instance, association)
    return np.exp(band), np.exp(compute)


def matched(policy: Policy, instance: Instance, start: Indices, context: Context[Any]) -> Allocation:
    """Algorithm 1 under the policy's weights, from an association; a policy that sees it begins from its own."""
    from .association import associate, by_cost
    from .looked_at import looked_at

    numbers = coefficients(instance)
    if policy.corrects:
        sight, starts = policy.sight(instance), [start]
        if not isinstance(context.start, Allocation):
            starts = [by_cost(numbers, np.exp(sight.wishes())), start][: context.options.starts]
        return looked_at(numbers, sight, starts, context.expired, context.incumbent)
    known = weights(policy, instance)
    context.incumbent(weighted_allocation(instance, start, *known))
    chosen = associate(numbers, *known, start, context.expired)
    return weighted_allocation(instance, chosen, *known)


def guard(instance: Instance, answer: Allocation, wanted: bool) -> tuple[Allocation, bool]:
    """The answer, or the square-root rule's shares on its association where they are better; and whether they are."""
    from .association import cost_ms

    if not wanted:
        return answer, False
    rule, numbers = allocate(instance, answer.association, "sqrt"), coefficients(instance)
    pair = numbers.pairs_of(answer.association)
    better = cost_ms(numbers, pair, rule) < cost_ms(numbers, pair, answer)
    return (rule, True) if better else (answer, False)


def objective_ms(instance: Instance, answer: Allocation) -> float:
    """What an answer costs; infinite where that is no number or a budget is broken."""
    score = evaluate(instance, answer)
    return score.objective_ms if counts(score) else float("inf")


RULES = {"random": random_server, "max-sinr": max_sinr, "max-compute": max_compute}
"""Under the same seed each draws the association that the solver of this name draws."""


def weighted_allocation(
    instance: Instance, association: Indices, band_weight: Floats, compute_weight: Floats
) -> Allocation:
    """Shares from the (K,) weights of the pairs: wanted band, scaled down where a server's is exceeded."""
    from .association import shared

    servers, pair = usable_pairs(instance, association)
    return shared(coefficients(instance), servers, band_weight[pair], compute_weight[pair])
