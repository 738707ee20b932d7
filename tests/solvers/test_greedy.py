"""Greedy against a twin that scores whole instances, and where the time is up."""

from __future__ import annotations

import numpy as np
import pytest
from cases import instances, make_instance
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from uara.solvers.greedy import greedy, set_cost

from uara import Channel, Context, Instance, allocate, evaluate, solve
from uara.p1.model import coefficients
from uara.registry import NoOptions


def test_greedy_is_feasible_and_beats_the_strongest_signal() -> None:
    for seed in range(5):
        instance = make_instance(40, 5, seed)
        greedy, strongest = solve(instance, "greedy"), solve(instance, "max-sinr")
        assert greedy.evaluation.feasible
        assert greedy.evaluation.objective_ms < strongest.evaluation.objective_ms


def some_devices(instance: Instance, chosen: list[int]) -> Instance:
    """The instance with these devices alone."""
    gain = instance.channel.dense(len(instance.servers))[chosen]
    columns = {
        name: tuple(column[i] for i in chosen) if isinstance(column, tuple) else column[chosen]
        for name, column in instance.devices.columns().items()
    }
    return instance.replace(devices=type(instance.devices)(**columns), channel=Channel.from_dense(gain))


def twin(instance: Instance, most: int) -> dict[int, int]:
    """Server of each of the heaviest ``most`` devices: whole instances of more and more devices are scored."""
    flop = instance.devices.server_flop
    placed: dict[int, int] = {}
    for device in sorted(range(len(flop)), key=lambda i: (-flop[i], i))[:most]:
        chosen = [*placed, device]
        part = some_devices(instance, chosen)
        cost = {}
        start, server = part.channel.pair_start, part.channel.pair_server
        for j in server[start[-2] : start[-1]]:
            decision = allocate(part, np.array([*placed.values(), int(j)]))
            cost[int(j)] = evaluate(part, decision).controllable_ms
        placed[device] = min(cost, key=lambda j: cost[j])
    return placed


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(instances(max_devices=8, max_servers=4))
def test_each_device_goes_where_the_whole_costs_least(instance: Instance) -> None:
    devices = len(instance.devices)
    found = solve(instance, "greedy").decision.association  # type: ignore[attr-defined]
    expected = twin(instance, devices)
    ours = evaluate(instance, allocate(instance, found)).controllable_ms
    theirs = evaluate(instance, allocate(instance, np.array([expected[i] for i in range(devices)])))
    assert ours == pytest.approx(theirs.controllable_ms, rel=1e-9)  # equal costs may be settled otherwise


@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(instances(max_devices=1, max_servers=4))
def test_one_device_alone_gets_the_optimum(instance: Instance) -> None:
    best = solve(instance, "brute-force").evaluation.objective_ms
    assert solve(instance, "greedy").evaluation.objective_ms == pytest.approx(best, rel=1e-12)


@pytest.mark.parametrize("looks", [0, 1, 4, 9])
def test_devices_it_does_not_come_to_stay_with_the_strongest_signal(
    looks: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    instance = make_instance(9, 4, 3, missing=0.0)
    strongest = solve(instance, "max-sinr").decision.association  # type: ignore[attr-defined]
    answers = iter([False] * looks)
    monkeypatch.setattr(Context, "expired", lambda context: next(answers, True))
    found = greedy(instance, Context(instance, NoOptions())).association
    placed = twin(instance, looks)
    assert len(placed) == looks
    assert [placed.get(i, strongest[i]) for i in range(9)] == found.tolist()


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(instances(), st.integers(0, 2**32 - 1))
def test_a_sets_cost_is_that_of_the_model(instance: Instance, seed: int) -> None:
    numbers, rng = coefficients(instance), np.random.default_rng(seed)
    server = int(rng.integers(numbers.servers))
    able = np.flatnonzero(numbers.server == server)
    if len(able) == 0:
        return
    chosen = sorted(rng.choice(able, int(rng.integers(1, len(able) + 1)), replace=False).tolist())
    part = some_devices(instance, [int(numbers.device[k]) for k in chosen])
    truth = evaluate(part, allocate(part, np.full(len(chosen), server))).controllable_ms
    assert set_cost(numbers, chosen) == pytest.approx(truth, rel=1e-9)
