"""Maximising the dual of many servers: Newton's method with conjugate gradients, cooled by halves.

The curvature couples a server only with those that its devices list, so that some twenty products with it
(:mod:`.sparse_pass`) do what a factorisation would, and what hundreds of quasi-Newton passes do not.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from uara.base.kernels import kernel
from uara.base.quantities import Floats, Indices
from uara.p1.coefficients import Coefficients

from .sparse_pass import Pass, bent_by, empty_pass, fused_pass

_HOTTEST, _COOLING = 0.03, 0.5
"""First temperature by the mean cost of a device, and its factor: faster cooling makes the steps fail."""
_STEPS = 10
"""Most Newton steps a temperature; where bands are scarce three are not enough to follow the cooling."""
_STILL = 3e-3
"""A step that gains less than this part of the temperature a device ends the temperature."""
_FEWEST, _MOST, _RESIDUAL = 8, 60, 0.01
"""Conjugate gradients of a step: least and most, and the relative residual at which they end."""
_TRIALS, _SHORTER, _RISE = 8, 0.4, 0.05
"""Line search: most trials, what each shortens the step by, and the part of the promised gain that is enough."""


class Climb(NamedTuple):
    """The end of an ascent."""

    prices: Floats
    """(2E,) The best ones."""
    value_ms: float
    passes: int
    finished: bool
    """Whether it went to the coldest temperature."""
    choices: list[Indices]
    """(M,) Cheapest candidates at the ends of the last temperatures, the last one first."""


def climb(
    numbers: Coefficients,
    prices: Floats,
    *,
    coldest: float = 1e-4,
    hottest: float = _HOTTEST,
    expired: Callable[[], bool] = lambda: False,
) -> Climb:
    """Maximise the dual from some (2E,) prices.

    Parameters
    ----------
    coldest, hottest
        Temperatures by the mean cost of a device at the first prices.
    expired
        Asked after each pass and each Newton step; the best prices so far are returned.
    """
    found, servers, devices = empty_pass(numbers), numbers.servers, numbers.devices
    point = best = prices.copy()
    value, _ = fused_pass(numbers, point, 1.0, found)
    passes, finished = 1, False
    choices: list[Indices] = []
    rent = float(_dot(point[:servers] ** 2, numbers.work_per_ms) / 4 + point[servers:].sum())
    total = value + rent
    mean = total / devices + 1e-12
    temperature = hottest * mean
    while not finished and not expired():
        hard, soft = fused_pass(numbers, point, temperature, found)
        passes += 1
        for _ in range(_STEPS):
            gradient = found.gradient.copy()
            # Where every share is at its cap, the dual is linear in a band's price.
            stiff = np.abs(gradient[servers:]) * (servers / total)
            found.own[servers:] += stiff
            found.block[:, 2] += found.own[servers:]
            step = conjugate_step(found, point, gradient, temperature)
            if expired() or _dot(gradient, step) <= _STILL * temperature * devices:
                break
            length, there = 1.0, -np.inf
            for _ in range(_TRIALS):
                trial = np.maximum(point + length * step, 0.0)
                hard, there = fused_pass(numbers, trial, temperature, found)
                passes += 1
                if hard > value:
                    value, best = hard, trial
                if there > soft and there >= soft + _RISE * _dot(gradient, trial - point):
                    break
                if expired():
                    there = -np.inf
                    break
                length *= _SHORTER
            if not there > soft:
                break
            gained, soft, point = there - soft, there, trial
            if gained <= 0.5 * _STILL * temperature * devices:
                break
        choices = [found.choice.copy(), *choices[:2]]
        finished = temperature <= coldest * mean * (1 + 1e-9)
        temperature = max(coldest * mean, temperature * _COOLING)
    return Climb(best, value, passes, finished, choices)


def _dot(a: Floats, b: Floats) -> float:
    """Their scalar product. That of the library wakes its threads, which then spin for longer than it takes."""
    return float((a * b).sum())


@kernel
def conjugate_step(found: Pass, point: Floats, gradient: Floats, temperature: float) -> Floats:
    """(2E,) Newton's step over the prices that are not held at zero, preconditioned by each server's block."""
    size = len(point)
    servers = size // 2
    free = np.empty(size, dtype=np.bool_)
    step, rest, along = np.zeros(size), np.zeros(size), np.zeros(size)
    smooth, product = np.zeros(size), np.zeros(size)
    for n in range(size):
        free[n] = point[n] > 0.0 or gradient[n] > 0.0
        if free[n]:
            rest[n] = gradient[n]
    last = first = 0.0
    for iteration in range(_MOST):
        norm = 0.0
        for j in range(servers):
            m = servers + j
            a, b, c = found.block[j, 0], found.block[j, 1], found.block[j, 2]
            smooth[j] = rest[j] / a if free[j] and a > 0.0 else 0.0
            smooth[m] = rest[m] / c if free[m] and c > 0.0 else 0.0
            if free[j] and free[m] and a > 0.0 and c > 0.0:
                area = max(a * c - b * b, 1e-9 * a * c)
                smooth[j] = (c * rest[j] - b * rest[m]) / area
                smooth[m] = (a * rest[m] - b * rest[j]) / area
            norm += rest[j] * smooth[j] + rest[m] * smooth[m]
        if iteration == 0:
            first = norm
        if norm <= 0.0 or (iteration >= _FEWEST and norm <= _RESIDUAL * _RESIDUAL * first):
            break
        for n in range(size):
            along[n] = smooth[n] + (norm / last * along[n] if iteration > 0 else 0.0)
        bent_by(temperature, found, along, product)
        bend = 0.0
        for n in range(size):
            if not free[n]:
                product[n] = 0.0
            bend += along[n] * product[n]
        if bend <= 0.0:
            break
        length = norm / bend
        for n in range(size):
            step[n] += length * along[n]
            rest[n] -= length * product[n]
        last = norm
    return step
