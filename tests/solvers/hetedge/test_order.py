from __future__ import annotations

import numpy as np
import pytest
from hetedge_cases import make_hetedge
from hypothesis import given, settings
from hypothesis import strategies as st
from uara.solvers.hetedge.order import Exchange, exchange
from uara.solvers.hetedge.search import Choices, Programme

from uara.hetedge import bandwidth
from uara.hetedge.instance import HetEdge
from uara.hetedge.plan import Plan
from uara.problem import evaluate


def planned(instance: HetEdge, seed: int) -> Plan:
    order = np.random.default_rng(seed).permutation(len(instance.requests))
    return Programme(instance, order, Choices.everything(instance)).best(bandwidth.min_max(instance))[0]


def as_plan(plan: Plan, members: list[list[int]]) -> Plan:
    return Plan(
        np.array([k for batch in members for k in batch]), np.array([len(batch) for batch in members]),
        plan.length, plan.paired, plan.bandwidth,
    )  # fmt: skip


@settings(max_examples=12, deadline=None)
@given(st.integers(0, 10_000))
def test_the_search_prices_what_the_replay_finds(seed: int) -> None:
    instance = make_hetedge(9, seed, longest_speculation=4)
    plan = planned(instance, seed)
    search = Exchange(instance, plan)
    assert search.total_ms == pytest.approx(evaluate(instance, plan).objective_ms, rel=1e-10)
    rng = np.random.default_rng(seed)
    for _ in range(12):
        if len(search.members) < 2:
            break
        m, n = rng.choice(len(search.members), 2, replace=False).tolist()
        first, second = rng.choice(search.members[m]), rng.choice(search.members[n])
        before = search.total_ms
        changed = {
            m: [*(k for k in search.members[m] if k != first), int(second)],
            n: [*(k for k in search.members[n] if k != second), int(first)],
        }
        taken = search.attempt(changed)
        score = evaluate(instance, as_plan(plan, search.members))
        assert score.feasible
        assert score.objective_ms == pytest.approx(search.total_ms, rel=1e-10)
        assert (search.total_ms < before) == taken


@settings(max_examples=10, deadline=None)
@given(st.integers(0, 10_000))
def test_the_new_order_is_never_worse(seed: int) -> None:
    instance = make_hetedge(12, seed, longest_speculation=3)
    plan = planned(instance, seed)
    order, total = exchange(instance, plan, np.random.default_rng(0), lambda: False)
    assert sorted(order.tolist()) == list(range(12))
    assert total <= evaluate(instance, plan).objective_ms * (1 + 1e-12)
    cut = Programme(instance, order, Choices.everything(instance)).best(plan.bandwidth)[1]
    assert cut <= total * (1 + 1e-9)


def test_it_stops_when_told() -> None:
    instance = make_hetedge(12, 1)
    plan = planned(instance, 1)
    order, total = exchange(instance, plan, np.random.default_rng(0), lambda: True)
    assert total == pytest.approx(evaluate(instance, plan).objective_ms, rel=1e-10)
    assert sorted(order.tolist()) == list(range(12))


def test_memory_limits_hold() -> None:
    for seed in range(6):
        instance = make_hetedge(14, seed, largest_batch=5)
        plan = planned(instance, seed)
        order, _ = exchange(instance, plan, np.random.default_rng(0), lambda: False)
        better, _ = Programme(instance, order, Choices.everything(instance)).best(plan.bandwidth)
        assert evaluate(instance, better).feasible
