"""``relaxation``: the continuous perspective relaxation as a bound of its own, and randomised rounding."""

from __future__ import annotations

from itertools import pairwise
from typing import Annotated, Any

import numpy as np
from pydantic import Field

from uara.allocation import allocate
from uara.files import Record
from uara.instance import Floats, Indices, Instance
from uara.model import coefficients
from uara.registry import as_solver
from uara.solver import Answer, Context


class RelaxationOptions(Record):
    """Options of the relaxation."""

    roundings: Annotated[int, Field(ge=0)] = 50
    """Associations drawn with the relaxation's x as probabilities, beside the largest x of each device."""
    tolerance: Annotated[float, Field(gt=0, lt=1)] = 1e-7
    """The cut loop ends when a round lifts the bound by less than this part."""


def compile_relaxation() -> None:
    """Load HiGHS and the kernels, so that the clock does not count them."""
    from .warmup import rehearse

    rehearse(relaxation, RelaxationOptions())


@as_solver(options=RelaxationOptions, prepare=compile_relaxation)
def relaxation(instance: Instance, context: Context[RelaxationOptions]) -> Answer:
    """Solve the linear perspective relaxation with cuts (HiGHS) for a bound; round its x at random."""
    from .highs import Model
    from .local_search import improve
    from .perspective import Perspective
    from .price import at_prices
    from .price_ascent import first_prices
    from .price_kernel import pairs_of
    from .search_state import make_state, make_task

    numbers = coefficients(instance)
    pairs = pairs_of(numbers)
    # A good answer says where the first tangents belong, and keeps their coefficients small.
    task = make_task(numbers)
    state = make_state(task, numbers, pairs.server[at_prices(pairs, first_prices(pairs))[2]])
    improve(task, state, swaps=False, expired=context.expired)
    loads = np.zeros(len(instance.servers))
    np.add.at(loads, state.chosen, pairs.root_flop)
    prices = np.concatenate([2.0 * loads / pairs.flop_per_ms, state.band_price_ms])
    model = Model(Perspective(pairs, float(state.cost_ms.sum())), prices)
    column, bound_ms, rounds = cut_loop(model, context, numbers.constant_ms)
    best = rounded(instance, context, model.relaxation, column)
    details = {"tangents": model.tangents, "rounds": rounds}
    bound = bound_ms + numbers.constant_ms if np.isfinite(bound_ms) else None
    return Answer(allocate(instance, best), bound, details=details)


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
    instance: Instance, context: Context[RelaxationOptions], relaxation: Any, column: Floats | None
) -> Indices:
    """(M,) The best of the roundings."""
    numbers = coefficients(instance)
    start, server = numbers.pair_start, numbers.pair_server
    x = np.ones(len(server)) if column is None else np.maximum(column[: relaxation.count], 0.0)
    best = np.array([server[a + np.argmax(x[a:b])] for a, b in pairwise(start)])
    least = instance.evaluate(allocate(instance, best)).objective_ms
    context.incumbent(allocate(instance, best))
    level = np.cumsum(x)
    before = np.concatenate([[0.0], level])[start]
    for _ in range(context.options.roundings):
        if context.expired():
            break
        drawn = before[:-1] + context.rng.random(len(best)) * np.diff(before)
        pair = np.clip(np.searchsorted(level, drawn, side="right"), start[:-1], start[1:] - 1)
        decision = allocate(instance, server[pair])
        value = instance.evaluate(decision).objective_ms
        if value < least:
            best, least = server[pair], value
            context.incumbent(decision)
    return best
