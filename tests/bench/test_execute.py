from __future__ import annotations

import pickle
from typing import Any

import numpy as np
import pytest

from uara import Allocation, Certificate, allocate
from uara.bench import execute as module
from uara.bench.child import RawAnswer, plain
from uara.bench.execute import thinned
from uara.bench.supervise import Outcome

from ..cases import make_instance


def answer(**changes: Any) -> tuple[Any, RawAnswer]:
    instance = make_instance(8, 3)
    first = instance.channel.pair_server[instance.channel.pair_start[:-1]]
    decision = allocate(instance, first)
    facts: dict[str, Any] = {
        "decision": decision,
        "certificate": None,
        "claimed_bound_ms": None,
        "ended": "completed",
        "runtime_s": 1.0,
        "own_objective_ms": instance.evaluate(decision).objective_ms,
        "details": {},
    }
    facts |= changes
    facts |= {name: plain(facts[name]) for name in ("decision", "certificate") if facts[name] is not None}
    return instance, RawAnswer(**facts)


def test_an_honest_answer_is_scored_outside() -> None:
    instance, raw = answer()
    row = module._scored(instance, raw)
    score = instance.evaluate(instance.parse_decision(raw.decision))
    assert row["status"] == "ok"
    assert row["objective_ms"] == score.objective_ms
    assert row["measure_optimal_shares_ms"] == pytest.approx(score.objective_ms, rel=1e-9)
    assert row["gap"] is None


def test_a_bound_is_recomputed_from_its_certificate() -> None:
    prices = Certificate(np.full(3, 1e-6), np.full(3, 0.1))
    instance, raw = answer(certificate=prices)
    row = module._scored(instance, raw)
    assert row["certified_bound_ms"] == instance.lower_bound(prices)
    assert row["bound_ms"] == row["certified_bound_ms"]
    assert row["gap"] > 0


def test_lies_are_errors() -> None:
    instance, raw = answer()
    for changes, reason in [
        ({"own_objective_ms": raw.own_objective_ms - 1.0}, "changed its instance"),
        ({"own_objective_ms": float("nan")}, "changed its instance"),
        ({"claimed_bound_ms": raw.own_objective_ms + 1.0}, "above its own objective"),
    ]:
        row = module._scored(instance, answer(**changes)[1])
        assert row["status"] == "error"
        assert reason in row["reason"]
        assert "measure_optimal_shares_ms" not in row


def test_an_infeasible_answer_says_what_it_breaks() -> None:
    instance, raw = answer()
    ones = np.ones(8)
    first = instance.parse_decision(raw.decision).association
    row = module._scored(instance, answer(decision=Allocation(first, ones, ones))[1])
    assert row["status"] == "infeasible"
    assert "bandwidth budget" in row["reason"]


def test_a_trajectory_is_thinned_to_its_ends() -> None:
    points: Any = [(float(k), 0.0, 0.0, 0.0, 0.0) for k in range(10_001)]
    kept = thinned(points, 11)
    assert [point[0] for point in kept] == [1000.0 * k for k in range(11)]
    assert thinned(points[:5], 11) == points[:5]


def test_tasks_can_be_sent() -> None:
    import cloudpickle

    task = module.Task("id", b"x", lambda instance, context: None, {}, 0, module.Allowance(1.0, 1.0))
    assert pickle.loads(cloudpickle.dumps(task)).run_id == "id"


@pytest.mark.parametrize(
    ("status", "ran_s", "expected"),
    [
        ("error", None, "error"),
        ("error", 0.2, "error"),
        ("error", 1.0, "timeout"),
        ("error", 1.4, "timeout"),
        ("memory", 1.4, "memory"),
        ("ok", 1.4, "ok"),
    ],
)
def test_a_failure_when_the_time_is_over_is_a_timeout(
    status: str, ran_s: float | None, expected: str
) -> None:
    outcome = Outcome(status, "without an answer", ran_s=ran_s, wall_s=9.0, setup_s=1.0)
    ending = module._ending(module.Allowance(1.0, 100.0), outcome)
    assert ending["status"] == expected
    assert ending["reason"].endswith("without an answer")


def test_an_answer_after_the_limit_does_not_count() -> None:
    limit = module.Allowance(10.0, 100.0)
    barely = module._scored(*answer(runtime_s=11.05))
    assert module._in_time(limit, barely) == barely
    late = module._in_time(limit, module._scored(*answer(runtime_s=12.5)))
    assert late["status"] == "timeout"
    assert late["reason"].startswith(
        "answered 2.50 s after the 10 s that it was given, with an objective of "
    )
    assert f"{barely['objective_ms']:.6f} ms" in late["reason"]
    assert "objective_ms" not in late
    assert late["runtime_s"] == 12.5


def test_a_wrong_answer_after_the_limit_stays_wrong() -> None:
    _, raw = answer()
    scored = module._scored(*answer(runtime_s=12.5, claimed_bound_ms=raw.own_objective_ms + 1.0))
    assert module._in_time(module.Allowance(10.0, 100.0), scored)["status"] == "error"


class Boast:
    """A certificate of a solver's own kind, which proves whatever it likes."""

    def to_plain(self) -> dict[str, Any]:
        return {"kind": "boast"}

    def prove(self, instance: Any) -> float:
        return 1e9


class Shrunk(Allocation):
    """A decision that looks better than it is to whoever asks it nicely."""

    @property
    def objective_ms(self) -> float:
        return 0.0


def test_what_a_solver_made_itself_proves_nothing() -> None:
    instance, raw = answer(certificate=Boast())
    row = module._scored(instance, raw)
    assert row["status"] == "ok"
    assert row["certified_bound_ms"] is None
    assert row["bound_ms"] is None


def test_only_the_data_of_a_decision_count() -> None:
    instance, raw = answer()
    honest = instance.parse_decision(raw.decision)
    parts = (honest.association, honest.bandwidth, honest.compute)
    _, shrunk = answer(decision=Shrunk(*parts))
    assert module._scored(instance, shrunk)["objective_ms"] == module._scored(instance, raw)["objective_ms"]


def test_what_is_not_finite_scores_nothing() -> None:
    overflow = Certificate(np.full(3, 1e308), np.full(3, 1e308))
    row = module._scored(*answer(certificate=overflow, claimed_bound_ms=float("inf")))
    assert (row["status"], row["bound_ms"], row["certified_bound_ms"]) == ("ok", None, None)
    instance, raw = answer()
    first = instance.parse_decision(raw.decision)
    vanishing = Allocation(first.association, np.full(8, 1e-160), first.compute)
    row = module._scored(*answer(decision=vanishing, own_objective_ms=float("inf"), claimed_bound_ms=1.0))
    assert (row["status"], row["objective_ms"], row["proven"]) == ("infeasible", None, None)
    assert "finite objective" in row["reason"]
