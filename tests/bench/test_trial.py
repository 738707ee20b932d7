from __future__ import annotations

import pickle
from pathlib import Path
from typing import Any

import pytest

from uara import Allocation, Certificate, allocate, solve
from uara.bench.trial import Trial, bounds_of, fresh_digest

from ..cases import make_instance, random_association


def silent(kind: str, content: Any) -> None: ...


def test_three_calls_and_what_they_gave() -> None:
    instance = make_instance(6, 3)
    start = allocate(instance, random_association(instance))
    findings = Trial(pickle.dumps(instance), "tma", start=start).run(silent)
    assert findings.again is not None
    assert findings.warm is not None
    for attempt in (findings.first, findings.again, findings.warm):
        assert not attempt.instance_changed
        assert not attempt.start_changed
        assert attempt.objective_ms == instance.evaluate(attempt.decision).objective_ms
    assert findings.warm.objective_ms <= instance.evaluate(start).objective_ms
    assert findings.first.decision.to_plain() == findings.again.decision.to_plain()


def test_a_decision_of_the_solvers_own_class_becomes_one_of_the_toolkits(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("TOLD", str(tmp_path / "pids"))
    findings = Trial(pickle.dumps(make_instance(6, 3)), "bench_trials:tells", once=True).run(silent)
    assert type(findings.first.decision) is Allocation


def test_once_is_once() -> None:
    findings = Trial(pickle.dumps(make_instance(6, 3)), "random", once=True).run(silent)
    assert findings.again is None
    assert findings.warm is None


def test_a_digest_is_of_the_present_data() -> None:
    instance = pickle.loads(pickle.dumps(make_instance(4, 2)))
    before = instance.digest
    instance.devices.upload_bits[0] *= 2  # unpickled arrays can be written
    assert instance.digest == before, "the kept one does not know"
    assert fresh_digest(instance) != before


def test_every_bound_of_a_run_is_collected() -> None:
    import numpy as np

    from uara import Answer

    instance = make_instance(5, 2)

    def bounded(problem: Any, context: Any) -> Answer:
        context.bound(1.0)
        context.bound(2.0)
        decision = allocate(problem, random_association(problem))
        return Answer(decision, bound_ms=0.5, certificate=Certificate(np.zeros(2), np.zeros(2)))

    result = solve(instance, bounded)
    found = bounds_of(result)
    assert {1.0, 2.0, result.certified_bound_ms} <= set(found)
    assert found == sorted(found)


def test_a_failing_solver_fails_the_trial() -> None:
    from uara.errors import SolverError

    with pytest.raises(SolverError, match="by <b>nothing</b>"):
        Trial(pickle.dumps(make_instance(4, 2)), "bench_trials:raises").run(silent)
