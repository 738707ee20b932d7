from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from cases import instances, make_instance, random_association
from hypothesis import given, settings
from hypothesis import strategies as st
from truth import allocator

from uara import Allocation, Channel, Devices, InputError, Instance, Parameters, Servers, allocate, evaluate
from uara.p1.allocation import Rule, optimal_bandwidth, proportional, shares_of, usable_pairs
from uara.p1.model import coefficients

RULES: tuple[Rule, ...] = ("uniform", "sqrt", "optimal")


@settings(max_examples=80, deadline=None)
@given(instances(), st.sampled_from(RULES), st.integers(0, 1000))
def test_every_rule_gives_feasible_shares(instance: Instance, rule: Rule, seed: int) -> None:
    association = random_association(instance, seed)
    allocation = allocate(instance, association, rule)
    assert evaluate(instance, allocation).feasible
    assert allocation.association.tolist() == association.tolist()


@settings(max_examples=80, deadline=None)
@given(instances(), st.integers(0, 1000))
def test_no_rule_beats_the_optimal_one(instance: Instance, seed: int) -> None:
    association = random_association(instance, seed)
    cost = {rule: evaluate(instance, allocate(instance, association, rule)).controllable_ms for rule in RULES}
    if instance.parameters.sync_weight_per_ms > 0:
        assert cost["optimal"] <= min(cost.values()) * (1 + 1e-9)
    else:  # the optimum is not attained: band costs, and is worth nothing
        assert cost["optimal"] <= min(cost.values()) * (1 + 1e-9) + 1e-6 * cost["uniform"]


@settings(max_examples=60, deadline=None)
@given(instances(), st.integers(0, 1000), st.integers(0, 2**32 - 1))
def test_no_shares_at_random_beat_the_optimal_ones(instance: Instance, seed: int, other: int) -> None:
    association = random_association(instance, seed)
    best = evaluate(instance, allocate(instance, association)).controllable_ms
    rng = np.random.default_rng(other)
    for _ in range(10):
        band, compute = (
            shares_of(association, rng.exponential(size=len(association)) + 1e-6, len(instance.servers))
            for _ in range(2)
        )
        score = evaluate(instance, Allocation(association, band * rng.uniform(0.3, 1), compute))
        assert best <= score.controllable_ms * (1 + 1e-9) + 1e-6


def test_uniform_shares_are_equal_parts() -> None:
    instance = make_instance(10, 2, missing=0)
    association = np.array([0, 0, 0, 0, 1, 1, 1, 1, 1, 1])
    allocation = allocate(instance, association, "uniform")
    expected = [1 / 4] * 4 + [1 / 6] * 6
    assert allocation.bandwidth.tolist() == pytest.approx(expected)
    assert allocation.compute.tolist() == pytest.approx(expected)


def test_sqrt_shares_follow_the_root_of_the_loads() -> None:
    instance = make_instance(9, 2, missing=0, seed=4)
    association = random_association(instance, 1)
    allocation = allocate(instance, association, "sqrt")
    numbers = coefficients(instance)
    uplink = numbers.uplink_ms[numbers.pairs_of(association)]
    for server in range(2):
        members = association == server
        band = np.sqrt(uplink[members])
        work = np.sqrt(instance.devices.server_flop[members])
        assert allocation.bandwidth[members] == pytest.approx(band / band.sum())
        assert allocation.compute[members] == pytest.approx(work / work.sum())


def test_optimal_compute_is_the_square_root_rule_and_slsqp_agrees() -> None:
    instance = make_instance(6, 1, missing=0, queue=False)
    association = np.zeros(6, dtype=np.int64)
    allocation = allocate(instance, association)
    flop, flop_per_ms = instance.devices.server_flop, float(instance.servers.compute_flop_per_s[0]) / 1e3
    value = float(np.sum(flop / (allocation.compute * flop_per_ms)))
    assert value == pytest.approx(np.sqrt(flop).sum() ** 2 / flop_per_ms)
    twin = allocator.compute_by_slsqp(flop, flop_per_ms)
    assert value == pytest.approx(twin, rel=1e-6)
    assert value <= twin * (1 + 1e-9)


@settings(max_examples=15, deadline=None)
@given(st.integers(0, 10_000), st.sampled_from([0.1, 1.0, 30.0]))
def test_the_whole_optimum_is_cvxpys_server_by_server(seed: int, payload: float) -> None:
    instance = make_instance(8, 2, seed, payload=payload)
    association = random_association(instance, seed)
    numbers = coefficients(instance)
    pair = numbers.pairs_of(association)
    allocation = allocate(instance, association)
    for server in np.unique(association):
        members = np.flatnonzero(association == server)
        columns = (
            numbers.local_ms[pair[members]],
            numbers.uplink_ms[pair[members]],
            numbers.band_cost_ms[pair[members]],
            numbers.sync_weight_per_ms,
        )
        ours = allocator.band_cost(*columns, allocation.bandwidth[members])
        theirs, _ = allocator.band_by_cvxpy(*columns)
        unit = numbers.sync_weight_per_ms * float(np.sum(columns[0] ** 2))
        assert ours <= theirs + 1e-9 * unit
        assert theirs == pytest.approx(ours, rel=1e-5, abs=1e-6 * unit)


@settings(max_examples=50, deadline=None)
@given(instances(), st.sampled_from(RULES), st.integers(0, 2**32 - 1))
def test_shares_follow_the_devices_when_they_are_relabelled(
    instance: Instance, rule: Rule, seed: int
) -> None:
    order = np.random.default_rng(seed).permutation(len(instance.devices))
    columns = {
        name: [column[k] for k in order] if isinstance(column, tuple) else column[order]
        for name, column in instance.devices.columns().items()
    }
    gain = instance.channel.dense(len(instance.servers))[order]
    other = instance.replace(devices=Devices(**columns), channel=Channel.from_dense(gain))
    association = random_association(instance, seed)
    one, two = allocate(instance, association, rule), allocate(other, association[order], rule)
    first, second = evaluate(instance, one), evaluate(other, two)
    assert second.controllable_ms == pytest.approx(first.controllable_ms, rel=1e-9)
    assert two.compute == pytest.approx(one.compute[order], rel=1e-12)


def test_idle_servers_do_no_harm() -> None:
    instance = make_instance(5, 3, missing=0)
    for rule in RULES:
        assert evaluate(instance, allocate(instance, np.full(5, 2), rule)).feasible


def test_one_device_alone_gets_all_that_helps_it() -> None:
    instance = make_instance(1, 1, missing=0, payload=1e4)
    allocation = allocate(instance, [0])
    assert allocation.compute.tolist() == [1.0]
    assert allocation.bandwidth[0] == pytest.approx(1.0, abs=0.2)


@pytest.mark.parametrize("decades", [3, 10, 30])
def test_whatever_an_instance_may_hold_is_shared_out_feasibly(decades: int) -> None:
    rng = np.random.default_rng(decades)
    shared = 0
    for _ in range(150):
        instance = wide_instance(rng, decades)
        for rule in RULES:
            association = rng.integers(0, len(instance.servers), len(instance.devices))
            try:
                score = evaluate(instance, allocate(instance, association, rule))
            except InputError:  # a rate of zero
                continue
            assert score.feasible
            assert np.isfinite(score.objective_ms)
            shared += 1
    assert shared > 400


def wide_instance(rng: np.random.Generator, decades: int) -> Instance:
    """Every quantity drawn over many decades."""

    def column(*shape: int) -> Any:
        return 10.0 ** rng.uniform(-decades, decades, shape)

    m, e = int(rng.integers(1, 5)), int(rng.integers(1, 4))
    battery = 10.0 ** rng.uniform(-min(decades, 6), 0, m)
    weights = column(2) * rng.integers(0, 2, 2)
    return Instance(
        "wide",
        Servers([str(j) for j in range(e)], column(e), column(e), column(e) * rng.integers(0, 2, e)),
        Devices([str(i) for i in range(m)], column(m), column(m), battery, column(m), column(m), column(m)),
        Channel.from_dense(column(m, e)),
        Parameters(sync_weight_per_ms=float(weights[0]), energy_weight_ms_per_j=float(weights[1])),
    )


# Refusals


@pytest.mark.parametrize(
    "association", [[0, 0], [[0, 0, 0]], [0.0, 0.0, 0.0], ["0", "0", "0"], [True, True, True], 3]
)
def test_an_association_that_is_none_is_refused(association: object) -> None:
    with pytest.raises(InputError, match="must be 3 server indices, one a device"):
        allocate(make_instance(3, 1, missing=0), association)  # type: ignore[arg-type]


@pytest.mark.parametrize("server", [-1, 2, 10**12, -(2**62)])
def test_a_server_that_cannot_be_used_is_refused_by_name(server: int) -> None:
    with pytest.raises(InputError, match=f"device d1 cannot use server {server}") as caught:
        allocate(make_instance(3, 2, missing=0), [0, server, 0])
    assert (caught.value.source, caught.value.path) == ("association", "[1]")


def test_a_pair_without_a_path_is_refused() -> None:
    instance = make_instance(20, 3, missing=0.8)
    gain = instance.channel.dense(3)
    i, j = np.argwhere(gain == 0)[0]
    association = random_association(instance)
    association[i] = j
    with pytest.raises(InputError, match=f"device d{i} cannot use server {j}"):
        usable_pairs(instance, association)


@pytest.mark.parametrize("rule", ["best", "", "Uniform", None, 3, []])
def test_unknown_rules_are_refused(rule: object) -> None:
    with pytest.raises(InputError, match="is not one of uniform, sqrt, optimal"):
        allocate(make_instance(3, 1, missing=0), [0, 0, 0], rule)  # type: ignore[arg-type]


# The parts


def test_shares_of_a_server_add_up_to_one() -> None:
    rng = np.random.default_rng(0)
    association = rng.integers(0, 4, 50)
    shares = shares_of(association, rng.uniform(1e-9, 1e9, 50), 6)
    sums = np.bincount(association, weights=shares, minlength=6)
    assert sums == pytest.approx([1, 1, 1, 1, 0, 0])


def test_proportional_shares_take_two_weights() -> None:
    instance = make_instance(3, 1, missing=0)
    allocation = proportional(
        instance, np.zeros(3, dtype=np.int64), np.array([1.0, 1, 2]), np.array([3.0, 1, 0.5])
    )
    assert allocation.bandwidth.tolist() == [0.25, 0.25, 0.5]
    assert allocation.compute == pytest.approx(np.array([6, 2, 1]) / 9)


def test_optimal_bandwidth_is_that_of_the_allocation() -> None:
    instance = make_instance(12, 3)
    association = random_association(instance)
    numbers = coefficients(instance)
    shares = optimal_bandwidth(numbers, association, numbers.pairs_of(association))
    assert shares.tolist() == allocate(instance, association).bandwidth.tolist()


def test_allocating_changes_nothing_in_the_instance() -> None:
    instance = make_instance()
    digest = instance.replace().digest
    association = random_association(instance)
    kept = association.copy()
    allocate(instance, association)
    assert instance.replace().digest == digest
    assert (association == kept).all()
