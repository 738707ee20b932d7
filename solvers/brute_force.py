"""``brute-force``: every association. The truth for tests, and for instances that are small enough."""

from __future__ import annotations

import math

import numpy as np

from uara.allocation import allocate
from uara.errors import InputError
from uara.instance import Floats, Indices, Instance
from uara.kernels import kernel
from uara.model import coefficients
from uara.registry import NoOptions, as_solver
from uara.server_cost import server_cost
from uara.solver import Answer, Context

from .price_kernel import Pairs, pairs_of

MOST_ASSOCIATIONS = 10**7
_CHUNK = 20_000


def compile_brute_force() -> None:
    """Load the compiled enumeration, so that the clock does not count it."""
    from .warmup import rehearse

    rehearse(brute_force, NoOptions())


@as_solver(prepare=compile_brute_force)
def brute_force(instance: Instance, context: Context[NoOptions]) -> Answer:
    """Try every association (at most 10^7): the exact optimum."""
    numbers = coefficients(instance)
    counts = np.diff(numbers.pair_start)
    digits = float(np.log10(counts).sum())
    if digits > math.log10(MOST_ASSOCIATIONS):
        raise InputError(
            f"has some 10^{digits:.0f} associations, more than the {MOST_ASSOCIATIONS:.0e} that brute-force tries",
            source=instance.name,
        )
    associations = math.prod(int(count) for count in counts)
    walk = _Walk(pairs_of(numbers))
    while not walk.visit(_CHUNK):
        if context.expired():
            return Answer(allocate(instance, walk.best_servers()))
    best = allocate(instance, walk.best_servers())
    bound_ms = instance.evaluate(best).objective_ms
    return Answer(best, bound_ms, details={"associations": associations})


class _Walk:
    """All associations in reflected mixed-radix order: each differs from the last in one device."""

    def __init__(self, pairs: Pairs) -> None:
        devices, servers = len(pairs.local_ms), len(pairs.wait_ms)
        self.pairs = pairs
        self.digit = np.zeros(devices, dtype=np.int64)
        self.direction = np.ones(devices, dtype=np.int64)
        self.cost = np.array([set_cost(pairs, self.digit, j, np.empty((5, devices))) for j in range(servers)])
        self.best = self.digit.copy()
        self.least = np.array([self.cost.sum()])

    def visit(self, steps: int) -> bool:
        """Visit so many more; says whether all have been seen."""
        state = (self.digit, self.direction, self.cost, self.best, self.least)
        return bool(walk(self.pairs, *state, steps))

    def best_servers(self) -> Indices:
        """(M,) The best association so far."""
        return np.asarray(self.pairs.server[self.pairs.start[:-1] + self.best])


@kernel
def set_cost(pairs: Pairs, digit: Indices, server: int, work: Floats) -> float:
    """V_j of the devices whose chosen pair (``digit``, counted from their first) is with the server."""
    n = 0
    for i in range(len(digit)):
        k = pairs.start[i] + digit[i]
        if pairs.server[k] == server:
            work[0, n], work[1, n] = pairs.local_ms[i], pairs.uplink_ms[k]
            work[2, n], work[3, n] = pairs.band_cost_ms[k], pairs.root_flop[i]
            n += 1
    return server_cost(
        work[0, :n],
        work[1, :n],
        work[2, :n],
        work[3, :n],
        pairs.flop_per_ms[server],
        pairs.wait_ms[server],
        pairs.sync_weight,
        work[4, :n],
    )


@kernel
def walk(
    pairs: Pairs,
    digit: Indices,
    direction: Indices,
    cost: Floats,
    best: Indices,
    least: Floats,
    steps: int,
) -> bool:
    """Up to ``steps`` steps of the enumeration; True when all associations have been visited."""
    devices = len(digit)
    work = np.empty((5, devices))
    for _ in range(steps):
        moving = 0
        while moving < devices:
            goal = digit[moving] + direction[moving]
            if 0 <= goal < pairs.start[moving + 1] - pairs.start[moving]:
                break
            direction[moving] = -direction[moving]
            moving += 1
        if moving == devices:
            return True
        here = pairs.server[pairs.start[moving] + digit[moving]]
        digit[moving] += direction[moving]
        there = pairs.server[pairs.start[moving] + digit[moving]]
        cost[here] = set_cost(pairs, digit, here, work)
        cost[there] = set_cost(pairs, digit, there, work)
        total = cost.sum()
        if total < least[0]:
            least[0] = total
            best[:] = digit
    return False
