from __future__ import annotations

from collections import Counter
from typing import Any

import numpy as np
import pytest
from cases import instances, make_instance
from hypothesis import given, settings
from uara.solvers.search.rules import first_of_largest

from uara import Allocation, Channel, Devices, Instance, Servers, allocate, solve

RULES = ("random", "max-sinr", "max-compute")


def association_of(instance: Instance, solver: str, **options: Any) -> list[int]:
    decision = solve(instance, solver, **options).decision
    assert isinstance(decision, Allocation)
    return decision.association.tolist()


def two_servers(
    gain: list[list[float]], speed: tuple[float, float] = (1e12, 1e12), backlog: tuple[float, float] = (0, 0)
) -> Instance:
    one = np.full(len(gain), 1e9)
    return Instance(
        "two",
        Servers(["s", "t"], speed, [1e6, 1e6], backlog),
        Devices([f"d{i}" for i in range(len(gain))], one, one * 1e-10, one * 1e-9, one, one, one),
        Channel.from_dense(gain),
    )


@settings(max_examples=30, deadline=None)
@given(instances())
def test_every_rule_answers_feasibly_on_every_instance(instance: Instance) -> None:
    for solver in RULES:
        result = solve(instance, solver)
        assert result.evaluation.feasible
        assert result.ended == "completed"


@pytest.mark.parametrize("solver", RULES)
@pytest.mark.parametrize("rule", ["uniform", "sqrt", "optimal"])
def test_the_sharing_rule_is_the_one_asked_for(solver: str, rule: Any) -> None:
    instance = make_instance(12, 3, seed=2)
    decision = solve(instance, solver, options={"allocation": rule}).decision
    assert isinstance(decision, Allocation)
    assert decision.to_plain() == allocate(instance, decision.association, rule).to_plain()


@pytest.mark.parametrize("solver", RULES)
def test_optimal_shares_are_the_default_and_the_best(solver: str) -> None:
    instance = make_instance(30, 4, seed=2)
    cost = {
        rule: solve(instance, solver, options={"allocation": rule}).evaluation.objective_ms
        for rule in ("uniform", "sqrt", "optimal")
    }
    assert cost["optimal"] == solve(instance, solver).evaluation.objective_ms == min(cost.values())


def test_max_sinr_takes_the_strongest_pair() -> None:
    instance = make_instance(40, 5, seed=1)
    gain = instance.channel.dense(5) / instance.servers.bandwidth_hz
    assert association_of(instance, "max-sinr") == gain.argmax(axis=1).tolist()


def test_sinr_counts_the_noise_of_the_band() -> None:
    instance = two_servers([[1e-9, 2e-9]])
    wide = instance.replace(servers=instance.servers.replace(bandwidth_hz=[1e6, 4e6]))
    assert association_of(instance, "max-sinr") == [1]
    assert association_of(wide, "max-sinr") == [0]


def test_max_compute_takes_what_is_left_of_the_slot() -> None:
    # 2 TFLOP/s of which 0.9 s are spoken for leave less than 1 TFLOP/s idle.
    assert association_of(two_servers([[1e-9, 2e-9]], (1e12, 2e12)), "max-compute") == [1]
    assert association_of(two_servers([[1e-9, 2e-9]], (1e12, 2e12), (0, 1.8e12)), "max-compute") == [0]


def test_max_compute_never_takes_a_server_that_cannot_be_used() -> None:
    assert association_of(two_servers([[1e-9, 0], [0, 1e-9]], (1e12, 9e12)), "max-compute") == [0, 1]


def test_equal_servers_are_told_apart_by_the_signal_however_weak() -> None:
    # One pair is 20 orders stronger than the others: quotients by it would all round to nothing.
    instance = two_servers([[1e5, 1e-1], [1e-15, 2e-15], [2e-15, 1e-15]])
    assert association_of(instance, "max-compute") == [0, 1, 0]


def test_random_is_uniform_over_usable_servers() -> None:
    instance = make_instance(20, 4, seed=3, missing=0.4)
    counts: Counter[tuple[int, int]] = Counter()
    runs = 600
    for seed in range(runs):
        counts.update(enumerate(association_of(instance, "random", seed=seed)))
    usable = instance.channel.dense(4) > 0
    for (device, server), count in counts.items():
        assert usable[device, server]
        share = 1 / usable[device].sum()
        assert abs(count / runs - share) < 5 * np.sqrt(share * (1 - share) / runs) + 1e-9


def test_random_depends_on_the_seed_alone() -> None:
    instance = make_instance(20, 4, seed=3)
    assert association_of(instance, "random", seed=1) == association_of(instance, "random", seed=1)
    assert association_of(instance, "random", seed=1) != association_of(instance, "random", seed=2)


@pytest.mark.parametrize("solver", ["max-sinr", "max-compute"])
def test_rules_do_not_depend_on_the_seed_or_on_useless_servers(solver: str) -> None:
    instance = make_instance(20, 4, seed=3)
    servers = instance.servers
    more = instance.replace(
        servers=Servers(
            [*servers.id, "useless"],
            np.append(servers.compute_flop_per_s, 1e16),
            np.append(servers.bandwidth_hz, 1e8),
            np.append(servers.backlog_flop, 0),
        )
    )
    expected = association_of(instance, solver)
    assert association_of(instance, solver, seed=9) == expected
    assert association_of(more, solver) == expected


@pytest.mark.parametrize("solver", ["max-sinr", "max-compute"])
def test_rules_follow_the_devices_when_they_are_relabelled(solver: str) -> None:
    instance = make_instance(20, 4, seed=3)
    order = np.random.default_rng(0).permutation(20)
    devices = Devices(
        **{
            name: [column[k] for k in order] if isinstance(column, tuple) else column[order]
            for name, column in instance.devices.columns().items()
        }
    )
    other = instance.replace(devices=devices, channel=Channel.from_dense(instance.channel.dense(4)[order]))
    expected = np.array(association_of(instance, solver))[order].tolist()
    assert association_of(other, solver) == expected


def test_first_of_largest_takes_the_first_of_equals() -> None:
    instance = two_servers([[1e-9, 1e-9], [1e-9, 0], [1e-9, 2e-9]])
    assert first_of_largest(instance, instance.channel.power_gain).tolist() == [0, 0, 1]
    assert first_of_largest(instance, -instance.channel.power_gain).tolist() == [0, 0, 0]
