from __future__ import annotations

import math

import numpy as np
import pytest
from cases import instances, make_instance, random_association
from hypothesis import given, settings
from hypothesis import strategies as st
from truth import evaluator

from uara import Channel, Devices, InputError, Instance, Parameters, Servers, allocate, evaluate
from uara.base.kernels import alone
from uara.p1.coefficients import Coefficients, by_candidate, coefficients
from uara.p1.dense import candidates_of, dense_of


@settings(max_examples=60, deadline=None)
@given(instances())
def test_candidates_are_the_usable_pairs_with_their_devices_numbers(instance: Instance) -> None:
    numbers, channel = coefficients(instance), instance.channel
    assert (numbers.devices, numbers.servers) == (len(instance.devices), len(instance.servers))
    assert numbers.start.tolist() == channel.pair_start.tolist()
    assert numbers.device.tolist() == channel.pair_device.tolist()
    assert numbers.server.tolist() == channel.pair_server.tolist()
    flop = instance.devices.server_flop[channel.pair_device]
    assert (numbers.work * numbers.work_flop).tolist() == flop.tolist()  # counting in units rounds nothing
    assert numbers.root_work**2 == pytest.approx(numbers.work)
    assert 0.25 < numbers.work.max() <= 1
    assert math.log(numbers.work_flop, 4) == pytest.approx(round(math.log(numbers.work_flop, 4)))
    assert (
        numbers.of_devices(numbers.work).tolist()
        == (instance.devices.server_flop / numbers.work_flop).tolist()
    )


@settings(max_examples=60, deadline=None)
@given(instances())
def test_servers_own_their_candidates_by_rising_device(instance: Instance) -> None:
    numbers = coefficients(instance)
    assert sorted(numbers.by_server.tolist()) == list(range(len(numbers.server)))
    for j in range(numbers.servers):
        own = numbers.by_server[numbers.server_start[j] : numbers.server_start[j + 1]]
        assert (numbers.server[own] == j).all()
        assert (np.diff(numbers.device[own]) > 0).all()


@settings(max_examples=40, deadline=None)
@given(instances(), st.integers(0, 1000))
def test_a_restriction_is_the_instance_without_those_pairs(instance: Instance, seed: int) -> None:
    numbers, rng = coefficients(instance), np.random.default_rng(seed)
    keep = rng.random(len(numbers.server)) < 0.5
    keep[numbers.start[:-1]] = True
    fewer = numbers.restricted(keep)
    gain = np.where(keep, instance.channel.power_gain, 0.0)
    dense = np.zeros((numbers.devices, numbers.servers))
    dense[numbers.device, numbers.server] = gain
    alone = coefficients(instance.replace(channel=type(instance.channel).from_dense(dense)))
    for name in Coefficients._fields:
        np.testing.assert_array_equal(getattr(fewer, name), getattr(alone, name))
    with pytest.raises(ValueError, match="read-only"):
        fewer.uplink_ms[0] = 1.0


@settings(max_examples=40, deadline=None)
@given(instances())
def test_tables_and_candidates_hold_the_same(instance: Instance) -> None:
    numbers = coefficients(instance)
    dense = dense_of(numbers, instance.devices.battery_fraction)
    gain = instance.channel.dense(numbers.servers)
    assert (np.isfinite(dense.uplink_ms[0]) == (gain > 0)).all()
    assert dense.server_flop[0].tolist() == instance.devices.server_flop.tolist()
    assert dense.flop_per_ms[0].tolist() == (instance.servers.compute_flop_per_s / 1e3).tolist()
    (again,) = candidates_of(dense)
    for name in set(Coefficients._fields) - {"constant_ms"}:
        np.testing.assert_array_equal(getattr(again, name), getattr(numbers, name))


def test_loads_may_depend_on_the_server() -> None:
    """Everything that a kernel reads of a candidate can be changed for it alone."""
    from uara.p1.server_cost import server_cost

    numbers = coefficients(make_instance(4, 2, missing=0.0))
    work = numbers.work * np.where(numbers.server == 1, 4.0, 1.0)
    changed = numbers.changed(work=work, root_work=np.sqrt(work), wait_ms=numbers.wait_ms + numbers.device)
    for server in range(2):
        own = np.flatnonzero(numbers.server == server)
        cost, price = alone(server_cost)(numbers, own, np.empty((4, 4)))
        other, same = alone(server_cost)(changed, own, np.empty((4, 4)))
        compute = numbers.root_work[own].sum() ** 2 / numbers.work_per_ms[server]
        assert other - cost == pytest.approx(3 * compute * server + 6)
        assert same == price


def test_one_device_alone_is_a_layout() -> None:
    one = np.ones(1)
    numbers = by_candidate(
        np.array([0, 1]),
        np.array([2]),
        pair=(one, one),
        device=(one, 5 * one),
        station=(np.ones(3), np.zeros(3)),
        sync_weight_per_ms=0.0,
    )
    assert numbers.work_flop == 16.0
    assert numbers.server_start.tolist() == [0, 0, 0, 1]
    assert numbers.dense(numbers.work, -1.0).tolist() == [[-1.0, -1.0, 5 / 16]]


def test_coefficients_are_the_objective() -> None:
    instance = make_instance(15, 4, seed=8)
    numbers = coefficients(instance)
    allocation = allocate(instance, random_association(instance), "sqrt")
    pair = numbers.pairs_of(allocation.association)
    cost = (
        numbers.wait_ms[pair]
        + numbers.work[pair] / (allocation.compute * numbers.work_per_ms[allocation.association])
        + numbers.sync_weight_per_ms
        * (numbers.local_ms[pair] - numbers.uplink_ms[pair] / allocation.bandwidth) ** 2
        + numbers.band_cost_ms[pair] * allocation.bandwidth
    )
    score = evaluate(instance, allocation)
    assert cost.sum() == pytest.approx(score.controllable_ms, rel=1e-12)
    assert numbers.constant_ms == pytest.approx(score.constant_ms, rel=1e-12)


def test_coefficients_are_kept_and_cannot_be_written() -> None:
    instance = make_instance()
    numbers = coefficients(instance)
    assert coefficients(instance) is numbers
    assert coefficients(instance.replace(name="copy")) is not numbers
    for name in Coefficients._fields:
        value = getattr(numbers, name)
        if isinstance(value, np.ndarray):
            with pytest.raises(ValueError, match="read-only"):
                value[0] = 1


def test_new_parameters_mean_new_coefficients() -> None:
    instance = make_instance()
    before = coefficients(instance).band_cost_ms
    after = coefficients(instance.replace(parameters=Parameters(energy_weight_ms_per_j=100))).band_cost_ms
    assert after == pytest.approx(2 * before)


@settings(max_examples=50, deadline=None)
@given(instances(), st.lists(st.integers(-3, 5), min_size=6, max_size=6))
def test_pairs_are_found_where_the_channel_lists_them(instance: Instance, wanted: list[int]) -> None:
    association = np.array(wanted[: len(instance.devices)])
    pairs = coefficients(instance).pairs_of(association)
    for i, (server, pair) in enumerate(zip(association, pairs, strict=True)):
        if evaluator.gain_of(instance, i, int(server)) > 0:
            assert instance.channel.pair_device[pair] == i
            assert instance.channel.pair_server[pair] == server
        else:
            assert pair == -1


def test_a_gain_whose_rate_is_zero_is_refused_by_name() -> None:
    one = np.full(2, 1e30)
    instance = Instance(
        "deaf",
        Servers(["s"], [1.0], [1e-30], [0.0]),
        Devices(["a", "b"], one, [1e-30, 1.0], [1, 1], one, one, one),
        Channel.from_dense([[1.0], [1e-30]]),
        Parameters(noise_psd_dbm_per_hz=200),
    )
    with pytest.raises(InputError, match="so weak") as caught:
        coefficients(instance)
    assert caught.value.path == "$.channel.power_gain[0][0]"
