from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hetedge_cases import make_hetedge
from uara.solvers.hetedge.rules import batch_sizes

import uara
from uara.hetedge.generate import generate
from uara.hetedge.plan import Plan
from uara.problem import evaluate


def plan_of(instance: Any, solver: str, **options: Any) -> Plan:
    result = uara.solve(instance, solver, options=options)
    assert result.evaluation.feasible
    assert isinstance(result.decision, Plan)
    return result.decision


@pytest.fixture(scope="module")
def instance() -> Any:
    return generate(requests=37, channel="path-loss", largest_batch=8)


def test_the_defaults_are_the_benchmark(instance: Any) -> None:
    plan = plan_of(instance, "hetedge-rules")
    assert plan.batch_size.tolist() == [8, 8, 8, 8, 5]
    assert set(plan.length.tolist()) == {4}
    assert plan.order.tolist() == list(range(37))
    assert plan.bandwidth == pytest.approx(np.full(37, 1 / 37))
    assert plan.paired.any()


def test_each_rule_is_obeyed(instance: Any) -> None:
    assert set(plan_of(instance, "hetedge-rules", batching="none").batch_size.tolist()) == {1}
    assert set(plan_of(instance, "hetedge-rules", length=7).length.tolist()) == {7}
    assert not plan_of(instance, "hetedge-rules", pipeline=False).paired.any()
    assert len(set(plan_of(instance, "hetedge-rules", length="optimal").length.tolist())) > 1
    prompt = instance.requests.prompt_tokens[plan_of(instance, "hetedge-rules", order="prompt").order]
    assert (np.diff(prompt) >= 0).all()
    shares = plan_of(instance, "hetedge-rules", bandwidth="min-max").bandwidth
    assert shares.std() > 0


def test_autoregressive_serving_drafts_nothing(instance: Any) -> None:
    plan = plan_of(instance, "hetedge-autoregressive")
    assert set(plan.length.tolist()) == {0}
    score = evaluate(instance, plan)
    assert score.busy_fraction("draft") == 0
    members = plan.members()[0]
    steps = [step for step in score.steps if step.batch == 0 and step.stage == "verify"]
    assert len(steps) == instance.requests.output_tokens[members].max()


@pytest.mark.parametrize(
    "change",
    [
        {"batching": "optimal"},
        {"length": "optimal"},
        {"bandwidth": "in-time"},
        {"batching": "optimal", "length": "optimal"},
    ],
)
def test_what_is_left_to_the_programme_is_never_worse(instance: Any, change: dict[str, Any]) -> None:
    base = uara.solve(instance, "hetedge-rules").evaluation.objective_ms
    assert uara.solve(instance, "hetedge-rules", options=change).evaluation.objective_ms <= base * (1 + 1e-9)


def test_the_joint_optimum_beats_all_rules(instance: Any) -> None:
    best = uara.solve(instance, "hetedge-dp").evaluation.objective_ms
    for order in ("given", "work", "prompt", "output", "airtime"):
        for length in (1, 4, 8):
            options = {"order": order, "length": length}
            assert uara.solve(instance, "hetedge-rules", options=options).evaluation.objective_ms > best
    for batching in ("max", "none", "optimal"):
        options = {"batching": batching, "order": "output", "bandwidth": "in-time"}
        assert uara.solve(instance, "hetedge-autoregressive", options=options).evaluation.objective_ms > best


def test_full_batches_respect_the_memory() -> None:
    instance = make_hetedge(8, 1, largest_batch=5)
    order = np.arange(8)
    smallest, largest = batch_sizes(instance, order, "max", 1)
    assert np.array_equal(smallest, largest)
    assert largest.max() <= 5
    per_token = instance.target_model.cache_bytes_per_token
    tokens = instance.requests.prompt_tokens.max() + instance.requests.output_tokens.max() + 1
    tight = instance.replace(
        target_node=instance.target_node.model_copy(
            update={"memory_bytes": instance.target_model.weight_bytes + 2.5 * tokens * per_token}
        )
    )
    sizes = batch_sizes(tight, order, "max", 1)[0]
    assert sizes.max() < largest.max() or largest.max() <= 2
    plan_of(tight, "hetedge-rules", length=1)


def test_a_length_beyond_the_limit_is_marked_infeasible() -> None:
    instance = generate(requests=4, channel="path-loss")
    result = uara.solve(instance, "hetedge-rules", options={"length": 20})
    assert result.status == "infeasible"
