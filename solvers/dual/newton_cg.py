"""Maximising the dual of many servers: Newton's method with conjugate gradients, cooled by halves.

The curvature couples a server only with those that its devices list, so that some twenty products with it
(:mod:`.sparse_pass`) do what a factorisation would, and what hundreds of quasi-Newton passes do not.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import closing
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from uara.base.quantities import Floats, Indices
from uara.p1.coefficients import Coefficients

from .blocks import Blocks
from .sparse_pass import by_kind, by_server

_HOTTEST, _COOLING = 0.03, 0.5
"""First temperature by the mean cost of a device, and its factor: faster cooling makes the steps fail."""
_STEPS = 10
"""Most Newton steps a temperature; where bands are scarce three are not enough to follow the cooling."""
_STILL = 3e-3
"""A step that gains less than this part of the temperature a device ends the temperature."""
_FEWEST, _MOST, _RESIDUAL = 8, 60, 0.01
"""Conjugate gradients of a step: least and most, and the relative residual at which they end."""
_LEAP = 30.0
"""Most temperatures by which a step changes what a server costs a device: beyond it the curvature says nothing."""
_TRIALS, _SHORTER, _RISE = 8, 0.4, 0.05
"""Line search: most trials, what each shortens the step by, and the part of the promised gain that is enough."""

_TINY = 1e-200
"""In place of a zero that is divided by; what is found then limits nothing, and is still a number."""


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
    threads: int = 1,
) -> Climb:
    """Maximise the dual from some (2E,) prices.

    Parameters
    ----------
    coldest, hottest
        Temperatures by the mean cost of a device at the first prices.
    expired
        Asked after each pass and each Newton step; the best prices so far are returned.
    threads
        How many passes run at a time, each over a part of the devices.
    """
    with closing(Blocks(numbers, threads)) as blocks:
        return _climb(numbers, prices, blocks, (hottest, coldest), expired)


def _climb(
    numbers: Coefficients,
    prices: Floats,
    blocks: Blocks,
    temperatures: tuple[float, float],
    expired: Callable[[], bool],
) -> Climb:
    """The same, from a first to a last temperature."""
    (hottest, coldest), servers, devices = temperatures, numbers.servers, numbers.devices
    point = best = prices.copy()
    value, _ = blocks.at(point, 1.0)
    passes, finished = 1, False
    choices: list[Indices] = []
    root = mean_root(numbers)
    rent = _dot(point[:servers] ** 2, numbers.work_per_ms) / 4 + float(point[servers:].sum())
    total = value + rent
    mean = total / devices + 1e-12
    temperature = hottest * mean
    while not finished and not expired():
        hard, soft = blocks.at(point, temperature)
        passes += 1
        for _ in range(_STEPS):
            gradient = blocks.gradient
            # Where every share is at its cap, the dual is linear in a band's price.
            stiff = np.abs(gradient[servers:]) * (servers / total)
            blocks.own[:, 1] += stiff
            blocks.block[:, 2] += blocks.own[:, 1]
            step = conjugate_step(blocks, point, gradient, temperature)
            # The slopes are sums over a server's devices, less the rent.
            used = gradient[:servers] + point[:servers] * numbers.work_per_ms / 2.0
            step = within(step, _LEAP * temperature, root, used, gradient[servers:] + 1.0)
            if expired() or _dot(gradient, step) <= _STILL * temperature * devices:
                break
            length, there = 1.0, -np.inf
            for _ in range(_TRIALS):
                trial = np.maximum(point + length * step, 0.0)
                hard, there = blocks.at(trial, temperature)
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
        choices = [blocks.choice, *choices[:2]]
        finished = temperature <= coldest * mean * (1 + 1e-9)
        temperature = max(coldest * mean, temperature * _COOLING)
    return Climb(best, value, passes, finished, choices)


def mean_root(numbers: Coefficients) -> Floats:
    """(E,) Mean s of each server's candidates: what a unit of its compute price costs a device, about."""
    sums = np.bincount(numbers.server, weights=numbers.root_work, minlength=numbers.servers)
    return np.asarray(sums / np.maximum(np.diff(numbers.server_start), 1))


def within(step: Floats, most_ms: float, root: Floats, used: Floats, shared: Floats) -> Floats:
    """(2E,) A step, server by server no longer than what changes a device's cost by ``most_ms``, about.

    Parameters
    ----------
    root
        (E,) :func:`mean_root`.
    used, shared
        (E,) Sums of s and of y over the devices of each server.
    """
    share = np.minimum(shared * root / np.maximum(used, _TINY), 1.0)
    most = most_ms / np.maximum(np.concatenate([root, share]), _TINY)
    return np.clip(step, -most, most)


def _dot(a: Floats, b: Floats) -> float:
    """Their scalar product. That of the library wakes its threads, which then spin for longer than it takes."""
    return float((a * b).sum())


def conjugate_step(blocks: Blocks, point: Floats, gradient: Floats, temperature: float) -> Floats:
    """(2E,) Newton's step over the prices that are not held at zero, preconditioned by each server's block."""
    free = by_server((point > 0.0) | (gradient > 0.0))
    smoothed = preconditioner(blocks.block, free)
    rest = np.where(free, by_server(gradient), 0.0)
    step, product, along = (np.zeros_like(rest) for _ in range(3))
    last = first = 1.0
    for iteration in range(_MOST):
        smooth = smoothed(rest)
        norm = _dot(rest, smooth)
        if iteration == 0:
            first = norm
        if norm <= 0.0 or (iteration >= _FEWEST and norm <= _RESIDUAL * _RESIDUAL * first):
            break
        along *= norm / last if iteration > 0 else 0.0
        along += smooth
        blocks.bent(temperature, along, product)
        product *= free
        bend = _dot(along, product)
        if bend <= 0.0:
            break
        length = norm / bend
        step += length * along
        rest -= length * product
        last = norm
    return by_kind(step)


def preconditioner(block: Floats, free: NDArray[np.bool_]) -> Callable[[Floats], Floats]:
    """Times the inverse of each server's (E, 3) block of curvature, over the (E, 2) free prices; zero elsewhere."""
    a, b, c = block.T
    compute, band = free[:, 0] & (a > 0.0), free[:, 1] & (c > 0.0)
    both = compute & band
    with np.errstate(divide="ignore", invalid="ignore"):
        area = np.maximum(a * c - b * b, 1e-9 * a * c)
        own = np.where(both, c / area, np.where(compute, 1.0 / a, 0.0))
        other = np.where(both, a / area, np.where(band, 1.0 / c, 0.0))
        mixed = np.where(both, -b / area, 0.0)
    diagonal, across = np.stack([own, other], axis=1), mixed[:, None]
    return lambda rest: diagonal * rest + across * rest[:, ::-1]
