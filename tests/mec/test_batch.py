"""Worlds: seeds, arrivals, and what a run draws."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from cases import make_instance
from mec.pools import make_pool
from mec.worlds import make_environment, profile_file, random_gains, reachable

from uara import InputError
from uara.mec.batch import Environment, WorldSettings
from uara.mec.channels import PoolGains, TraceGains
from uara.mec.instances import instance_of
from uara.mec.simulate import advance
from uara.mec.worlds import shares
from uara.p1.allocation import allocate
from uara.p1.model import coefficients
from uara.scenarios.trace import MobilityTrace


def play(environment, seed, slots=5):
    """States and costs of a run under a fixed rule."""
    environment.reset(seed)
    record = []
    for _ in range(slots):
        association = reachable(environment)
        ones = torch.ones_like(environment.state.battery_fraction)
        band, compute = shares(ones, ones, association, environment.servers)
        _, feedback = environment.step(association, band, compute)
        record.append(torch.cat([feedback.outcome.cost_ms, environment.state.battery_fraction], 1))
        record.append(feedback.random_ms[:, None].expand_as(record[-1]))
    return torch.stack(record)


def test_same_seed_same_run_and_different_seeds_differ(tmp_path):
    first, second = make_environment(str(tmp_path)), make_environment(str(tmp_path))
    assert torch.equal(play(first, 7), play(second, 7))
    assert torch.equal(play(first, 7), play(second, 7)), "a second episode depends on its seed alone"
    assert not torch.equal(play(first, 7), play(second, 8))


def test_worlds_of_a_batch_differ(tmp_path):
    environment = make_environment(str(tmp_path), batch=3)
    environment.reset(1)
    battery = environment.state.battery_fraction
    assert not torch.equal(battery[0], battery[1])
    assert not torch.equal(
        environment.fleet.energy_weight_ms_per_j[0], environment.fleet.energy_weight_ms_per_j[1]
    )


def test_draws_stay_in_their_ranges(tmp_path):
    environment = make_environment(
        str(tmp_path), batch=20, battery_range=(0.3, 0.4), energy_weight_range=(40.0, 50.0), own_work_s=0.05
    )
    environment.reset(1)
    fleet, state = environment.fleet, environment.state
    assert ((state.battery_fraction >= 0.3) & (state.battery_fraction <= 0.4)).all()
    assert ((fleet.energy_weight_ms_per_j >= 40) & (fleet.energy_weight_ms_per_j <= 50)).all()
    assert ((state.backlog_flop / fleet.server_flop_per_s) <= 0.05).all()
    assert fleet.bandwidth_hz.sum(1) == pytest.approx(10e6)


def test_payload_and_work_factors_scale_the_tasks(tmp_path):
    plain = make_environment(str(tmp_path), plain=1.0, payload_factor_range=(50.0, 60.0))
    bulky = make_environment(
        str(tmp_path), plain=0.0, payload_factor_range=(50.0, 60.0), work_factor_range=(2.0, 2.0)
    )
    plain.reset(5)
    bulky.reset(5)
    bits = bulky.state.upload_bits / plain.state.upload_bits
    assert ((bits > 99) & (bits < 121)).all()
    torch.testing.assert_close(bulky.state.device_flop, 2 * plain.state.device_flop)
    torch.testing.assert_close(bulky.state.server_flop, 2 * plain.state.server_flop)


def test_tasks_change_and_batteries_fall_from_slot_to_slot(tmp_path):
    environment = make_environment(str(tmp_path))
    environment.reset(2)
    before = environment.state
    association = reachable(environment)
    ones = torch.ones_like(before.battery_fraction)
    environment.step(association, *shares(ones, ones, association, environment.servers))
    assert (environment.state.battery_fraction < before.battery_fraction).all()
    assert not torch.equal(environment.state.server_flop, before.server_flop)
    assert not torch.equal(environment.state.power_gain, before.power_gain)
    assert environment.slot_number == 1


def test_queues_are_stable_under_a_sane_rule(tmp_path):
    environment = make_environment(str(tmp_path), batch=4)
    environment.reset(4)
    for _ in range(60):
        slot = environment.observe()
        speed = slot.flop_per_ms[:, None, :] * torch.isfinite(slot.uplink_ms)
        association = speed.argmax(2)
        ones = torch.ones_like(slot.local_ms)
        environment.step(association, *shares(ones, ones, association, environment.servers))
    waiting_s = environment.state.backlog_flop / environment.fleet.server_flop_per_s
    assert (waiting_s < 1.0).all()


@pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device")
def test_worlds_step_on_cuda(tmp_path):
    environment = Environment(
        TraceGains(random_gains()), 2, WorldSettings(profile=profile_file(str(tmp_path))), device="cuda"
    )
    slot = environment.reset(1)
    association = slot.uplink_ms.argmin(2)
    ones = torch.ones_like(slot.local_ms)
    _, feedback = environment.step(association, *shares(ones, ones, association, environment.servers))
    assert feedback.outcome.cost_ms.is_cuda


def make_trace(slot_s=1.0, **devices):
    """A walk with devices that no draw would give."""
    instance = make_instance(9, 3)
    chosen = {"battery_fraction": np.linspace(0.02, 0.9, 9), "battery_capacity_j": np.full(9, 4e4), **devices}
    parameters = instance.parameters.model_copy(
        update={"slot_ms": slot_s * 1e3, "energy_weight_ms_per_j": 33.0, "sync_weight_per_ms": 0.02}
    )
    instance = instance.replace(devices=instance.devices.replace(**chosen), parameters=parameters)
    return MobilityTrace(instance, random_gains(4), np.zeros((4, 9, 3)), slot_s, 1.5)


def from_trace(folder, trace, batch=2, **settings):
    chosen = WorldSettings(profile=profile_file(str(folder)), **settings)
    return Environment.from_trace(trace, batch, chosen, dtype=torch.float64)


def test_worlds_of_a_trace_begin_as_it_says(tmp_path):
    trace = make_trace()
    environment = from_trace(tmp_path, trace)
    environment.reset(1)
    for world in range(2):
        numbers, wanted = coefficients(instance_of(environment, world)), coefficients(trace.at(0))
        for name in ("uplink_ms", "band_cost_ms", "local_ms", "work", "work_per_ms", "wait_ms"):
            np.testing.assert_allclose(getattr(numbers, name), getattr(wanted, name), rtol=1e-12)
    slot = environment.observe()
    assert (slot.sync_weight_per_ms == 0.02).all()
    np.testing.assert_allclose(slot.battery_fraction[1], trace.instance.devices.battery_fraction)


@pytest.mark.parametrize("slot_s", [1.0, 0.1])
def test_worlds_of_a_trace_go_on_as_in_the_simulator(tmp_path, slot_s):
    trace = make_trace(slot_s)
    environment = from_trace(tmp_path, trace, own_work_s=0.0)
    environment.reset(1)
    association = environment.observe().uplink_ms.argmin(2)
    decision = allocate(trace.at(0), association[0].numpy(), "uniform")
    band, compute = (torch.tensor(part).expand(2, -1) for part in (decision.bandwidth, decision.compute))
    _, feedback = environment.step(association, band, compute)
    energy = feedback.outcome.energy_j[0].numpy()
    battery, backlog = advance(trace.at(0), decision, energy, trace.slot_s)
    np.testing.assert_allclose(environment.state.battery_fraction[0], battery, rtol=1e-12)
    np.testing.assert_allclose(environment.state.backlog_flop[1], backlog, rtol=1e-9, atol=1.0)
    assert not torch.equal(environment.state.server_flop[0], environment.state.server_flop[1]), "new tasks"


def test_worlds_of_a_trace_repeat_under_one_seed_alone(tmp_path):
    environment = from_trace(tmp_path, make_trace())
    assert torch.equal(play(environment, 3), play(environment, 3))
    assert not torch.equal(play(environment, 3), play(environment, 4))


def test_what_a_trace_says_cannot_be_chosen_beside_it(tmp_path):
    with pytest.raises(InputError, match="only profile and own_work_s"):
        from_trace(tmp_path, make_trace(), battery_range=(0.1, 0.2))


def test_environments_on_one_source_do_not_disturb_each_other(tmp_path):
    settings = WorldSettings(profile=profile_file(str(tmp_path)))
    source = PoolGains(make_pool(), 12, 3)
    alone = play(Environment(source, 2, settings), 7)
    first, second = Environment(source, 2, settings), Environment(source, 2, settings)
    first.reset(7)
    second.reset(8)
    record = []
    for _ in range(5):
        for environment in (first, second):
            association = reachable(environment)
            ones = torch.ones_like(environment.state.battery_fraction)
            _, feedback = environment.step(association, *shares(ones, ones, association, 3))
            if environment is first:
                record.append(torch.cat([feedback.outcome.cost_ms, environment.state.battery_fraction], 1))
    assert torch.equal(torch.stack(record), alone[::2])


def test_wider_ranges_are_drawn_and_change_nothing_else(tmp_path):
    """The factors have random numbers of their own: with ranges of one point the worlds stay the same."""
    from mec.learners import make_slot

    plain = make_slot(str(tmp_path), seed=5, plain=0.0)
    same = make_slot(
        str(tmp_path), seed=5, plain=0.0, sync_weight_range=(0.5, 0.5), server_factor_range=(2, 2)
    )
    assert torch.equal(plain.uplink_ms, same.uplink_ms)
    torch.testing.assert_close(same.flop_per_ms, 2 * plain.flop_per_ms)
    torch.testing.assert_close(same.sync_weight_per_ms, torch.full_like(plain.sync_weight_per_ms, 0.5))
    wide = make_slot(str(tmp_path), seed=5, plain=0.0, sync_weight_range=(1e-4, 1.0), load_spread=1.0)
    assert len(wide.sync_weight_per_ms.unique()) > 1
    assert not torch.equal(wide.local_ms, plain.local_ms)
