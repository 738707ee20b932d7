from __future__ import annotations

import numpy as np
import pytest
from hetedge_cases import given_shares, make_hetedge, planned
from hypothesis import given, settings
from hypothesis import strategies as st
from uara.solvers.hetedge.alternate import alternate
from uara.solvers.hetedge.search import Choices, Programme, just_in_time
from uara.solvers.hetedge.sequence import plan_of, sequence_of, shift, walk
from uara.solvers.hetedge.service import service_of

from uara.hetedge import bandwidth
from uara.hetedge.plan import Plan
from uara.problem import evaluate

seeds = st.integers(0, 100_000)


@settings(max_examples=30, deadline=None)
@given(seeds, st.integers(1, 14))
def test_a_plan_is_worth_what_the_replay_finds_and_comes_back(seed: int, count: int) -> None:
    instance = make_hetedge(count, seed)
    plan = planned(instance, seed)
    service = given_shares(instance, plan)
    found = sequence_of(service, plan)
    assert walk(service, found, 0, np.inf) == pytest.approx(evaluate(instance, plan).objective_ms, rel=1e-10)
    assert plan_of(service, found, plan.bandwidth).to_plain() == plan.to_plain()


@settings(max_examples=30, deadline=None)
@given(seeds, st.integers(2, 14))
def test_a_walk_from_anywhere_is_the_whole_walk(seed: int, count: int) -> None:
    instance = make_hetedge(count, seed)
    plan = planned(instance, seed)
    service = given_shares(instance, plan)
    found = sequence_of(service, plan)
    whole = walk(service, found, 0, np.inf)
    for first in range(int(found.batches[0]) + 1):
        assert walk(service, found, first, np.inf) == whole
        assert walk(service, found, first, whole * (1 - 1e-9)) == np.inf


@settings(max_examples=30, deadline=None)
@given(seeds, st.integers(1, 10))
def test_shares_that_follow_the_plan_cost_what_is_foretold(seed: int, count: int) -> None:
    """With a linear rate and all prompts ready, the value is that of the plan with its in-time shares."""
    instance = make_hetedge(count, seed, noise_band="whole")
    instance = instance.replace(requests=instance.requests.replace(ready_ms=None))
    plan = alternate(Programme(instance, np.arange(count), Choices.everything(instance)), "in-time", 8)[0]
    service = service_of(
        instance,
        Choices.everything(instance).lengths,
        pairs=True,
        release_ms=np.zeros(count),
        airtime_ms=bandwidth.airtime_ms(instance),
    )
    foretold = walk(service, sequence_of(service, plan), 0, np.inf)
    shared = Plan(plan.order, plan.batch_size, plan.length, plan.paired, just_in_time(instance, plan))
    assert evaluate(instance, shared).objective_ms <= foretold * (1 + 1e-6)


def test_a_batch_is_carried_and_brought_back() -> None:
    instance = make_hetedge(12, 5, largest_batch=2)
    plan = planned(instance, 5)
    found = sequence_of(given_shares(instance, plan), plan)
    before = found.sequence.copy()
    shift(found, 1, 4)
    assert found.sequence[:5].tolist() == [0, 2, 3, 4, 1]
    shift(found, 4, 1)
    assert (found.sequence == before).all()
