from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hetedge_cases import make_hetedge

from uara.base.errors import InputError
from uara.hetedge.instance import lonely_misfits
from uara.hetedge.plan import Plan, limit_violations, structural_violations
from uara.problem import evaluate


def plan(**changes: Any) -> Plan:
    parts: dict[str, Any] = {
        "order": np.array([2, 0, 3, 1]),
        "batch_size": np.array([1, 2, 1]),
        "length": np.array([1, 2, 3]),
        "paired": np.array([False, True, False]),
        "bandwidth": np.full(4, 0.25),
        **changes,
    }
    return Plan(**parts)


def test_batches_are_cut_from_the_order() -> None:
    assert [batch.tolist() for batch in plan().members()] == [[2], [0, 3], [1]]
    assert plan().groups() == [(0, 1), (2,)]
    assert plan(paired=np.array([False, False, True])).groups() == [(0,), (1, 2)]


def test_plain_data_brings_the_plan_back() -> None:
    again = Plan.from_plain(plan().to_plain())
    for name in ("order", "batch_size", "length", "paired", "bandwidth"):
        assert np.array_equal(getattr(again, name), getattr(plan(), name))


@pytest.mark.parametrize(
    ("key", "value"), [("order", [0.5]), ("length", "x"), ("paired", [1]), ("bandwidth", [None])]
)
def test_malformed_data_is_refused(key: str, value: object) -> None:
    with pytest.raises(InputError) as error:
        Plan.from_plain({**plan().to_plain(), key: value})
    assert str(error.value.path).startswith(f"$.decision.{key}")


def test_lengths_must_agree() -> None:
    with pytest.raises(InputError, match="equally long"):
        plan(length=np.array([1, 2]))
    with pytest.raises(InputError, match="not a vector"):
        plan(order=np.array([0.5, 1.5]))


@pytest.mark.parametrize(
    ("changes", "constraint"),
    [
        ({"order": np.array([2, 2, 3, 1])}, "each request once"),
        ({"batch_size": np.array([1, 2, 2])}, "batches cut the order"),
        ({"batch_size": np.array([0, 3, 1])}, "batches cut the order"),
        ({"length": np.array([1, -1, 1])}, "speculation length at least 0"),
        ({"paired": np.array([True, False, False])}, "at most two batches alternate"),
        ({"paired": np.array([False, True, True])}, "at most two batches alternate"),
        ({"bandwidth": np.array([0.5, 0.5, 0.0, 0.1])}, "band share above 0"),
    ],
)
def test_what_cannot_be_replayed_is_named(changes: dict[str, Any], constraint: str) -> None:
    broken = structural_violations(make_hetedge(4, 0), plan(**changes))
    assert [item.constraint for item in broken] == [constraint]
    score = evaluate(make_hetedge(4, 0), plan(**changes))
    assert not score.feasible
    assert score.objective_ms == float("inf")


def test_band_batch_and_length_limits() -> None:
    instance = make_hetedge(4, 1, largest_batch=1, longest_speculation=2)
    roomy = instance.replace(
        target_node=instance.target_node.model_copy(update={"memory_bytes": 1e15}),
        draft_node=instance.draft_node.model_copy(update={"memory_bytes": 1e15}),  # type: ignore[union-attr]
    )
    broken = limit_violations(roomy, plan(bandwidth=np.full(4, 0.3)))
    assert [(item.constraint, item.where) for item in broken] == [
        ("band", "uplink"),
        ("batch size", "batch 1"),
        ("speculation length", "batch 2"),
    ]
    assert broken[0].amount == pytest.approx(0.2)
    assert (
        limit_violations(
            roomy, plan(batch_size=np.ones(4, int), length=np.zeros(4, int), paired=np.zeros(4, bool))
        )
        == []
    )


def test_a_pair_shares_the_memory() -> None:
    instance = make_hetedge(2, 4)
    tokens = instance.requests.prompt_tokens + instance.requests.output_tokens + 1
    each = tokens * instance.target_model.cache_bytes_per_token
    room = instance.target_model.weight_bytes + each.max() * 1.01
    tight = instance.replace(
        target_node=instance.target_node.model_copy(update={"memory_bytes": float(room)})
    )
    parts = {
        "order": np.arange(2),
        "batch_size": np.ones(2, int),
        "length": np.ones(2, int),
        "bandwidth": np.full(2, 0.5),
    }
    alone = Plan(**parts, paired=np.array([False, False]))
    both = Plan(**parts, paired=np.array([False, True]))
    assert evaluate(tight, alone).feasible
    broken = evaluate(tight, both).violations
    assert [item.constraint for item in broken] == ["memory of the verify node [byte]"]
    assert broken[0].amount == pytest.approx(each.sum() - each.max() * 1.01, rel=1e-6)


def test_autoregressive_batches_use_no_draft_memory() -> None:
    instance = make_hetedge(4, 2)
    assert instance.draft_node is not None
    full = instance.draft_node.model_copy(
        update={
            "memory_bytes": instance.draft_model.weight_bytes
            + 400 * instance.draft_model.cache_bytes_per_token
        }
    )
    instance = instance.replace(draft_node=full)
    one = Plan(np.arange(4), np.array([4]), np.array([0]), np.array([False]), np.full(4, 0.25))
    assert not [item for item in evaluate(instance, one).violations if "draft node" in item.constraint]


def test_nobody_is_lonely_in_a_valid_instance() -> None:
    for seed in range(20):
        assert len(lonely_misfits(make_hetedge(5, seed))) == 0
