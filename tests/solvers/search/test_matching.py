from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from cases import instances, make_instance, random_association
from clocks import set_clock
from hypothesis import given, settings
from hypothesis import strategies as st
from uara.solvers.search.matching import by_gain, sharing_weights

from uara import Allocation, Channel, InputError, Instance, Result, allocate, evaluate, solve
from uara.p1.model import coefficients

RULES = ("uniform", "sqrt", "optimal")


def tma(instance: Instance, start: Any = None, time_limit_s: float | None = None, **options: Any) -> Result:
    return solve(instance, "tma", options=options, start=start, time_limit_s=time_limit_s)


def association_of(result: Result) -> np.ndarray[Any, Any]:
    assert isinstance(result.decision, Allocation)
    return result.decision.association


def cost(instance: Instance, association: Any, rule: Any) -> float:
    return evaluate(instance, allocate(instance, association, rule)).controllable_ms


def better_neighbour(
    instance: Instance, association: np.ndarray[Any, Any], rule: Any, vacancies: bool
) -> str:
    """A single exchange, or a single move, that lowers the evaluated objective; '' if there is none."""
    gain = instance.channel.dense(len(instance.servers))
    now = cost(instance, association, rule)
    for i in range(len(association)):
        for j in range(len(instance.servers) if vacancies else 0):
            if gain[i, j] > 0 and j != association[i]:
                other = association.copy()
                other[i] = j
                if cost(instance, other, rule) < now * (1 - 1e-8):
                    return f"device {i} to server {j}"
        for k in range(i):
            if (
                association[i] != association[k]
                and gain[i, association[k]] > 0
                and gain[k, association[i]] > 0
            ):
                other = association.copy()
                other[i], other[k] = association[k], association[i]
                if cost(instance, other, rule) < now * (1 - 1e-8):
                    return f"devices {i} and {k}"
    return ""


@settings(max_examples=40, deadline=None)
@given(instances(max_devices=8, max_servers=3), st.sampled_from(RULES), st.booleans())
def test_no_single_change_improves_the_answer(instance: Instance, rule: str, vacancies: bool) -> None:
    result = tma(instance, allocation=rule, moves="pairs+vacancies" if vacancies else "pairs")
    assert result.evaluation.feasible
    assert better_neighbour(instance, association_of(result), rule, vacancies) == ""


@pytest.mark.parametrize("rule", RULES)
def test_no_single_change_improves_a_larger_answer(rule: str) -> None:
    instance = make_instance(25, 4, seed=6)
    assert better_neighbour(instance, association_of(tma(instance, allocation=rule)), rule, True) == ""


@pytest.mark.parametrize("rule", RULES)
def test_the_answer_uses_the_rule_under_which_it_was_found(rule: Any) -> None:
    instance = make_instance(20, 4, seed=6)
    decision = tma(instance, allocation=rule).decision
    assert isinstance(decision, Allocation)
    assert decision.to_plain() == allocate(instance, decision.association, rule).to_plain()


@settings(max_examples=30, deadline=None)
@given(instances(max_devices=8, max_servers=3), st.sampled_from(RULES))
def test_pairs_keep_the_number_of_devices_of_every_server(instance: Instance, rule: str) -> None:
    count = len(instance.servers)
    first = np.bincount(by_gain(instance), minlength=count)
    last = np.bincount(association_of(tma(instance, allocation=rule, moves="pairs")), minlength=count)
    assert first.tolist() == last.tolist()


def test_vacancies_are_worth_a_lot() -> None:
    worse = 0
    for seed in range(5):
        instance = make_instance(40, 6, seed=seed)
        pairs = tma(instance, moves="pairs").evaluation.controllable_ms
        both = tma(instance).evaluation.controllable_ms
        worse += pairs > 1.05 * both
    assert worse >= 3


@settings(max_examples=30, deadline=None)
@given(instances(max_devices=8, max_servers=3))
def test_phase_two_never_loses_to_phase_one_nor_to_the_rules(instance: Instance) -> None:
    result = tma(instance)
    assert result.evaluation.controllable_ms <= cost(instance, by_gain(instance), "optimal") * (1 + 1e-12)
    objectives = [point.objective_ms for point in result.trajectory]
    assert objectives == sorted(objectives, reverse=True)


# Phase 1


def test_phase_one_is_the_strongest_gain() -> None:
    instance = make_instance(30, 5, seed=2)
    assert by_gain(instance).tolist() == instance.channel.dense(5).argmax(axis=1).tolist()


@settings(max_examples=60, deadline=None)
@given(st.integers(1, 9), st.integers(1, 4), st.integers(0, 10_000))
def test_phase_one_with_capacities_is_stable(devices: int, servers: int, seed: int) -> None:
    instance = make_instance(devices, servers, seed, missing=0.0)
    capacity = np.full(servers, -(-devices // servers))
    chosen = by_gain(instance, capacity)
    assert (np.bincount(chosen, minlength=servers) <= capacity).all()
    gain = instance.channel.dense(servers)
    for i in range(devices):
        for j in range(servers):
            if gain[i, j] > gain[i, chosen[i]]:  # i would rather be at j, but j is full of stronger devices
                there = np.flatnonzero(chosen == j)
                assert len(there) == capacity[j]
                assert (gain[there, j] > gain[i, j]).all()


# Capacities


@pytest.mark.parametrize("moves", ["pairs", "pairs+vacancies"])
@pytest.mark.parametrize("rule", RULES)
def test_no_server_accepts_more_than_its_capacity(moves: str, rule: str) -> None:
    instance = make_instance(20, 4, seed=3, missing=0.0)
    for capacity in (5, 6, 9):
        result = tma(instance, moves=moves, allocation=rule, capacity=capacity)
        assert np.bincount(association_of(result)).max() <= capacity
    loose = tma(instance, moves=moves, allocation=rule, capacity=20)
    assert loose.decision.to_plain() == tma(instance, moves=moves, allocation=rule).decision.to_plain()


def test_capacities_are_filled_where_any_assignment_fits() -> None:
    """The stronger device takes the only server that the weaker one can use: it must give way."""
    base = make_instance(2, 2, seed=0, missing=0.0)
    instance = base.replace(channel=Channel.from_dense([[1e-9, 1e-10], [1e-11, 0.0]]))
    result = tma(instance, capacity=1)
    assert association_of(result).tolist() == [1, 0]


def test_too_little_capacity_names_the_device_left_over() -> None:
    with pytest.raises(InputError, match=r"option capacity: leaves device d\d+ without a server"):
        tma(make_instance(9, 2, missing=0.0), capacity=4)


@pytest.mark.parametrize("capacity", [0, -1, 2.5, "3", True])
def test_capacities_are_whole_numbers_from_1(capacity: Any) -> None:
    with pytest.raises(InputError, match="capacity"):
        tma(make_instance(), capacity=capacity)


# Starts


def test_a_start_is_used_and_never_lost() -> None:
    instance = make_instance(20, 4, seed=3)
    start = allocate(instance, random_association(instance, 5))
    result = tma(instance, start=start)
    assert result.evaluation.objective_ms <= evaluate(instance, start).objective_ms
    local_optimum = tma(instance).decision
    again = tma(instance, start=local_optimum)
    assert again.decision.to_plain() == local_optimum.to_plain()


def test_a_start_beyond_the_capacity_is_not_followed() -> None:
    instance = make_instance(8, 4, seed=3, missing=0.0)
    start = allocate(instance, np.zeros(8, dtype=np.int64))
    result = tma(instance, capacity=2)
    assert np.bincount(association_of(result)).max() <= 2
    assert tma(instance, start=start, capacity=2).evaluation.feasible


# The rest of the contract


def test_a_useless_server_changes_nothing() -> None:
    from uara import Servers

    instance = make_instance(20, 4, seed=3)
    servers = instance.servers
    more = instance.replace(
        servers=Servers(
            ["useless", *servers.id],
            np.append(1e16, servers.compute_flop_per_s),
            np.append(1e8, servers.bandwidth_hz),
            np.append(0, servers.backlog_flop),
        ),
        channel=Channel.from_dense(np.hstack([np.zeros((20, 1)), instance.channel.dense(4)])),
    )
    one, two = tma(instance), tma(more)
    assert association_of(two).tolist() == (association_of(one) + 1).tolist()
    assert two.evaluation.controllable_ms == pytest.approx(one.evaluation.controllable_ms, rel=1e-12)


def test_one_server_leaves_no_choice() -> None:
    instance = make_instance(10, 1)
    assert association_of(tma(instance)).tolist() == [0] * 10


@pytest.mark.parametrize("values", [{"moves": "all"}, {"allocation": "best"}, {"swaps": 3}])
def test_other_options_are_refused(values: dict[str, Any]) -> None:
    with pytest.raises(InputError, match="options of tma: allocation, moves, capacity"):
        tma(make_instance(), **values)


def test_the_search_stops_at_the_time_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    instance = make_instance(600, 12, seed=1, missing=0.0, payload=50)
    full = tma(instance)
    hands = set_clock(monkeypatch, step_s=0.1)  # every look takes as long
    result = tma(instance, time_limit_s=0.3)
    assert hands.at_s < 3.0
    assert result.ended == "time_limit"
    assert result.evaluation.feasible
    assert result.evaluation.objective_ms > full.evaluation.objective_ms


def test_sharing_weights_make_the_proportional_rules() -> None:
    instance = make_instance(15, 3, seed=4)
    numbers = coefficients(instance)
    assert sharing_weights(numbers, "optimal") is None
    for rule in ("uniform", "sqrt"):
        weights = sharing_weights(numbers, rule)  # type: ignore[arg-type]
        assert weights is not None
        association = random_association(instance)
        pair = numbers.pairs_of(association)
        expected = allocate(instance, association, rule)  # type: ignore[arg-type]
        for server in range(3):
            members = association == server
            for weight, share in zip(weights, (expected.bandwidth, expected.compute), strict=True):
                part = weight[pair[members]]
                assert share[members] == pytest.approx(part / part.sum())
