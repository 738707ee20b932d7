"""``brute-force``: every association. The truth for tests, and for instances that are small enough."""

from __future__ import annotations

import math

import numpy as np

from uara.base.errors import InputError
from uara.base.kernels import kernel
from uara.base.quantities import Floats, Indices
from uara.p1.allocation import allocate
from uara.p1.certificate import ROUNDING
from uara.p1.coefficients import Coefficients, coefficients
from uara.p1.instance import Instance
from uara.p1.server_cost import SMALLEST_SHARE, server_cost
from uara.registry import NoOptions, as_solver
from uara.solver import Answer, Context

MOST_ASSOCIATIONS = 10**7
ACCURACY = 1e-10
"""By how much of itself a server's computed cost may exceed the least one: far above the kernel's own tolerance."""
_CHUNK = 20_000


def compile_brute_force() -> None:
    """Load the compiled enumeration, so that the clock does not count it."""
    from .common.warmup import rehearse

    rehearse(brute_force, NoOptions())


@as_solver(prepare=compile_brute_force)
def brute_force(instance: Instance, context: Context[NoOptions]) -> Answer:
    """Try every association (at most 10^7): the exact optimum."""
    numbers = coefficients(instance)
    counts = np.diff(numbers.start)
    digits = float(np.log10(counts).sum())
    if digits > math.log10(MOST_ASSOCIATIONS):
        raise InputError(
            f"has some 10^{digits:.0f} associations, more than the {MOST_ASSOCIATIONS:.0e} that brute-force tries",
            source=instance.name,
        )
    associations = math.prod(int(count) for count in counts)
    walk = _Walk(numbers)
    while not walk.visit(_CHUNK):
        if context.expired():
            return Answer(allocate(instance, walk.best_servers()))
    least_ms = _infimum_ms(numbers, float(walk.least[0]))
    bound_ms = None if least_ms is None else least_ms + numbers.constant_ms * (1 - ROUNDING)
    return Answer(allocate(instance, walk.best_servers()), bound_ms, details={"associations": associations})


def _infimum_ms(numbers: Coefficients, least_ms: float) -> float | None:
    """What no decision's controllable cost is below, from the least cost that was found; None if unknown.

    Shares are no smaller than :data:`SMALLEST_SHARE`, but P1 knows no such limit: its infimum may be lower.
    """
    least_ms -= ACCURACY * least_ms
    if numbers.sync_weight_per_ms == 0:  # band that costs energy was given a trace, and P1 wants still less
        dearest_ms = np.maximum.reduceat(numbers.band_cost_ms, numbers.start[:-1])
        return least_ms - SMALLEST_SHARE * float(dearest_ms.sum())
    # Where the band is full somebody has a share of 1 / M at least, so that its price is no higher than this.
    scale = 2 * numbers.sync_weight_per_ms * numbers.uplink_ms**2
    highest_price = float(np.max(scale)) * numbers.devices**3
    inverse = numbers.local_ms / numbers.uplink_ms + np.cbrt((numbers.band_cost_ms + highest_price) / scale)
    return least_ms if (inverse * SMALLEST_SHARE < 1).all() else None


class _Walk:
    """All associations in reflected mixed-radix order: each differs from the last in one device."""

    def __init__(self, numbers: Coefficients) -> None:
        devices = numbers.devices
        self.numbers = numbers
        self.digit = np.zeros(devices, dtype=np.int64)
        self.direction = np.ones(devices, dtype=np.int64)
        self.cost = np.array([set_cost(numbers, self.digit, j) for j in range(numbers.servers)])
        self.best = self.digit.copy()
        self.least = np.array([self.cost.sum()])

    def visit(self, steps: int) -> bool:
        """Visit so many more; says whether all have been seen."""
        state = (self.digit, self.direction, self.cost, self.best, self.least)
        return bool(walk(self.numbers, *state, steps))

    def best_servers(self) -> Indices:
        """(M,) The best association so far."""
        return np.asarray(self.numbers.server[self.numbers.start[:-1] + self.best])


@kernel
def set_cost(numbers: Coefficients, digit: Indices, server: int) -> float:
    """V_j of the devices whose chosen candidate (``digit``, counted from their first) is with the server."""
    n, members = 0, np.empty(len(digit), dtype=np.int64)
    for i in range(len(digit)):
        k = numbers.start[i] + digit[i]
        if numbers.server[k] == server:
            members[n] = k
            n += 1
    return server_cost(numbers, members[:n], np.empty((4, n)))[0]


@kernel
def walk(
    numbers: Coefficients,
    digit: Indices,
    direction: Indices,
    cost: Floats,
    best: Indices,
    least: Floats,
    steps: int,
) -> bool:
    """Up to ``steps`` steps of the enumeration; True when all associations have been visited."""
    devices = len(digit)
    for _ in range(steps):
        moving = 0
        while moving < devices:
            goal = digit[moving] + direction[moving]
            if 0 <= goal < numbers.start[moving + 1] - numbers.start[moving]:
                break
            direction[moving] = -direction[moving]
            moving += 1
        if moving == devices:
            return True
        here = numbers.server[numbers.start[moving] + digit[moving]]
        digit[moving] += direction[moving]
        there = numbers.server[numbers.start[moving] + digit[moving]]
        cost[here] = set_cost(numbers, digit, here)
        cost[there] = set_cost(numbers, digit, there)
        total = cost.sum()
        if total < least[0]:
            least[0] = total
            best[:] = digit
    return False
