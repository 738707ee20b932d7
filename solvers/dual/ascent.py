"""Maximising the dual over its 2E prices: Newton's method on the softened dual, cooled in rounds. Compiled.

With few servers the (2E, 2E) curvature costs little and a projected Newton iteration converges in a few
steps per temperature; with many, L-BFGS-B does the same work without the matrix.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from uara.base.kernels import alone, kernel
from uara.base.quantities import Floats, Indices
from uara.p1.coefficients import Coefficients

from .kernel import cost_pass, curvature, hard_dual, priced, soft_dual

NEWTON_SERVERS = 64
"""Largest number of servers for which the curvature matrix pays."""
_COOLING = 0.2
_STEPS = 40
_STRETCH = 3_000_000
"""Entries of the curvature between two looks at the clock: some ten milliseconds."""


class Ascent(NamedTuple):
    """The best prices that an ascent found."""

    prices: Floats
    """(2E,) In the kernels' units."""
    value_ms: float
    """The dual there: a lower bound on the controllable part of P1."""
    weight: Floats
    """(K,) Soft choice of the last point: how the relaxation splits each device."""
    passes: int
    finished: bool
    """Whether it went to the coldest round, or as far as was enough."""


class Round(NamedTuple):
    """What the rounds of an ascent read and leave behind."""

    temperature: float
    """In ms, of the soft minimum."""
    enough_ms: float
    """A dual at which the ascent ends."""
    best: Floats
    """(2E,) The best prices of this round and of those before."""
    best_ms: Floats
    """(1,) The dual there."""
    inverse: Floats
    """(K,) 1/y of each candidate at the last point: a warm start."""
    weight: Floats
    """(K,) Soft choice of the last point."""
    choice: Indices
    """(M,) Cheapest candidate of each device at the last point."""
    flat: float = 1e-3
    """A round of Newton's method ends where the slope along its step is below this, in temperatures."""
    still: float = 1e-4
    """It ends where a step gained less than this."""


def first_prices(numbers: Coefficients) -> Floats:
    """(2E,) Prices at which compute would be shared in proportion to the servers' speed, and band is free."""
    servers = numbers.servers
    level = 2.0 * numbers.of_devices(numbers.root_work).sum() / numbers.work_per_ms.sum()
    return np.concatenate([np.full(servers, level), np.zeros(servers)])


def spread(numbers: Coefficients, prices: Floats, inverse: Floats | None = None) -> float:
    """Mean of the devices' cheapest cost in ms: the scale on which temperatures are chosen.

    ``inverse`` (K,) becomes the warm start of :func:`~.kernel.cost_pass`.
    """
    cost, share, bend = (np.zeros(len(numbers.server)) for _ in range(3))
    choice = np.zeros(numbers.devices, dtype=np.int64)
    priced(numbers, prices, cost, share, bend, np.zeros(len(cost)) if inverse is None else inverse, choice)
    return float(np.mean(cost[choice])) + 1e-12


def ascend(
    numbers: Coefficients,
    prices: Floats | None = None,
    *,
    hottest: float = 0.1,
    coldest: float = 1e-5,
    enough_ms: float = np.inf,
    expired: Callable[[], bool] = lambda: False,
    visited: Callable[[Indices], None] = lambda choice: None,
) -> Ascent:
    """Maximise the dual.

    Parameters
    ----------
    prices
        (2E,) Where to start; :func:`first_prices` by default.
    hottest, coldest
        Temperatures of the first and of the last round, relative to :func:`spread`.
    enough_ms
        Stop as soon as the dual reaches this.
    expired
        Asked after each stretch of some ten milliseconds; the best prices so far are returned.
    visited
        Receives after each round the (M,) cheapest pairs.
    """
    point = first_prices(numbers) if prices is None else np.maximum(prices, 0.0)
    scale = spread(numbers, point)
    now = Round(
        temperature=hottest * scale,
        enough_ms=enough_ms,
        best=point.copy(),
        best_ms=np.array([-np.inf]),
        inverse=np.zeros(len(numbers.server)),
        weight=np.zeros(len(numbers.server)),
        choice=np.zeros(numbers.devices, dtype=np.int64),
    )
    passes, climb = 0, newton_stretches if numbers.servers <= NEWTON_SERVERS else quasi_newton_round
    while True:
        point, count = climb(numbers, point, now, expired)
        passes += count
        visited(now.choice)
        value = float(now.best_ms[0])
        finished = now.temperature <= coldest * scale or value >= enough_ms
        if finished or expired():
            return Ascent(now.best, value, now.weight, passes, finished)
        now = now._replace(temperature=max(coldest * scale, now.temperature * _COOLING))


def newton_stretches(
    numbers: Coefficients, start: Floats, now: Round, expired: Callable[[], bool]
) -> tuple[Floats, int]:
    """A round of Newton's method, interrupted now and then to look at the clock: :func:`newton_round`."""
    stretch = int(np.clip(_STRETCH // int((np.diff(numbers.start) ** 2).sum()), 1, _STEPS))
    point, passes = start, 0
    for first in range(0, _STEPS, stretch):
        point, count, ended = newton_round(numbers, point, now, min(stretch, _STEPS - first))
        passes += count
        if ended or expired():
            break
    return point, passes


def newton_round(numbers: Coefficients, start: Floats, now: Round, steps: int) -> tuple[Floats, int, bool]:
    """Projected Newton ascent at one temperature, of at most so many steps.

    Returns the point, the number of passes, and whether it went to its end.
    """
    size, count = len(start), len(numbers.server)
    by_price, square = np.empty((5, size)), np.empty((2, size, size))
    by_price[0] = start
    passes, ended = _newton_steps(
        numbers, now, steps, by_price, square, np.empty((3, count)), np.empty(size, dtype=np.int64)
    )
    return by_price[0], passes, ended


@kernel(allocates=False)
def _newton_steps(
    numbers: Coefficients,
    now: Round,
    steps: int,
    by_price: Floats,
    square: Floats,
    by_pair: Floats,
    free: Indices,
) -> tuple[int, bool]:
    """The steps of a round: how many passes were made, and whether it went to its end.

    Parameters
    ----------
    by_price, square, by_pair, free
        (5, 2E), (2, 2E, 2E), (3, K) and (2E,) Work space: a kernel that makes no array compiles in half the time.
        The first row of ``by_price`` is where to start, and where it ended afterwards.
    """
    point, trial, gradient, ahead, step = by_price[0], by_price[1], by_price[2], by_price[3], by_price[4]
    hessian, factor = square[0], square[1]
    cost, share, bend = by_pair[0], by_pair[1], by_pair[2]
    size = len(point)
    temperature, weight, choice = now.temperature, now.weight, now.choice
    soft = _softened(numbers, point, now, cost, share, bend, gradient)
    passes = 1
    ended = False
    for _ in range(steps):
        ended = True  # by each way out of this block but its last line
        if now.best_ms[0] >= now.enough_ms:
            break
        curvature(numbers, share, bend, temperature, weight, hessian)
        # Where every share is at its cap, the dual is linear in a band's price: no step beyond the costs' size.
        largest = 1e-12
        for i in range(len(choice)):
            largest += cost[choice[i]]
        for n in range(size // 2, size):
            hessian[n, n] += abs(gradient[n]) / largest
        newton_step(point, gradient, hessian, factor, free, step)
        slope = 0.0
        for n in range(size):
            slope += gradient[n] * step[n]
        if slope <= now.flat * temperature:
            break
        length, accepted = 1.0, False
        for _ in range(30):
            rise = 0.0
            for n in range(size):
                trial[n] = max(point[n] + length * step[n], 0.0)
                rise += gradient[n] * (trial[n] - point[n])
            there = _softened(numbers, trial, now, cost, share, bend, ahead)
            passes += 1
            if there >= soft + 0.1 * rise and there > soft:
                accepted = True
                break
            length *= 0.4
        if not accepted:
            break
        gained = there - soft
        soft = there
        for n in range(size):
            point[n], gradient[n] = trial[n], ahead[n]
        if gained <= now.still * temperature:
            break
        ended = False
    return passes, ended


@kernel(allocates=False, inner=True)
def _softened(
    numbers: Coefficients,
    prices: Floats,
    now: Round,
    cost: Floats,
    share: Floats,
    bend: Floats,
    gradient: Floats,
) -> float:
    """The softened dual at some prices, with its gradient; the prices are kept if they are the best so far."""
    cost_pass(numbers, prices, cost, share, bend, now.inverse)
    value = hard_dual(numbers, prices, cost, now.choice)
    if value > now.best_ms[0]:
        now.best_ms[0] = value
        for n in range(len(prices)):  # a slice's check of shapes would compile Python's texts: seconds
            now.best[n] = prices[n]
    return soft_dual(numbers, prices, cost, share, now.choice, now.temperature, now.weight, gradient)


@kernel(allocates=False, inner=True)
def newton_step(
    point: Floats, gradient: Floats, hessian: Floats, factor: Floats, free: Indices, step: Floats
) -> None:
    """Solve ``hessian step = gradient`` over the prices that are not held at zero (damped Cholesky).

    By hand: ``np.linalg.solve`` takes five seconds more to compile, and raises where this gives a step that the line
    search refuses.

    Parameters
    ----------
    factor, free
        (2E, 2E) and (2E,) Work space.
    step
        (2E,) Output: zero for the prices that are held.
    """
    count = 0
    for n in range(len(point)):
        step[n] = 0.0
        if point[n] > 0.0 or gradient[n] > 0.0:
            free[count] = n
            count += 1
    for a in range(count):
        for b in range(a + 1):
            total = hessian[free[a], free[b]]
            if a == b:
                total += 1e-9 * total + 1e-14
            for c in range(b):
                total -= factor[a, c] * factor[b, c]
            if a == b:
                factor[a, a] = np.sqrt(max(total, 1e-12 * hessian[free[a], free[a]] + 1e-14))
            else:
                factor[a, b] = total / factor[b, b]
        total = gradient[free[a]]
        for c in range(a):
            total -= factor[a, c] * step[free[c]]
        step[free[a]] = total / factor[a, a]
    for a in range(count - 1, -1, -1):
        total = step[free[a]]
        for c in range(a + 1, count):
            total -= factor[c, a] * step[free[c]]
        step[free[a]] = total / factor[a, a]


def quasi_newton_round(
    numbers: Coefficients, start: Floats, now: Round, expired: Callable[[], bool]
) -> tuple[Floats, int]:
    """The same ascent by SciPy's L-BFGS-B, for many servers; it looks at the clock at each point."""
    from scipy.optimize import minimize

    count, passes = len(numbers.server), 0
    cost, share, bend = np.empty(count), np.empty(count), np.empty(count)
    gradient = np.empty(len(start))
    scale = price_scale(numbers)

    def descend(scaled: Floats) -> tuple[float, Floats]:
        nonlocal passes
        prices = scaled * scale
        soft = alone(_softened)(numbers, prices, now, cost, share, bend, gradient)
        passes += 1
        if now.best_ms[0] >= now.enough_ms or expired():
            raise StopIteration
        return -soft, -gradient * scale

    try:
        found = minimize(
            descend,
            start / scale,
            jac=True,
            method="L-BFGS-B",
            bounds=[(0, None)] * len(start),
            options={"maxiter": 80, "maxcor": 20},
        )
        return found.x * scale, passes
    except StopIteration:
        return now.best.copy(), passes


def price_scale(numbers: Coefficients) -> Floats:
    """(2E,) The size of a typical price of each kind, so that L-BFGS-B sees variables of the order of one."""
    servers = numbers.servers
    compute = first_prices(numbers)[:servers]
    rent = float(compute @ (compute * numbers.work_per_ms)) / (4 * servers)
    return np.concatenate([compute, np.full(servers, 0.05 * rent + 1e-9)])
