"""P1 with slack bands is a scheduling problem: ``exact`` against schedules in whole numbers."""

from __future__ import annotations

import numpy as np
import pytest
from truth.scheduling import Jobs, by_loads, by_orders

from uara import Channel, Devices, Instance, Parameters, Servers, solve
from uara.p1.model import coefficients

UNIT_MS = 10.0
"""Milliseconds of one unit of a schedule's cost."""


def random_jobs(seed: int, jobs: int, machines: int, largest: int) -> Jobs:
    """Every fourth has machines of one speed and no fees: P||sum w_j C_j itself."""
    rng = np.random.default_rng([20261130, seed])
    alike = seed % 4 == 0
    speed = [1] * machines if alike else rng.choice([1, 2, 3, 4, 6], machines).tolist()
    fee = [0] * machines if alike else rng.integers(0, 5, machines).tolist()
    return Jobs(rng.integers(1, largest + 1, jobs).tolist(), speed, fee)


def stated(jobs: Jobs) -> Instance:
    """The same as P1: s_i = 1e5 size_i, F_j = 1e9 speed_j FLOP/ms, slots of ``UNIT_MS`` to wait, tiny payloads."""
    n, machines = len(jobs.size), len(jobs.speed)
    size, speed = np.array(jobs.size, dtype=float), 1e12 * np.array(jobs.speed, dtype=float)
    return Instance(
        "jobs",
        Servers(
            [f"s{j}" for j in range(machines)],
            speed,
            np.full(machines, 1e7),
            speed * np.array(jobs.fee) * UNIT_MS / 1e3,
        ),
        Devices(
            [f"d{i}" for i in range(n)],
            np.full(n, 1e12),
            np.full(n, 0.1),
            np.ones(n),
            np.full(n, 1e3),
            np.full(n, 1e11),
            1e10 * size**2,
        ),
        Channel.from_dense(np.full((n, machines), 1e-9)),
        Parameters(energy_weight_ms_per_j=0.0, queue_slot_ms=UNIT_MS),
    )


def test_the_statement_is_the_schedule() -> None:
    jobs = random_jobs(1, 6, 3, 9)
    numbers = coefficients(stated(jobs))
    flop = numbers.of_devices(numbers.work) * numbers.work_flop
    assert np.sqrt(flop).tolist() == [1e5 * size for size in jobs.size]
    assert (numbers.work_per_ms * numbers.work_flop).tolist() == [1e9 * speed for speed in jobs.speed]
    assert numbers.wait_ms.tolist() == [UNIT_MS * jobs.fee[j] for j in numbers.server]
    assert (numbers.band_cost_ms == 0).all()
    widest = numbers.uplink_ms / numbers.local_ms
    assert widest.max() * len(jobs.size) < 1  # in time at once, all at any one server


@pytest.mark.integration
@pytest.mark.parametrize("seed", range(12))
def test_exact_agrees_with_every_order_of_a_small_schedule(seed: int) -> None:
    jobs = random_jobs(seed, 5 + seed % 4, 2 + seed % 3, 30)
    truth = by_orders(jobs)
    if len(jobs.speed) < 4:
        assert by_loads(jobs) == truth
    truth_ms = UNIT_MS * float(truth)
    instance = stated(jobs)
    result = solve(instance, "exact", options={"gap": 1e-9})
    assert result.evaluation.controllable_ms == pytest.approx(truth_ms, rel=1e-9)
    assert result.certified_bound_ms is not None
    constant_ms = coefficients(instance).constant_ms
    assert result.certified_bound_ms - constant_ms == pytest.approx(truth_ms, rel=3e-9)


def test_a_schedule_of_another_problem_is_told_apart() -> None:
    jobs = random_jobs(2, 6, 3, 30)
    slower = Jobs(jobs.size, [*jobs.speed[:-1], jobs.speed[-1] * 2], jobs.fee)
    result = solve(stated(slower), "exact", options={"gap": 1e-9})
    assert result.evaluation.controllable_ms < UNIT_MS * float(by_orders(jobs)) * (1 - 1e-3)


@pytest.mark.integration
@pytest.mark.parametrize(("seed", "count", "machines"), [(4, 40, 3), (5, 40, 3), (6, 60, 3), (7, 120, 2)])
def test_exact_agrees_with_larger_schedules(seed: int, count: int, machines: int) -> None:
    jobs = random_jobs(seed, count, machines, 12)
    truth_ms = UNIT_MS * float(by_loads(jobs))
    instance = stated(jobs)
    result = solve(instance, "exact", time_limit_s=20.0)
    value_ms = result.evaluation.controllable_ms
    assert result.certified_bound_ms is not None
    proven_ms = result.certified_bound_ms - coefficients(instance).constant_ms
    assert proven_ms <= truth_ms * (1 + 1e-9)
    assert truth_ms * (1 - 1e-9) <= value_ms
    assert proven_ms >= value_ms * (1 - 1.1e-4)
    assert value_ms <= truth_ms * (1 + 1.1e-4)
