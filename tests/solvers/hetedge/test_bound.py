from __future__ import annotations

import numpy as np
import pytest
from hetedge_cases import make_hetedge
from hypothesis import given, settings
from hypothesis import strategies as st
from uara.solvers.hetedge.bound import (
    _quantile_groups,
    alone_bound_ms,
    first_arrival_ms,
    kinds_of,
    loads_of,
)

from uara.hetedge.latency import rounds
from uara.hetedge.plan import Plan
from uara.problem import evaluate


def random_plan(instance: object, seed: int, longest: int) -> Plan:
    rng = np.random.default_rng(seed)
    count, sizes = len(instance.requests), []  # type: ignore[attr-defined]
    while sum(sizes) < count:
        sizes.append(int(min(rng.integers(1, 4), count - sum(sizes))))
    paired = [False]
    for _ in sizes[1:]:
        paired.append(bool(not paired[-1] and rng.random() < 0.7))
    return Plan(
        rng.permutation(count), np.array(sizes), rng.integers(0, longest + 1, len(sizes)), np.array(paired),
        rng.dirichlet(np.ones(count)),
    )  # fmt: skip


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 10_000), st.integers(0, 10_000), st.tuples(*[st.floats(0.01, 1)] * 3))
def test_every_plan_passes_through_every_combined_machine(
    seed: int, choice: int, parts: tuple[float, float, float]
) -> None:
    """Completions of a replayed plan are at least the combined loads before them, for any weights."""
    instance = make_hetedge(8, seed)
    plan = random_plan(instance, choice, 3)
    score = evaluate(instance, plan)
    lengths = np.arange(4)
    kinds = kinds_of(instance, 3, 2, lengths)
    loads = loads_of(instance, kinds, lengths)
    weights = tuple(part / sum(parts) for part in parts)
    combined = loads.combined(weights)  # type: ignore[arg-type]
    members = plan.members()
    if max(map(len, members)) > combined.shape[2] or score.violations:
        return
    ends = np.array([score.request_latency_ms[batch[0]] for batch in members])
    load = np.array([
        combined[kinds.request_class[batch].max(), kinds.request_level[batch].max(), len(batch) - 1]
        for batch in members
    ])  # fmt: skip
    order = np.argsort(ends)
    assert (ends[order] >= first_arrival_ms(instance) + np.cumsum(load[order]) - 1e-6).all()
    assert alone_bound_ms(instance) <= score.objective_ms * (1 + 1e-9)


def test_groups_are_of_equal_size_and_increasing() -> None:
    rng = np.random.default_rng(0)
    value = rng.random(100)
    group = _quantile_groups(value, 4)
    assert np.bincount(group).tolist() == [25, 25, 25, 25]
    assert (np.diff(group[np.argsort(value)]) >= 0).all()
    assert _quantile_groups(np.array([3.0, 1.0, 3.0]), 5).tolist() == [1, 0, 1]


@given(st.integers(0, 10_000))
def test_rounding_goes_down(seed: int) -> None:
    instance = make_hetedge(9, seed)
    lengths = np.arange(4)
    kinds = kinds_of(instance, 4, 3, lengths)
    requests = instance.requests
    for k in range(9):
        own = rounds(requests.output_tokens[k], requests.acceptance_rate[k], lengths)
        assert (kinds.rounds[kinds.request_class[k]] <= own).all()
        assert kinds.prompt_tokens[kinds.request_level[k]] <= requests.prompt_tokens[k]
        assert kinds.output_tokens[kinds.request_class[k]] <= requests.output_tokens[k]
    assert (np.diff(kinds.rounds, axis=0) >= 0).all()


def test_loads_of_a_lonely_request_are_its_phases() -> None:
    instance = make_hetedge(1, 4)
    lengths = np.array([2])
    loads = loads_of(instance, kinds_of(instance, 1, 1, lengths), lengths)
    plan = Plan(np.arange(1), np.ones(1, int), np.array([2]), np.array([False]), np.ones(1))
    steps = evaluate(instance, plan).steps
    for stage, load in (("draft", loads.draft_ms), ("verify", loads.verify_ms)):
        busy = sum(step.end_ms - step.start_ms for step in steps if step.stage == stage)
        assert load[0, 0, 0, 0] == pytest.approx(busy)
    drafts = [step for step in steps if step.stage == "draft"]
    assert 2 * loads.place_ms[0, 0, 0, 0] == pytest.approx(drafts[-1].end_ms - drafts[0].start_ms)
