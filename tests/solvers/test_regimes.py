"""Bounds, optimum and answers in order, on small instances at the ends of every scale."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from cases import make_instance

from uara import Instance, solve
from uara.p1.instance import Channel, Devices, Servers
from uara.verify import slack_ms

ANSWERS = ("max-sinr", "max-compute", "tma", "price", "exact", "auto")


def extreme(seed: int) -> Instance:
    """One to five devices at one to three servers; each odd case with a chance of its own, so that they meet."""
    rng = np.random.default_rng([20261130, seed])
    instance = make_instance(
        int(rng.integers(1, 6)),
        int(rng.integers(1, 4)),
        seed,
        payload=float(rng.choice([1e-3, 1.0, 50.0, 2e3])),
        missing=float(rng.choice([0.0, 0.3, 0.9])),
        queue=bool(rng.integers(2)),
        sync_weight_per_ms=float(rng.choice([0.0, 1e-6, 1e-2, 1.0])),
        energy_weight_ms_per_j=float(rng.choice([0.0, 20.0, 1e5])),
    )
    devices, servers, gain = instance.devices, instance.servers, instance.channel.dense(len(instance.servers))
    if rng.random() < 0.2:
        devices = _with(devices, battery_fraction=np.full(len(devices), 1e-12))
    if rng.random() < 0.2:
        devices = _with(devices, server_flop=devices.server_flop * 10 ** rng.uniform(0, 4, len(devices)))
    if rng.random() < 0.2:
        gain = np.where(rng.random(gain.shape) < 0.5, np.minimum(gain, 1e-20), gain)
    if rng.random() < 0.2:
        servers = _alike(servers)
        gain[:] = gain[:, :1]
    gain[np.arange(len(gain)), gain.argmax(axis=1)] = np.maximum(gain.max(axis=1), 1e-20)
    return Instance("extreme", servers, devices, Channel.from_dense(gain), instance.parameters)


def _with(devices: Devices, **changed: np.ndarray) -> Devices:  # type: ignore[type-arg]
    return replace(devices, **changed)


def _alike(servers: Servers) -> Servers:
    """The first server several times."""
    count = len(servers)
    return replace(
        servers,
        compute_flop_per_s=np.full(count, servers.compute_flop_per_s[0]),
        bandwidth_hz=np.full(count, servers.bandwidth_hz[0]),
        backlog_flop=np.full(count, servers.backlog_flop[0]),
    )


def check(instance: Instance) -> None:
    truth = solve(instance, "brute-force")
    optimum, scale = truth.evaluation.objective_ms, truth.evaluation.controllable_ms
    rounding = slack_ms(optimum, scale) + 1e-12 * abs(optimum)
    for name in ANSWERS:
        result = solve(instance, name)
        assert result.evaluation.feasible, name
        assert result.evaluation.objective_ms >= optimum - rounding, name
        for bound_ms in (result.bound_ms, result.certified_bound_ms):
            assert bound_ms is None or bound_ms <= optimum + rounding, name


@pytest.mark.integration
@pytest.mark.parametrize("first", range(0, 200, 20))
def test_bounds_truth_and_answers_are_in_order_at_the_ends_of_every_scale(first: int) -> None:
    for seed in range(first, first + 20):
        check(extreme(seed))


@pytest.mark.parametrize("seed", [619, 1447])
def test_the_last_places_beside_a_vast_constant_part_are_no_contradiction(seed: int) -> None:
    check(extreme(seed))


@pytest.mark.slow
def test_bounds_truth_and_answers_are_in_order_on_two_thousand_instances() -> None:
    for seed in range(200, 2000):
        check(extreme(seed))


@pytest.mark.integration
@pytest.mark.parametrize("solver", ["price", "exact"])
def test_a_hundred_servers_get_a_valid_bound(solver: str) -> None:
    """The bound is below every answer, and the certificate proves it; how near it comes is measured, not promised."""
    instance = make_instance(150, 100, 7, missing=0.7)
    found = solve(instance, solver, time_limit_s=20.0)
    assert found.evaluation.feasible
    assert found.certified_bound_ms is not None
    others = [solve(instance, name).evaluation.objective_ms for name in ("tma", "greedy")]
    assert found.certified_bound_ms <= min(found.evaluation.objective_ms, *others)
