from __future__ import annotations

import numpy as np
import pytest
from hetedge_cases import given_shares, make_hetedge, planned
from hypothesis import given, settings
from hypothesis import strategies as st
from uara.solvers.hetedge.anneal import DRAWS, anneal
from uara.solvers.hetedge.sequence import plan_of, sequence_of, walk

from uara.problem import evaluate


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 100_000), st.integers(1, 16), st.floats(0, 1), st.booleans())
def test_every_change_leaves_a_plan_that_is_worth_what_is_said(
    seed: int, count: int, heat: float, drafts: bool
) -> None:
    instance = make_hetedge(count, seed, drafts=drafts)
    plan = planned(instance, seed)
    service = given_shares(instance, plan)
    found = sequence_of(service, plan)
    value = walk(service, found, 0, np.inf)
    rng = np.random.default_rng(seed)
    for _ in range(20):
        value = anneal(service, found, value, heat * value, (0.0, 0.5), rng.random((50, DRAWS)))
        score = evaluate(instance, plan_of(service, found, plan.bandwidth))
        assert score.feasible
        assert score.objective_ms == pytest.approx(value, rel=1e-10)


def test_without_heat_the_value_only_falls() -> None:
    for seed in range(5):
        instance = make_hetedge(14, seed)
        plan = planned(instance, seed)
        service = given_shares(instance, plan)
        found = sequence_of(service, plan)
        start = value = walk(service, found, 0, np.inf)
        rng = np.random.default_rng(seed)
        for _ in range(20):
            new = anneal(service, found, value, 0.0, (0.0, 0.5), rng.random((200, DRAWS)))
            assert new <= value
            value = new
        assert value < start * 0.99


def test_pairs_stay_parted_where_none_may_be() -> None:
    instance = make_hetedge(14, 3)
    plan = planned(instance, 3)
    service = given_shares(instance, plan)._replace(pairs=False)
    single = type(plan)(
        plan.order, plan.batch_size, plan.length, np.zeros(len(plan.paired), bool), plan.bandwidth
    )
    found = sequence_of(service, single)
    value = walk(service, found, 0, np.inf)
    anneal(service, found, value, value, (0.0, 1.0), np.random.default_rng(0).random((5000, DRAWS)))
    assert not plan_of(service, found, plan.bandwidth).paired.any()
