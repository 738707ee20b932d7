"""The tensors' physics against the evaluator that scores every solver."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from mec.worlds import make_environment, reachable

from uara.mec.instances import instance_of
from uara.mec.simulate import advance as advance_one
from uara.mec.worlds import (
    BATTERY_FLOOR,
    advance,
    constant_costs,
    cost_terms,
    device_costs,
    outcome,
    random_uniform_cost,
    served,
    shares,
    uniform_costs,
)
from uara.p1.allocation import allocate
from uara.p1.model import Allocation, coefficients, evaluate


@pytest.fixture
def environment(tmp_path):
    made = make_environment(str(tmp_path), payload_factor_range=(1.0, 500.0), plain=0.3)
    made.reset(3)
    return made


def random_shares(environment, association, seed=1):
    generator = torch.Generator().manual_seed(seed)
    shape = association.shape
    band = torch.rand(shape, generator=generator, dtype=torch.float64) + 0.01
    compute = torch.rand(shape, generator=generator, dtype=torch.float64) + 0.01
    return shares(band, compute, association, environment.servers)


def test_coefficients_equal_those_of_the_instance(environment):
    slot = environment.observe()
    for world in range(environment.batch):
        numbers = coefficients(instance_of(environment, world))
        usable = torch.isfinite(slot.uplink_ms[world]).numpy()
        np.testing.assert_allclose(slot.uplink_ms[world].numpy()[usable], numbers.uplink_ms, rtol=1e-12)
        np.testing.assert_allclose(slot.band_cost_ms[world].numpy()[usable], numbers.band_cost_ms, rtol=1e-12)
        np.testing.assert_allclose(slot.local_ms[world], numbers.of_devices(numbers.local_ms), rtol=1e-12)
        np.testing.assert_allclose(slot.wait_ms[world][numbers.server.copy()], numbers.wait_ms, rtol=1e-12)
        speed = numbers.work_per_ms * numbers.work_flop
        np.testing.assert_allclose(slot.flop_per_ms[world], speed, rtol=1e-12)


def test_outcome_equals_the_evaluator(environment):
    slot, association = environment.observe(), reachable(environment)
    band, compute = random_shares(environment, association)
    result = outcome(
        environment.fleet, environment.state, slot, environment.given, association, band, compute
    )
    constant = constant_costs(environment.fleet, environment.state, environment.given)
    for world in range(environment.batch):
        decision = Allocation(association[world].numpy(), band[world].numpy(), compute[world].numpy())
        score = evaluate(instance_of(environment, world), decision)
        assert score.feasible
        assert float(result.cost_ms[world].sum()) == pytest.approx(score.controllable_ms, rel=1e-10)
        assert float(constant[world].sum()) == pytest.approx(score.constant_ms, rel=1e-10)
        np.testing.assert_allclose(result.latency_ms[world], score.device_latency_ms, rtol=1e-10)
        np.testing.assert_allclose(result.energy_j[world], score.device_energy_j, rtol=1e-10)


def test_terms_sum_to_the_cost_and_follow_the_evaluators_names(environment):
    slot, association = environment.observe(), reachable(environment)
    band, compute = random_shares(environment, association)
    terms = cost_terms(slot, association, band, compute)
    torch.testing.assert_close(sum(terms), device_costs(slot, association, band, compute))
    score = evaluate(
        instance_of(environment, 0), Allocation(association[0].numpy(), band[0].numpy(), compute[0].numpy())
    )
    names = ("queue", "server_compute", "synchronisation", "uplink_energy")
    for name, term in zip(names, terms, strict=True):
        assert float(term[0].sum()) == pytest.approx(score.terms_ms[name], rel=1e-10)


def test_costs_are_differentiable_in_the_shares(environment):
    slot, association = environment.observe(), reachable(environment)
    band, compute = random_shares(environment, association)
    assert torch.autograd.gradcheck(
        lambda y, z: device_costs(slot, association, y, z).log(),
        (band.requires_grad_(), compute.requires_grad_()),
        eps=1e-8,
        rtol=1e-3,
    )


def test_shares_keep_the_budgets_and_leave_unwanted_band_idle():
    association = torch.tensor([[0, 0, 1]])
    band, compute = shares(torch.tensor([[0.9, 0.6, 0.2]]), torch.tensor([[1.0, 3.0, 7.0]]), association, 3)
    torch.testing.assert_close(band, torch.tensor([[0.6, 0.4, 0.2]]))
    torch.testing.assert_close(compute, torch.tensor([[0.25, 0.75, 1.0]]))


def test_uniform_costs_equal_uniform_allocation(environment):
    association = reachable(environment)
    cost = uniform_costs(environment.observe(), association)
    for world in range(environment.batch):
        instance = instance_of(environment, world)
        score = evaluate(instance, allocate(instance, association[world].numpy(), "uniform"))
        assert float(cost[world].sum()) == pytest.approx(score.controllable_ms, rel=1e-10)


def test_random_baseline_uses_usable_pairs_and_its_generator(environment):
    slot = environment.observe()
    draw = [random_uniform_cost(slot, torch.Generator().manual_seed(seed)) for seed in (1, 1, 2)]
    assert torch.isfinite(draw[0]).all()
    torch.testing.assert_close(draw[0], draw[1])
    assert not torch.equal(draw[0], draw[2])


def test_batteries_and_queues_move_on_as_in_the_simulator(environment):
    slot, association = environment.observe(), reachable(environment)
    band, compute = random_shares(environment, association)
    result = outcome(
        environment.fleet, environment.state, slot, environment.given, association, band, compute
    )
    after = advance(environment.fleet, environment.state, environment.given, association, result.energy_j)
    for world in range(environment.batch):
        instance = instance_of(environment, world)
        decision = Allocation(association[world].numpy(), band[world].numpy(), compute[world].numpy())
        battery, backlog = advance_one(instance, decision, result.energy_j[world].numpy(), 1.0)
        np.testing.assert_allclose(after.battery_fraction[world], battery, rtol=1e-12)
        np.testing.assert_allclose(after.backlog_flop[world], backlog, rtol=1e-12, atol=1.0)


def test_an_overloaded_server_builds_a_queue_and_a_battery_stops_at_its_floor(environment):
    everyone_at_0 = torch.zeros(environment.batch, environment.devices, dtype=torch.long)
    heavy = environment.state.map(lambda tensor: tensor)
    work = environment.fleet.server_flop_per_s[:, :1] / 2
    heavy = type(heavy)(**{**vars(heavy), "server_flop": work.expand_as(heavy.server_flop)})
    energy = environment.fleet.battery_capacity_j * 2
    after = advance(environment.fleet, heavy, environment.given, everyone_at_0, energy)
    expected = (
        heavy.backlog_flop[:, 0]
        + work[:, 0] * environment.devices
        - environment.fleet.server_flop_per_s[:, 0]
    )
    torch.testing.assert_close(after.backlog_flop[:, 0], expected)
    assert (after.battery_fraction == BATTERY_FLOOR).all()


def test_served_picks_each_devices_own_server():
    pairs = torch.arange(12.0).reshape(1, 4, 3)
    torch.testing.assert_close(
        served(pairs, torch.tensor([[0, 2, 1, 1]])), torch.tensor([[0.0, 5.0, 7.0, 10.0]])
    )
