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

from uara.bench.child import Send, freeze, plain, prepare
from uara.problem import Decision, Problem
from uara.solver import Result, solve


@dataclass(frozen=True)
class Attempt:
    """One call of the solver during a trial."""

    decision: Decision
    objective_ms: float
    bounds_ms: list[float]
    """Every lower bound that it reported, returned or certified."""
    runtime_s: float
    instance_changed: bool
    start_changed: bool = False


@dataclass(frozen=True)
class Findings:
    """What a trial saw: two calls with one seed, one with a start solution."""

    first: Attempt
    again: Attempt | None = None
    warm: Attempt | None = None


@dataclass(frozen=True)
class Trial:
    """Call a solver on an instance, and watch."""

    problem: bytes
    solver: str | Callable[..., Any]
    options: dict[str, Any] = field(default_factory=dict)
    time_limit_s: float = 10.0
    start: Decision | None = None
    """Start solution of the third call; the first call's answer where left out."""
    once: bool = False
    """Make the first call only."""

    def run(self, send: Send) -> Findings:
        """Make the calls; between them, disturb everything that a solver should not depend on."""
        began = time.perf_counter()
        solver = prepare(self.solver, send, began)
        first = self._attempt(solver, 1)
        if self.once:
            return Findings(first)
        start = first.decision if self.start is None else self.start
        return Findings(first, self._attempt(solver, 2), self._attempt(solver, 3, start))

    def _attempt(self, solver: Callable[..., Any], noise: int, start: Decision | None = None) -> Attempt:
        random.seed(noise)
        np.random.seed(noise)
        problem: Problem = pickle.loads(self.problem)
        freeze(problem)
        before, given = fresh_digest(problem), copy.deepcopy(start)
        freeze(given)
        result = solve(
            problem,
            solver,
            options=self.options,
            seed=11,
            time_limit_s=self.time_limit_s,
            start=given,
        )
        return Attempt(
            decision=problem.parse_decision(plain(result.decision)),  # of a class that is not the solver's
            objective_ms=float(result.evaluation.objective_ms),
            bounds_ms=bounds_of(result),
            runtime_s=result.runtime_s,
            instance_changed=fresh_digest(problem) != before,
            start_changed=start is not None and given is not None and given.to_plain() != start.to_plain(),
        )


def bounds_of(result: Result) -> list[float]:
    """Every lower bound of a run."""
    found = [point.bound_ms for point in result.trajectory]
    found += [bound for bound in (result.bound_ms, result.certified_bound_ms) if bound is not None]
    return sorted({float(bound) for bound in found if np.isfinite(bound)})


def fresh_digest(problem: Any) -> str:
    """Hash of an instance's data as they are now, not as they were when it was last asked."""
    return str(dataclasses.replace(problem).digest)
