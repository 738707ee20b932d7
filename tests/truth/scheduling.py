"""Parallel-machine scheduling by two dynamic programs over schedules, in whole numbers: twins of P1 with slack bands.

Job i has weight ``size[i]`` and takes ``size[i] / speed[j]`` on machine j (Q||sum w_j C_j with equal ratios of weight
and time), and machine j charges ``fee[j]`` for each job that it is given. The *cost* of a schedule is

    sum over jobs of  2 w_i C_i - w_i p_ij + fee_j

C_i being the job's completion and p_ij its time. So a job counts by the middle of its time; on machines of one speed
the second term is a constant, and this is P||sum w_j C_j.

**P1 with slack bands and free energy has this cost.** There the band costs nothing: with y = c/D every device is in
time, and these shares fit. What is left of server j with devices S is ``(sum of s_i)^2 / F_j + |S| wait_j``. Let the
server do them as jobs of weight ``w_i = s_i`` and time ``p_ij = s_i / F_j``, without idling and in some order. Then
``C_i`` is the sum of ``s_k`` over i and those before it, over ``F_j``, so

    2 sum w_i C_i = (2 / F_j) sum over pairs k <= i of s_k s_i = [(sum s_i)^2 + sum s_i^2] / F_j

whatever the order is (Smith's rule with equal ratios), hence ``(sum s_i)^2 / F_j = sum (2 w_i C_i - w_i p_ij)``.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

import numpy as np


@dataclass(frozen=True)
class Jobs:
    """A scheduling problem in whole numbers."""

    size: Sequence[int]
    """(n,) Weight of each job; its time is this over the machine's speed."""
    speed: Sequence[int]
    """(E,)"""
    fee: Sequence[int]
    """(E,) What a machine charges for each job."""

    @property
    def grid(self) -> int:
        """Times are multiples of one over this, and so are costs."""
        return math.lcm(*self.speed)


def by_orders(jobs: Jobs) -> Fraction:
    """The least cost, over all orders on all machines: each set of jobs is built by the job that comes last."""
    n, whole = len(jobs.size), (1 << len(jobs.size)) - 1
    total = [sum(jobs.size[i] for i in range(n) if each >> i & 1) for each in range(whole + 1)]
    least = [0] + [math.inf] * whole
    for speed, fee in zip(jobs.speed, jobs.fee, strict=True):
        step = jobs.grid // speed
        own: list[float] = [0] * (whole + 1)
        for chosen in range(1, whole + 1):
            ends = total[chosen] * step
            own[chosen] = min(
                own[chosen ^ 1 << i] + jobs.size[i] * (2 * ends - jobs.size[i] * step) + fee * jobs.grid
                for i in range(n)
                if chosen >> i & 1
            )
        joined = list(least)
        for chosen in range(1, whole + 1):
            part = chosen
            while part:
                joined[chosen] = min(joined[chosen], least[chosen ^ part] + own[part])
                part = (part - 1) & chosen
        least = joined
    return Fraction(int(least[whole]), jobs.grid)


def by_loads(jobs: Jobs) -> Fraction:
    """The least cost, over all assignments: jobs are appended one by one, and the machines' loads are the state.

    Any order of jobs with equal ratios costs the same, so one is enough. The last machine's load is what is left.
    """
    most, machines = sum(jobs.size), len(jobs.speed)
    loads = np.indices((most + 1,) * (machines - 1)).reshape(machines - 1, -1)
    never = np.iinfo(np.int64).max // 4
    least = np.full((most + 1,) * (machines - 1), never, dtype=np.int64)
    least[(0,) * (machines - 1)] = 0
    done = 0
    for size in jobs.size:
        following = np.full_like(least, never)
        rest = np.maximum(done - loads.sum(axis=0), 0).reshape(least.shape)
        for j in range(machines):
            step = jobs.grid // jobs.speed[j]
            last = j == machines - 1
            load = rest if last else loads[j].reshape(least.shape)
            cost = least + size * (2 * (load + size) - size) * step + jobs.fee[j] * jobs.grid
            here = tuple(slice(size, None) if k == j else slice(None) for k in range(machines - 1))
            before = tuple(slice(None, -size) if k == j else slice(None) for k in range(machines - 1))
            following[here] = np.minimum(following[here], cost[before])
        least, done = following, done + size
    return Fraction(int(least.min()), jobs.grid)
