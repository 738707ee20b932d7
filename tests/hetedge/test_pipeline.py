from __future__ import annotations

from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from hetedge_cases import make_hetedge
from hypothesis import given
from hypothesis import strategies as st
from truth import hetedge as truth

from uara.hetedge.latency import Phases
from uara.hetedge.pipeline import Batch, Step, batches_of, replay
from uara.hetedge.plan import Plan
from uara.problem import evaluate


def random_plan(instance: Any, seed: int, longest: int = 3) -> Plan:
    rng = np.random.default_rng(seed)
    count, sizes = len(instance.requests), []
    while sum(sizes) < count:
        sizes.append(int(min(rng.integers(1, 4), count - sum(sizes))))
    paired = [False]
    for _ in sizes[1:]:
        paired.append(bool(not paired[-1] and rng.random() < 0.6))
    return Plan(
        rng.permutation(count),
        np.array(sizes),
        rng.integers(0, longest + 1, len(sizes)),
        np.array(paired),
        rng.dirichlet(np.ones(count)),
    )


@given(st.integers(0, 10_000), st.integers(0, 10_000))
def test_the_replay_agrees_with_the_twin(seed: int, choice: int) -> None:
    instance = make_hetedge(9, seed)
    plan = random_plan(instance, choice)
    score = evaluate(instance, plan)
    members = [batch.tolist() for batch in plan.members()]
    groups = [
        [truth.batch_times(instance, members[m], int(plan.length[m])) for m in group]
        for group in plan.groups()
    ]
    releases = [[float(score.release_ms[members[m]].max()) for m in group] for group in plan.groups()]
    ends = truth.completions_ms(groups, releases)
    for batch, end in zip(members, ends, strict=True):
        assert score.request_latency_ms[batch] == pytest.approx(end, rel=1e-10)


@given(st.integers(0, 10_000), st.integers(0, 10_000))
def test_no_node_does_two_things_and_nothing_precedes_its_cause(seed: int, choice: int) -> None:
    instance = make_hetedge(8, seed)
    plan = random_plan(instance, choice)
    release = np.random.default_rng(choice).uniform(0, 500, 8)
    batches = batches_of(instance, plan, release)
    steps = replay(batches, plan.groups())
    for stage in ("draft", "verify"):
        own = sorted(
            (step for step in steps if step.stage == stage), key=lambda step: (step.start_ms, step.end_ms)
        )
        assert all(later.start_ms >= earlier.end_ms - 1e-9 for earlier, later in pairwise(own))
    at = {(step.stage, step.batch, step.round): step for step in steps}
    for index, batch in enumerate(batches):
        assert at["draft", index, 1].start_ms >= batch.release_ms
        for turn in range(1, batch.rounds + 1):
            drafted, verified = at["draft", index, turn], at["verify", index, turn]
            assert verified.start_ms >= drafted.end_ms + batch.phases.send - 1e-9
            if turn > 1:
                reply = at["verify", index, turn - 1].end_ms + batch.phases.reply
                assert drafted.start_ms >= reply - 1e-9
    assert len(steps) == 2 * sum(batch.rounds for batch in batches)


def batch(release: float, rounds: int, draft: float, verify: float) -> Batch:
    return Batch(release, rounds, Phases(0.0, draft, 0.0, verify, verify, 0.0))


def test_two_equal_batches_keep_both_nodes_busy() -> None:
    steps = replay([batch(0, 10, 2, 2), batch(0, 10, 2, 2)], [(0, 1)])
    assert max(step.end_ms for step in steps) == pytest.approx(2 + 20 * 2)
    alone = replay([batch(0, 10, 2, 2), batch(0, 10, 2, 2)], [(0,), (1,)])
    assert max(step.end_ms for step in alone) == pytest.approx(
        78
    )  # the second drafts once during the first one's last verification


def test_the_two_stage_recurrence_for_single_rounds() -> None:
    """start_v(m) = max(end_d(m), end_v(m - 1)), the recurrence of a two-machine flow shop."""
    rng = np.random.default_rng(5)
    draft, verify = rng.uniform(1, 5, 12), rng.uniform(1, 5, 12)
    steps = replay([batch(0, 1, d, v) for d, v in zip(draft, verify, strict=True)], [(m,) for m in range(12)])
    end_d = end_v = 0.0
    for m in range(12):
        end_d += draft[m]
        end_v = max(end_d, end_v) + verify[m]
    assert steps[-1].end_ms == pytest.approx(end_v)


def test_an_early_partner_waits_for_a_late_one() -> None:
    steps = replay([batch(0, 2, 1, 1), batch(10, 1, 1, 1)], [(0, 1)])
    second = next(step for step in steps if step[:3] == ("draft", 0, 2))
    assert second == Step("draft", 0, 2, 11.0, 12.0)


def test_the_next_group_drafts_while_the_last_one_is_verified() -> None:
    steps = replay([batch(0, 1, 1, 5), batch(0, 1, 1, 5)], [(0,), (1,)])
    at = {(step.stage, step.batch): step for step in steps}
    assert at["draft", 1].start_ms == 1.0
    assert at["verify", 1].start_ms == 6.0
