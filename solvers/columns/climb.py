"""Raising the dual over device prices by Polyak's steps towards the cost of the best answer. Compiled.

A subgradient is one minus how many of the servers' best sets hold a device. A step has the length that would reach
the answer's cost, times a factor that falls from 1 to 0.001 when 15 steps gain nothing; each fall starts again from
the best prices. Steps are averaged with their predecessors.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from uara.base.kernels import kernel
from uara.base.quantities import Floats

from .bands import refined
from .labels import Workspace
from .layout import Layout
from .pricing import Minima, Prices, Rises, States, all_minima, minima, server_rises
from .room import Room, room_of

_STRETCH_S = 0.02
_BETWEEN_GRIDS, _LAST_SETS = 40, 20
_SHORTEST = 1e-3
_PATIENCE = 15
_COARSENESS = 0.02
"""Each server's minimum may be understated by this part of the open gap, shared among the servers."""


@dataclass(frozen=True)
class Watch:
    """Who looks on at a climb."""

    expired: Callable[[], bool] = lambda: False
    """Asked every few hundredths of a second: whether to stop."""
    seen: Callable[[NDArray[np.bool_]], None] = lambda sets: None
    """Receives the (T, K) sets of the passes made."""


UNWATCHED = Watch()


class Aim(NamedTuple):
    """What a climb steps towards, and where it stops."""

    upper: float
    """Cost of the best answer, ms."""
    enough: float = np.inf
    """Dual at which to stop, ms."""
    most_labels: float = np.inf
    """Amount of work at which to stop."""


class Progress(NamedTuple):
    """What a climb keeps between two calls."""

    best: Floats
    """(M,) Best device prices, ms."""
    point: Prices
    """Where it is; count prices stay at 0."""
    direction: Floats
    """(M,) Averaged subgradients."""
    gradient: Floats
    """(M,) The last subgradient."""
    found: Minima
    """Of the last pass."""
    numbers: Floats
    """(6,) Best dual, factor of the step, passes without a gain, tolerance of each server's minimum, labels, and the
    last dual."""


def begin(layout: Layout, pi: Floats, value: float, gap_ms: float) -> Progress:
    """A climb that starts at these (M,) prices, whose dual is known to be at least ``value``."""
    servers = len(layout.wait_ms)
    return Progress(
        pi.copy(),
        Prices(pi.copy(), np.zeros(servers)),
        np.zeros(len(pi)),
        np.zeros(len(pi)),
        minima(layout),
        np.array([value, 1.0, 0.0, _COARSENESS * gap_ms / servers, 0.0, value]),
    )


class Rising(NamedTuple):
    """Which rises of a minimum are asked for."""

    server: int
    """None by default."""
    gap_ms: float
    """Rises of this much or more are all one; they may be understated by a thousandth of it."""
    rises: Rises
    """Output, at most the gap."""


_NO_RISE = Rising(-1, 0.0, Rises(np.zeros(0), np.zeros(0)))
_NO_AIM = Aim(0.0)


@kernel(allocates=False, inner=True)
def _passes(
    layout: Layout,
    state: States,
    aim: Aim,
    progress: Progress,
    trail: NDArray[np.bool_],
    work: Workspace,
    room: Room,
) -> int:
    """:func:`passes`, for kernels."""
    numbers, point, direction = progress.numbers, progress.point.pi, progress.direction
    member, upper = progress.found.member, aim.upper
    servers = len(progress.found.lower)
    gradient = progress.gradient
    finest = 1e-12 * abs(upper) / servers
    for step in range(len(trail)):
        best = numbers[0]
        if numbers[1] < _SHORTEST or best >= aim.enough or numbers[4] >= aim.most_labels:
            return step
        value, labels = all_minima(layout, progress.point, state, numbers[3], progress.found, work, room)
        numbers[4] += labels
        numbers[5] = value
        for i in range(len(point)):
            gradient[i] = 1.0
        for k in range(len(member)):  # a slice's check of shapes would compile Python's texts: seconds
            trail[step, k] = member[k]
            if member[k]:
                gradient[layout.device[k]] -= 1.0
        numbers[2] += 1.0
        if value > best + 1e-9 * abs(value):
            if value > best + 1e-3 * min(upper - best, 1e300):
                numbers[2] = 0.0
            numbers[0] = value
            for i in range(len(point)):
                progress.best[i] = point[i]
            numbers[3] = max(min(numbers[3], _COARSENESS * (upper - value) / servers), finest)
        if numbers[2] >= _PATIENCE:
            numbers[1] *= 0.7
            numbers[2] = 0.0
            for i in range(len(point)):
                point[i], direction[i] = progress.best[i], 0.0
        square = 0.0
        for i in range(len(point)):
            direction[i] = 0.6 * direction[i] + gradient[i]
            square += direction[i] * direction[i]
        if square == 0.0:  # the sets are an association: optimal, but for the tolerance
            if numbers[3] <= finest:
                numbers[1] = 0.0
            numbers[3] = max(0.01 * numbers[3], finest)
            continue
        length = numbers[1] * (upper - value) / square
        for i in range(len(point)):
            point[i] += length * direction[i]
    return len(trail)


@kernel(allocates=False)
def _run(
    layout: Layout,
    state: States,
    aim: Aim,
    progress: Progress,
    trail: NDArray[np.bool_],
    work: Workspace,
    room: Room,
    rising: Rising,
) -> int:
    """One way in from Python for both: each holds machine code of the pricing, which takes seconds to make."""
    j = rising.server
    if j < 0:
        return _passes(layout, state, aim, progress, trail, work, room)
    lower = progress.found.lower[j]
    return server_rises(layout, j, progress.point, state, lower, rising.gap_ms, rising.rises, work, room)


def passes(
    layout: Layout,
    state: States,
    aim: Aim,
    progress: Progress,
    trail: NDArray[np.bool_],
    work: Workspace,
    room: Room,
) -> int:
    """At most one pass for each row of ``trail``; returns how many were made, fewer where the climb has ended.

    Parameters
    ----------
    trail
        (T, K) Output: the best sets of each pass.
    """
    return int(_run(layout, state, aim, progress, trail, work, room, _NO_RISE))


def rises_at(layout: Layout, state: States, at: Progress, rising: Rising, work: Workspace, room: Room) -> int:
    """By how much the minimum of a server rises if one of its pairs is forced in, or out; returns the labels.

    Parameters
    ----------
    at
        The point, and the minima there as :func:`dual` states them.
    """
    none = np.empty((0, len(layout.device)), dtype=np.bool_)
    return int(_run(layout, state, _NO_AIM, at, none, work, room, rising))


def dual(
    layout: Layout, prices: Prices, state: States, tolerance: float, found: Minima, work: Workspace
) -> float:
    """Sum of pi and of the servers' minima: one pass of a climb, so that there is one compiled pricing.

    Parameters
    ----------
    tolerance
        By how much each server's minimum may be understated, ms.
    found
        Output.
    """
    alone = begin(layout, prices.pi, -np.inf, 0.0)._replace(found=found)
    alone.point.nu[:] = prices.nu
    alone.numbers[3] = tolerance
    trail = np.empty((1, len(layout.device)), dtype=np.bool_)
    passes(layout, state, _NO_AIM, alone, trail, work, room_of(layout))
    return float(alone.numbers[5])


def climb(
    layout: Layout,
    pi: Floats,
    state: States,
    aim: Aim,
    work: Workspace,
    *,
    known: float = -np.inf,
    most_passes: int = 1500,
    watch: Watch = UNWATCHED,
) -> tuple[Layout, float, Floats, int]:
    """Raise the dual from some device prices, without count prices, and add the band prices that its sets lack.

    Parameters
    ----------
    known
        A lower bound on the dual at the start, if there is one, ms.
    most_passes
        Work after which it stops.

    Returns
    -------
    layout, value, pi, passes
        The layout with its grids, the best dual, its prices, and how many passes were made.
    """
    upper = aim.upper
    gap_ms = min(upper - known, 1e-3 * abs(upper))
    progress = begin(layout, pi, known, max(gap_ms, 1e-9 * abs(upper)))
    servers = len(layout.wait_ms)
    made, width, room = 0, 1, room_of(layout)
    recent = np.zeros((0, len(layout.device)), dtype=np.bool_)
    while made < most_passes:
        # Grids are looked at after fixed numbers of passes, so that an answer does not depend on the clock.
        until_grids = _BETWEEN_GRIDS - made % _BETWEEN_GRIDS
        trail = np.empty((min(width, most_passes - made, until_grids), len(layout.device)), dtype=np.bool_)
        began = time.perf_counter()
        steps = passes(layout, state, aim, progress, trail, work, room)
        taken_s = time.perf_counter() - began
        made += steps
        watch.seen(trail[:steps])
        recent = np.concatenate([recent, trail[:steps]])[-_LAST_SETS:]
        value = float(progress.numbers[0])
        ended = steps < len(trail)
        if value >= aim.enough or progress.numbers[4] >= aim.most_labels or watch.expired():
            break
        if ended or made % _BETWEEN_GRIDS == 0:
            finer = refined(layout, recent, _COARSENESS * (upper - value) / servers)
            if finer is not None:
                layout, room = finer, room_of(finer)
                progress.numbers[1] = max(progress.numbers[1], 0.5)
            elif ended:
                break
        width = min(_BETWEEN_GRIDS, max(1, int(width * min(4.0, _STRETCH_S / max(taken_s, 1e-9)))))
    return layout, float(progress.numbers[0]), progress.best, made
