"""``brute-force``: every association. The truth for tests, and for instances that are small enough."""

from __future__ import annotations

import math

import numpy as np

from uara.base.errors import InputError
from uara.base.kernels import kernel
from uara.base.quantities import Floats, Indices
from uara.p1.allocation import allocate
from uara.p1.certificate import ROUNDING
from uara.p1.instance import Instance
from uara.p1.model import Coefficients, coefficients
from uara.p1.server_cost import SMALLEST_SHARE, server_cost
from uara.registry import NoOptions, as_solver
from uara.solver import Answer, Context

from .dual.kernel import Pairs, pairs_of

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
    least_ms = _infimum_ms(numbers, float(walk.least[0]))
    bound_ms = None if least_ms is None else least_ms + numbers.constant_ms * (1 - ROUNDING)
    return Answer(allocate(instance, walk.best_servers()), bound_ms, details={"associations": associations})


def _infimum_ms(numbers: Coefficients, least_ms: float) -> float | None:
    """What no decision's controllable cost is below, from the least cost that was found; None if unknown.

    Shares are no smaller than :data:`SMALLEST_SHARE`, but P1 knows no such limit: its infimum may be lower.
    """
    device = np.repeat(np.arange(len(numbers.local_ms)), np.diff(numbers.pair_start))
    least_ms -= ACCURACY * least_ms
    if numbers.sync_weight_per_ms == 0:  # band that costs energy was given a trace, and P1 wants still less
        dearest_ms = np.zeros(len(numbers.local_ms))
        np.maximum.at(dearest_ms, device, numbers.band_cost_ms)
        return least_ms - SMALLEST_SHARE * float(dearest_ms.sum())
    # Where the band is full somebody has a share of 1 / M at least, so that its price is no higher than this.
    devices = len(numbers.local_ms)
    scale = 2 * numbers.sync_weight_per_ms * numbers.uplink_ms**2
    highest_price = float(np.max(scale)) * devices**3
    inverse = numbers.local_ms[device] / numbers.uplink_ms + np.cbrt(
        (numbers.band_cost_ms + highest_price) / scale
    )
    return least_ms if (inverse * SMALLEST_SHARE < 1).all() else None


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
