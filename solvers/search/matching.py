"""Two-phase matching-based association: Algorithm 1 of Koh and Yang, and its reading with vacancies."""

from __future__ import annotations

from functools import cache
from typing import Annotated, Literal

import numpy as np
from pydantic import Field

from uara.base.errors import InputError
from uara.base.files import Record
from uara.base.quantities import Floats, Indices
from uara.p1.allocation import Rule, allocate
from uara.p1.instance import Instance
from uara.p1.model import Allocation, Coefficients, coefficients
from uara.p1.smallest import smallest_instance
from uara.registry import as_solver
from uara.solver import Context

from .rules import first_of_largest


class MatchingOptions(Record):
    """Options of TMA."""

    allocation: Rule = "optimal"
    """Sharing rule under which associations are compared, and which the answer uses."""
    moves: Literal["pairs", "pairs+vacancies"] = "pairs+vacancies"
    """``pairs`` is the printed algorithm; with vacancies a device may also move alone."""
    capacity: Annotated[int, Field(ge=1)] | None = None
    """Most devices that a server accepts; none by default."""


@cache
def compile_search() -> None:
    """Load the compiled search, so that the clock does not count it."""
    from .local_search import improve
    from .settling import make_state
    from .state import make_task

    numbers = coefficients(smallest_instance())
    for rule in ("optimal", "uniform"):
        task = make_task(numbers, sharing_weights(numbers, rule))
        improve(task, make_state(task, numbers, np.zeros(numbers.devices, dtype=np.int64)))


@as_solver(options=MatchingOptions, prepare=compile_search, warm_start=True)
def tma(instance: Instance, context: Context[MatchingOptions]) -> Allocation:
    """Two-phase matching: strongest gain first, then swaps until none lowers the cost (the paper's Alg. 1)."""
    from .local_search import improve
    from .settling import make_state
    from .state import make_task

    options, numbers = context.options, coefficients(instance)
    capacity = None
    if options.capacity is not None:
        capacity = np.full(len(instance.servers), options.capacity, dtype=np.int64)
    task = make_task(numbers, sharing_weights(numbers, options.allocation), capacity)
    start = context.start.association if isinstance(context.start, Allocation) else None
    if start is None or not _fits(numbers, start, capacity):
        start = by_gain(instance, capacity)
    state = make_state(task, numbers, start)

    def answer() -> Allocation:
        return allocate(instance, state.chosen, options.allocation)

    context.incumbent(answer())
    improve(
        task,
        state,
        moves=options.moves == "pairs+vacancies",
        expired=context.expired,
        improved=lambda: context.incumbent(answer()),
    )
    return answer()


def sharing_weights(numbers: Coefficients, rule: Rule) -> tuple[Floats, Floats] | None:
    """(K,) weights of Y and Z per pair that make a proportional rule; None for the optimal one."""
    if rule == "optimal":
        return None
    if rule == "uniform":
        return np.ones(len(numbers.server)), np.ones(len(numbers.server))
    return np.sqrt(numbers.uplink_ms), numbers.root_work


def by_gain(instance: Instance, capacity: Indices | None = None) -> Indices:
    """Phase 1: each device with its strongest server; with capacities, by deferred acceptance.

    Raises
    ------
    InputError
        If the capacities leave a device without a server.
    """
    channel = instance.channel
    if capacity is None:
        return first_of_largest(instance, channel.power_gain)
    chosen = np.full(len(instance.devices), -1, dtype=np.int64)
    wishes = [
        start + np.argsort(-channel.power_gain[start:end], kind="stable")
        for start, end in zip(channel.pair_start[:-1], channel.pair_start[1:], strict=True)
    ]
    held: list[list[tuple[float, int]]] = [[] for _ in range(len(instance.servers))]
    asked = [0] * len(wishes)
    waiting = list(range(len(wishes) - 1, -1, -1))
    while waiting:
        device = waiting.pop()
        if asked[device] == len(wishes[device]):
            return _best_total_gain(instance, capacity, device)
        pair = wishes[device][asked[device]]
        asked[device] += 1
        server = int(channel.pair_server[pair])
        held[server].append((float(channel.power_gain[pair]), -device))
        chosen[device] = server
        if len(held[server]) > capacity[server]:
            weakest = min(held[server])
            held[server].remove(weakest)
            waiting.append(-weakest[1])
    return chosen


def _best_total_gain(instance: Instance, capacity: Indices, lonely: int) -> Indices:
    """Where deferred acceptance leaves a device out: the assignment of best total gain [dB], if there is one."""
    from scipy.optimize import linear_sum_assignment

    gain = instance.channel.dense(len(capacity))
    with np.errstate(divide="ignore"):
        loss_db = -10 * np.log10(gain)
    seats = np.repeat(np.arange(len(capacity)), np.minimum(capacity, len(gain)))
    try:
        device, seat = linear_sum_assignment(loss_db[:, seats])
    except ValueError:
        device = seat = np.empty(0, dtype=np.int64)
    if len(device) < len(gain):
        name = instance.devices.id[lonely]
        raise InputError(f"leaves device {name} without a server", source="option capacity")
    return np.asarray(seats[seat], dtype=np.int64)


def _fits(numbers: Coefficients, association: Indices, capacity: Indices | None) -> bool:
    if (numbers.pairs_of(association) < 0).any():  # the kernels index without checks
        return False
    return capacity is None or bool((np.bincount(association, minlength=len(capacity)) <= capacity).all())
