"""A trial keeps apart what a solver returned and what ``solve`` made of it."""

from __future__ import annotations

import pickle
from typing import Any

import numpy as np
import pytest
from cases import make_instance, random_association

from uara import Allocation, Answer, Context, InputError, Instance, SolverError, allocate
from uara.bench.trial import Trial
from uara.conformance_watch import WatchedTrial
from uara.registry import as_solver

INSTANCE = make_instance(6, 3)


def silent(kind: str, content: Any) -> None: ...


def watched(solver: Any, **how: Any) -> Any:
    return WatchedTrial(Trial(pickle.dumps(INSTANCE), solver, **how)).run(silent)


def better_on_the_way(instance: Instance, context: Context[Any]) -> Answer:
    """Reports the best shares, and returns equal ones."""
    association = random_association(instance)
    context.incumbent(allocate(instance, association, "optimal"))
    return Answer(allocate(instance, association, "uniform"))


def declines(instance: Instance, context: Context[Any]) -> Allocation:
    raise InputError("too large", source=instance.name)


def gives_up(instance: Instance, context: Context[Any]) -> Allocation:
    raise SolverError("gives-up", "nothing")


def test_the_returned_answer_is_kept_beside_the_better_one() -> None:
    seen = watched(better_on_the_way)
    attempts = (seen.findings.first, seen.findings.again, seen.findings.warm)
    assert len(seen.returned) == 3
    for attempt, returned in zip(attempts, seen.returned, strict=True):
        assert attempt.objective_ms < INSTANCE.evaluate(returned).objective_ms


def test_the_solver_keeps_its_name_its_traits_and_one_preparation() -> None:
    heard, prepared = [], []

    @as_solver(prepare=lambda: prepared.append(1))
    def my_solver(instance: Instance, context: Context[Any]) -> Allocation:
        return allocate(instance, random_association(instance, context.rng.integers(100)))

    trial = Trial(pickle.dumps(INSTANCE), my_solver, once=True)
    seen = WatchedTrial(trial).run(lambda kind, content: heard.append(kind))
    assert prepared == [1]
    assert heard == ["prepared", "called", "returned"]
    direct = trial.run(silent).first.decision
    assert np.array_equal(seen.returned[0].association, direct.association)  # type: ignore[attr-defined]


@pytest.mark.parametrize(("solver", "declined"), [(declines, True), (gives_up, False)])
def test_giving_up_is_an_outcome_of_a_single_call_alone(solver: Any, declined: bool) -> None:
    seen = watched(solver, once=True)
    assert seen.findings is None
    assert seen.given_up.declined == declined
    assert seen.given_up.after_s >= 0
    with pytest.raises(InputError if declined else SolverError):
        watched(solver)


def test_a_crash_is_no_giving_up() -> None:
    def divides(instance: Instance, context: Context[Any]) -> Allocation:
        raise ZeroDivisionError

    with pytest.raises(SolverError, match="ZeroDivisionError"):
        watched(divides, once=True)
