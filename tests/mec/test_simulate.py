"""The simulator: common random numbers, warm starts, conservation, and its files."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from cases import make_instance
from mec.worlds import profile_file, random_gains

from uara import InputError
from uara.mec.simulate import Controller, SimulationSettings, Stopped, advance, simulate
from uara.p1.allocation import allocate
from uara.psd.profile import TaskProfile
from uara.registry import available_solvers, find, method_of
from uara.scenarios.trace import MobilityTrace
from uara.solver import solve


@pytest.fixture
def trace():
    positions = np.random.default_rng(1).uniform(0, 100, (4, 9, 3))
    return MobilityTrace(make_instance(9, 3), random_gains(4), positions, 1.0, 1.5)


@pytest.fixture
def profile(tmp_path):
    return TaskProfile.load(profile_file(str(tmp_path)))


def controllers(*names):
    return [Controller(name=name) for name in names]


def columns(run, *keys):
    return [[row[key] for key in keys] for row in run.rows]


MEASURED = ("objective_ms", "latency_mean_ms", "energy_j", "battery_mean", "backlog_s")


def test_every_controller_meets_the_same_world(trace, profile):
    alone = simulate(trace, controllers("tma-masac"), seed=1, profile=profile)[0]
    after = simulate(trace, controllers("max-sinr", "tma-masac"), seed=1, profile=profile)[1]
    assert columns(alone, *MEASURED) == columns(after, *MEASURED)


def test_same_seed_same_run_and_different_seeds_differ(trace, profile):
    runs = [simulate(trace, controllers("random"), seed=seed, profile=profile)[0] for seed in (1, 1, 2)]
    assert columns(runs[0], *MEASURED) == columns(runs[1], *MEASURED)
    assert columns(runs[0], *MEASURED) != columns(runs[2], *MEASURED)


def test_settings_are_a_record_or_keywords(trace, profile):
    settings = SimulationSettings(slots=2, seed=1, profile=profile)
    given = simulate(trace, ["max-sinr"], settings)[0]
    said = simulate(trace, ["max-sinr"], slots=2, seed=1, profile=profile)[0]
    changed = simulate(trace, ["max-sinr"], settings, slots=1)[0]
    assert columns(given, *MEASURED) == columns(said, *MEASURED)
    assert columns(changed, *MEASURED) == columns(given, *MEASURED)[:1]
    assert SimulationSettings(time_limit_s=2.0, deadline_ms=5.0).decision_limit_s == 5e-3
    assert SimulationSettings(time_limit_s=2.0).decision_limit_s == 2.0
    with pytest.raises(TypeError, match="slotz"):
        simulate(trace, ["max-sinr"], slotz=2)


def test_batteries_fall_by_what_devices_spend(trace, profile):
    capacity = np.full(9, 5e4)
    start = trace.instance.devices.replace(battery_capacity_j=capacity)
    flat = MobilityTrace(
        trace.instance.replace(devices=start), trace.power_gain, trace.device_position_m, 1.0, 0.0
    )
    run = simulate(flat, controllers("tma-masac"), seed=1, profile=profile)[0]
    spent = (run.rows[0]["battery_mean"] - run.rows[-1]["battery_mean"]) * 9 * 5e4
    assert spent == pytest.approx(sum(row["energy_j"] for row in run.rows[:-1]), rel=1e-9)


def test_queues_carry_what_a_slot_cannot_do():
    instance = make_instance(6, 2, missing=0.0, queue=False)
    everyone = np.zeros(6, dtype=np.int64)
    decision = allocate(instance, everyone, "uniform")
    slot_s = 0.01
    _, backlog = advance(instance, decision, np.zeros(6), slot_s)
    work, speed = instance.devices.server_flop.sum(), instance.servers.compute_flop_per_s
    assert backlog[0] == pytest.approx(max(0.0, work - speed[0] * slot_s))
    assert backlog[1] == 0.0


def test_a_longer_run_goes_back_and_forth(trace, profile):
    run = simulate(trace, controllers("max-sinr"), slots=9, seed=1, profile=profile)[0]
    assert [row["slot"] for row in run.rows] == list(range(9))


def test_a_battery_at_its_floor_stays_there(profile):
    instance = make_instance(4, 2)
    devices = instance.devices.replace(battery_fraction=np.full(4, 0.011), battery_capacity_j=np.full(4, 1.0))
    flat = MobilityTrace(
        instance.replace(devices=devices), random_gains(3, 4, 2), np.zeros((3, 4, 3)), 1.0, 0.0
    )
    run = simulate(flat, controllers("tma-masac"), profile=profile)[0]
    assert run.rows[-1]["at_floor"] == 4
    assert run.rows[-1]["battery_min"] == 0.01


def test_warm_starts_are_not_worse_and_rules_get_none(trace, profile):
    warm, cold = (
        simulate(trace, controllers("tma", "random"), seed=1, profile=profile, warm=warm)
        for warm in (True, False)
    )
    assert columns(warm[1], *MEASURED) == columns(cold[1], *MEASURED), "a rule looks at no start"
    assert warm[0].total("controllable_ms") == pytest.approx(cold[0].total("controllable_ms"), rel=0.05)


@pytest.fixture
def reached(trace):
    """The same walk with a path between all pairs: no decision is lost on the way."""
    gains = np.where(trace.power_gain > 0, trace.power_gain, 1e-10)
    return MobilityTrace(trace.instance, gains, trace.device_position_m, 1.0, 1.5)


@pytest.fixture
def calls(monkeypatch):
    """What the simulator hands to ``solve``, slot by slot, and what comes back."""
    seen = []

    def watched(instance, solver, **given):
        result = solve(instance, solver, **given)
        seen.append((given, result))
        return result

    monkeypatch.setattr("uara.mec.simulate.solve", watched)
    return seen


@pytest.mark.integration
def test_prices_and_decisions_are_carried_over_and_bounds_are_reported(reached, profile, calls):
    run = simulate(reached, controllers("price"), seed=1, profile=profile)[0]
    assert all(0 <= row["gap"] < 0.2 for row in run.rows)
    assert calls[0][0]["options"] == {}
    assert calls[0][0]["start"] is None
    for (_, before), (given, _) in itertools.pairwise(calls):
        assert given["options"]["prices"] == before.certificate.to_plain()
        assert given["start"] is before.decision


def test_cold_controllers_carry_nothing(trace, profile, calls):
    simulate(trace, controllers("price"), seed=1, profile=profile, warm=False)
    assert all(given["options"] == {} and given["start"] is None for given, _ in calls)


@pytest.mark.parametrize("name", ["random", "greedy", "tma"])
def test_a_start_is_for_solvers_that_take_one(reached, profile, calls, name):
    simulate(reached, controllers(name), seed=1, profile=profile)
    started = [given["start"] is not None for given, _ in calls]
    assert started == [False, *[find(name).traits.warm_start] * 3]


def test_mistakes_are_named(trace, profile):
    with pytest.raises(InputError, match="no solver 'nobody'"):
        simulate(trace, controllers("nobody"), profile=profile)
    with pytest.raises(InputError, match="polish"):
        simulate(trace, [Controller(name="tma-masac", options={"polish": "maybe"})], profile=profile)
    with pytest.raises(InputError, match="slots"):
        simulate(trace, controllers("random"), slots=0, profile=profile)


def test_ctrl_c_leaves_the_slots_that_are_done(trace, profile):
    def interrupt(controller, number):
        if (controller.name, number) == ("tma", 2):
            raise KeyboardInterrupt

    with pytest.raises(Stopped) as caught:
        simulate(trace, controllers("max-sinr", "tma", "random"), profile=profile, on_slot=interrupt)
    assert [(run.controller.name, len(run.rows)) for run in caught.value.runs] == [
        ("max-sinr", 4),
        ("tma", 3),
    ]


def test_a_run_that_ctrl_c_ended_is_the_last(trace, profile):
    def patient(instance, context):
        chosen = instance.channel.pair_server[instance.channel.pair_start[:-1]]
        context.incumbent(allocate(instance, chosen))
        raise KeyboardInterrupt

    available_solvers()["patient"] = method_of(patient)
    try:
        with pytest.raises(Stopped) as caught:
            simulate(trace, controllers("patient", "random"), profile=profile)
    finally:
        del available_solvers()["patient"]
    assert [len(run.rows) for run in caught.value.runs] == [1]


@pytest.mark.integration
def test_a_solver_in_real_time_goes_through_the_slots_as_a_tracker(trace, profile):
    wanted = [Controller(name="price", options={"realtime": True}), Controller(name="price")]
    quick, slow = simulate(trace, wanted, seed=1, profile=profile)
    assert len(quick.rows) == len(slow.rows)
    assert all(0 <= row["gap"] < 0.05 for row in quick.rows)
    assert quick.rows[0]["objective_ms"] == pytest.approx(slow.rows[0]["objective_ms"], rel=1e-2)
    assert quick.percentile("decision_s", 50) <= quick.percentile("decision_s", 99.9)


def test_a_deadline_leaves_every_slot_an_answer(trace, profile):
    run = simulate(trace, controllers("price"), seed=1, profile=profile, deadline_ms=1e-3)[0]
    assert all(np.isfinite(row["objective_ms"]) and row["gap"] is not None for row in run.rows)
    with pytest.raises(InputError, match="deadline_ms"):
        simulate(trace, controllers("price"), profile=profile, deadline_ms=0.0)
