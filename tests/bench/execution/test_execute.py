from __future__ import annotations

import pickle

import pytest

from uara.bench.execution import execute as module
from uara.isolation.supervise import Outcome


def test_tasks_can_be_sent() -> None:
    import cloudpickle

    task = module.RunTask("id", b"x", lambda instance, context: None, {}, 0, module.Allowance(1.0, 1.0))
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


SCORED = {"status": "ok", "objective_ms": 3.5, "ended": "completed", "details": {}, "decision": "{}"}


def test_an_answer_after_the_limit_does_not_count() -> None:
    limit = module.Allowance(10.0, 100.0)
    assert module.in_time(limit, Outcome("ok", ran_s=11.05), SCORED) == SCORED
    late = module.in_time(limit, Outcome("ok", ran_s=12.5), SCORED)
    assert late["status"] == "timeout"
    assert late["reason"] == (
        "answered 2.50 s after the 10 s that it was given, with an objective of 3.500000 ms"
    )
    assert "objective_ms" not in late


def test_a_wrong_answer_after_the_limit_stays_wrong() -> None:
    wrong = {**SCORED, "status": "error"}
    assert module.in_time(module.Allowance(10.0, 100.0), Outcome("ok", ran_s=12.5), wrong) == wrong
