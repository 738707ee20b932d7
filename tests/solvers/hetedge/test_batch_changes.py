from __future__ import annotations

import numpy as np
import pytest
from hetedge_cases import Change, check_change, given_shares, make_hetedge, planned
from hypothesis import given, settings
from hypothesis import strategies as st
from uara.solvers.hetedge import batch_changes
from uara.solvers.hetedge.anneal import DRAWS
from uara.solvers.hetedge.sequence import plan_of, sequence_of, walk

from uara.base.kernels import alone
from uara.hetedge.plan import Plan

CHANGES = ("other_length", "exchange_batches", "move_group", "join_or_part")


def change_of(name: str) -> Change:
    change: Change = alone(getattr(batch_changes, name))
    return change


@pytest.mark.parametrize("name", CHANGES)
@settings(max_examples=10, deadline=None)
@given(st.integers(0, 100_000), st.integers(1, 14))
def test_the_plan_is_worth_what_is_said_or_as_it_was(name: str, seed: int, count: int) -> None:
    check_change(change_of(name), seed, count)


@pytest.mark.parametrize("name", CHANGES)
def test_every_batch_keeps_its_requests(name: str) -> None:
    instance = make_hetedge(14, 3)
    plan = planned(instance, 3)
    service = given_shares(instance, plan)
    found = sequence_of(service, plan)
    value_ms = walk(service, found, 0, np.inf)

    def batches(plan: Plan) -> set[frozenset[int]]:
        return {frozenset(members.tolist()) for members in plan.members()}

    plans = []
    for draw in np.random.default_rng(3).random((40, DRAWS)):
        value_ms = change_of(name)(service, found, value_ms, np.inf, draw)
        plans.append(plan_of(service, found, plan.bandwidth))
        assert batches(plans[-1]) == batches(plan)
    assert len({repr(each.to_plain()) for each in plans}) > 1
