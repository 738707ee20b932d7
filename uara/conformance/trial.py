"""The conformance trial of a solver on one instance: what happens inside the trial's own process."""

from __future__ import annotations

import copy
import dataclasses
import pickle
import random
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from uara.base.errors import InputError, SolverError, UaraError
from uara.base.scores import finite
from uara.bench.execution.child import freeze, prepare
from uara.isolation.line import Line
from uara.problem import Decision, Problem, parse_decision
from uara.solver import Answer, Result, solve


@dataclass(frozen=True)
class Trial:
    """Call a solver on an instance, and watch; the answer is a :class:`uara.bench.execution.messages.Findings`."""

    solver: str | Callable[..., Any]
    options: dict[str, Any] = field(default_factory=dict)
    time_limit_s: float = 10.0
    start: Decision | None = None
    """Start solution of the third call; the first call's answer where left out."""
    once: bool = False
    """Make the first call only, in which giving up is an outcome."""

    def run(self, line: Line) -> dict[str, Any]:
        """Make the calls; between them, disturb everything that a solver should not depend on."""
        seen = _Seen(prepare(self.solver))
        content = line.content()
        try:
            first, answer = self._attempt(content, seen, 1)
            if self.once:
                return {"attempts": [first]}
            start = answer if self.start is None else self.start
            again, warm = self._attempt(content, seen, 2), self._attempt(content, seen, 3, start)
            return {"attempts": [first, again[0], warm[0]]}
        except UaraError:
            if seen.given_up is None or not self.once:
                raise
            return {"attempts": [], "given_up": seen.given_up}

    def _attempt(
        self, content: bytes, seen: _Seen, noise: int, start: Decision | None = None
    ) -> tuple[dict[str, Any], Decision]:
        random.seed(noise)
        np.random.seed(noise)
        problem: Problem = pickle.loads(content)
        freeze(problem)
        before, given = fresh_digest(problem), copy.deepcopy(start)
        freeze(given)
        result = solve(
            problem,
            seen.solver(),
            options=self.options,
            seed=11,
            time_limit_s=self.time_limit_s,
            start=given,
        )
        attempt = {
            "decision": result.decision.to_plain(),
            "returned": seen.returned.to_plain(),
            "objective_ms": finite(result.evaluation.objective_ms),
            "bounds_ms": bounds_of(result),
            "runtime_s": result.runtime_s,
            "instance_changed": fresh_digest(problem) != before,
            "start_changed": start is not None and given is not None and given.to_plain() != start.to_plain(),
        }
        return attempt, parse_decision(problem, attempt["decision"])  # of a class that is not the solver's


class _Seen:
    """What a solver itself does in a call, before :func:`uara.solve` makes the best of it."""

    def __init__(self, function: Any) -> None:
        self.function = function
        self.returned: Any = None
        self.given_up: dict[str, Any] | None = None

    def solver(self) -> Any:
        """The solver, under its name and with its traits, listened to."""

        def listened(instance: Any, context: Any) -> Any:
            began = time.perf_counter()
            try:
                answer = self.function(instance, context)
            except (InputError, SolverError) as error:
                after_s = time.perf_counter() - began
                declined = isinstance(error, InputError)
                self.given_up = {"reason": str(error), "after_s": after_s, "declined": declined}
                raise
            self.returned = answer.decision if isinstance(answer, Answer) else answer
            return answer

        listened.__name__ = self.function.__name__
        listened.uara_traits = self.function.uara_traits  # type: ignore[attr-defined]
        return listened


def bounds_of(result: Result) -> list[float]:
    """Every lower bound of a run."""
    found = [point.bound_ms for point in result.trajectory]
    found += [bound for bound in (result.bound_ms, result.certified_bound_ms) if bound is not None]
    return sorted({float(bound) for bound in found if np.isfinite(bound)})


def fresh_digest(problem: Any) -> str:
    """Hash of an instance's data as they are now, not as they were when it was last asked."""
    return str(dataclasses.replace(problem).digest)
