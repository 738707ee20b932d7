from __future__ import annotations

import numpy as np
import pytest
from hetedge_cases import Change, check_change, given_shares, make_hetedge, planned
from hypothesis import given, settings
from hypothesis import strategies as st
from uara.solvers.hetedge import request_changes
from uara.solvers.hetedge.anneal import DRAWS
from uara.solvers.hetedge.sequence import sequence_of, walk

from uara.base.kernels import alone

STEPS = {"exchange": {0}, "move": {-1, 0}, "open_batch": {0, 1}, "split": {0, 1}, "merge": {-1, 0}}
"""By how much each change can change the number of batches."""


def change_of(name: str) -> Change:
    change: Change = alone(getattr(request_changes, name))
    return change


@pytest.mark.parametrize("name", STEPS)
@settings(max_examples=10, deadline=None)
@given(st.integers(0, 100_000), st.integers(1, 14))
def test_the_plan_is_worth_what_is_said_or_as_it_was(name: str, seed: int, count: int) -> None:
    check_change(change_of(name), seed, count)


@pytest.mark.parametrize(("name", "steps"), STEPS.items())
def test_batches_are_opened_and_closed(name: str, steps: set[int]) -> None:
    seen = set()
    for seed in range(30):
        instance = make_hetedge(14, seed)
        plan = planned(instance, seed)
        service = given_shares(instance, plan)
        found = sequence_of(service, plan)
        value_ms = walk(service, found, 0, np.inf)
        for draw in np.random.default_rng(seed).random((40, DRAWS)):
            before = int(found.batches[0])
            value_ms = change_of(name)(service, found, value_ms, np.inf, draw)
            seen.add(int(found.batches[0]) - before)
    assert seen == steps
