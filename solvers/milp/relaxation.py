"""``relaxation``: the continuous perspective relaxation as a bound of its own, and randomised rounding."""

from __future__ import annotations

from functools import cache
from itertools import pairwise
from typing import Annotated, Any

import numpy as np
from pydantic import Field

from uara.base.files import Record
from uara.base.quantities import Floats, Indices
from uara.p1.allocation import allocate
from uara.p1.coefficients import coefficients
from uara.p1.instance import Instance
from uara.problem import evaluate
from uara.registry import as_solver
from uara.solver import Answer, Context

from ..search.rules import strongest


class RelaxationOptions(Record):
    """Options of the relaxation."""

    roundings: Annotated[int, Field(ge=0)] = 50
    """Associations drawn with the relaxation's x as probabilities, beside the largest x of each device."""
    tolerance: Annotated[float, Field(gt=0, lt=1)] = 1e-7
    """The cut loop ends when a round lifts the bound by less than this part."""


@cache
def compile_relaxation() -> None:
    """Load HiGHS and the kernels, so that the clock does not count them."""
    from ..common.warmup import rehearse

    rehearse(relaxation, RelaxationOptions())


@as_solver(options=RelaxationOptions, prepare=compile_relaxation)
def relaxation(instance: Instance, context: Context[RelaxationOptions]) -> Answer:
    """Solve the linear perspective relaxation with cuts (HiGHS) for a bound; round its x at random."""
    from .highs import Model
    from .perspective import Perspective

    numbers = coefficients(instance)
    start, prices, cost_ms = beginning(instance, context)
    model, column, bound_ms, rounds = None, None, -np.inf, 0
    if context.affords(Model.SECONDS * len(numbers.server)):
        model = Model(Perspective.scaled(numbers, cost_ms), prices)
        column, bound_ms, rounds = cut_loop(model, context, numbers.constant_ms)
    best = rounded(instance, context, start, column)
    details = {"tangents": model.tangents if model else 0, "rounds": rounds}
    bound = bound_ms + numbers.constant_ms if np.isfinite(bound_ms) else None
    return Answer(allocate(instance, best), bound, details=details)


def beginning(instance: Instance, context: Context[RelaxationOptions]) -> tuple[Indices, Floats, float]:
    """A good association, the (2E,) prices that belong to it, and its cost in ms.

    It says where the first tangents belong, keeps their coefficients small, and is the answer where there is
    no time for a better one.
    """
    from ..dual.ascent import first_prices
    from ..dual.kernel import at_prices
    from ..search.local_search import improve
    from ..search.settling import make_state
    from ..search.state import make_task
    from .highs import Model

    numbers = coefficients(instance)
    first = strongest(instance)
    context.incumbent(allocate(instance, first))
    task = make_task(numbers)
    suggested = numbers.server[at_prices(numbers, first_prices(numbers))[2]]
    state = min(
        (make_state(task, numbers, association) for association in (suggested, first)),
        key=lambda state: float(state.cost_ms.sum()),
    )
    share = 0.5 if context.remaining_s() > 2 * Model.SECONDS * len(numbers.server) else 1.0
    improve(task, state, swaps=False, expired=context.part(share=share).expired)
    context.incumbent(allocate(instance, state.chosen))
    loads = np.bincount(state.chosen, numbers.root_work[state.pair], numbers.servers)
    prices = np.concatenate([2.0 * loads / numbers.work_per_ms, state.band_price_ms])
    return state.chosen, prices, float(state.cost_ms.sum())


def cut_loop(
    model: Any, context: Context[RelaxationOptions], constant_ms: float
) -> tuple[Floats | None, float, int]:
    """Cut off the relaxation's points until its bound stands still: the last point, the bound, the rounds."""
    column, bound_ms, rounds = None, -np.inf, 0
    while not context.expired():
        outcome = model.solve(context)
        if outcome.column is None or not np.isfinite(outcome.bound_ms):
            break
        rounds += 1
        column, lifted = outcome.column, outcome.bound_ms - bound_ms
        bound_ms = max(bound_ms, outcome.bound_ms)
        context.bound(bound_ms + constant_ms, "relaxation", cuts=model.tangents, rounds=rounds)
        if not model.add(model.relaxation.violated(column)):
            break
        if lifted <= context.options.tolerance * abs(bound_ms):
            break
    return column, bound_ms, rounds


def rounded(
    instance: Instance, context: Context[RelaxationOptions], best: Indices, column: Floats | None
) -> Indices:
    """(M,) The best of a given association and of the roundings of the relaxation's point."""
    numbers = coefficients(instance)
    start, server = numbers.start, numbers.server
    if column is None:
        return best
    x = np.maximum(column[: len(server)], 0.0)
    level = np.cumsum(x)
    before = np.concatenate([[0.0], level])[start]
    least = evaluate(instance, allocate(instance, best)).objective_ms
    for number in range(context.options.roundings + 1):
        if context.expired():
            break
        if number == 0:
            pair = np.array([a + np.argmax(x[a:b]) for a, b in pairwise(start)])
        else:
            drawn = before[:-1] + context.rng.random(len(best)) * np.diff(before)
            pair = np.clip(np.searchsorted(level, drawn, side="right"), start[:-1], start[1:] - 1)
        decision = allocate(instance, server[pair])
        value = evaluate(instance, decision).objective_ms
        if value < least:
            best, least = server[pair], value
            context.incumbent(decision)
    return best
