"""Scoring what a run says, in a process where its solver has never been."""

from __future__ import annotations

import json
import math
import pickle
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import pydantic_core

from uara.base.errors import InputError, UaraError
from uara.base.scores import finite
from uara.bench.execution.child import HOME
from uara.bench.execution.messages import Bound, RawAnswer, Report
from uara.isolation.line import Line
from uara.isolation.supervise import Allowance, Assignment, supervise
from uara.problem import Problem, Score, evaluate, kind_of, lower_bound, parse_certificate, parse_decision
from uara.solver import OPTIMAL_GAP, gap_of

AGREEMENT = 1e-6
"""Largest difference, relative to the controllable part, between numbers that ought to be equal."""
MOST_POINTS = 500
"""Points of a trajectory that are kept."""
MOST_JSON = 1_000_000
"""Decisions and certificates that are longer as JSON are not kept."""
LONG_PROOF = 20_000
"""A certificate that is longer as JSON is verified in a process of its own, with a limit: a tree takes its time."""

Point = tuple[float, float, float, float, float]
"""elapsed_s, objective_ms, controllable_ms, bound_ms, gap."""


@dataclass(frozen=True)
class Proof:
    """The verification of a certificate, as work for a process of its own."""

    certificate: dict[str, Any]

    def run(self, line: Line) -> dict[str, Any]:
        """Re-compute its bound."""
        return {"bound_ms": proven(pickle.loads(line.content()), self.certificate)}


def proven(problem: Problem, certificate: dict[str, Any]) -> float | None:
    """The bound that a certificate proves, if it is one of this problem's: a solver's own kind proves nothing here."""
    try:
        parsed = parse_certificate(problem, certificate)
    except (UaraError, TypeError, ValueError, KeyError):
        return None
    return finite(lower_bound(problem, parsed))


class Referee:
    """Scores the trajectory and the answer of one run.

    Parameters
    ----------
    content
        The pickled instance.
    """

    def __init__(self, content: bytes, allowance: Allowance) -> None:
        self.content, self.allowance = content, allowance
        self.best: Score | None = None
        self._bound_ms = -math.inf
        self._kept: list[Point] = []
        self._last: Point | None = None
        self._count, self._stride = 0, 1

    @cached_property
    def problem(self) -> Problem:
        """The instance, as nobody has touched it."""
        problem: Problem = pickle.loads(self.content)
        return problem

    def hear(self, elapsed_s: float, report: Report) -> None:
        """Score what a run reports on its way.

        Raises
        ------
        InputError
            If it is no decision, breaks a constraint, or is no better than what was reported before.
        """
        if report.decision is not None:
            score = evaluate(self.problem, parse_decision(self.problem, report.decision))
            if not score.feasible or not math.isfinite(score.objective_ms):
                raise InputError(broken(score))
            if self.best is not None and score.objective_ms > self.best.objective_ms:
                raise InputError(
                    f"{score.objective_ms!r} ms is no improvement on {self.best.objective_ms!r} ms"
                )
            self.best = score
        if report.bound_ms is not None:
            self._bound_ms = max(self._bound_ms, report.bound_ms)
        objective_ms = self.best.objective_ms if self.best else math.inf
        controllable_ms = self.best.controllable_ms if self.best else math.inf
        gap = gap_of(self.best, self._bound_ms)
        self._keep((elapsed_s, objective_ms, controllable_ms, self._bound_ms, gap))

    def _keep(self, point: Point) -> None:
        """Keep every n-th point, n doubling as they become too many."""
        self._last = point
        if self._count % self._stride == 0:
            self._kept.append(point)
        self._count += 1
        if len(self._kept) > 10 * MOST_POINTS:
            self._kept, self._stride = self._kept[::2], 2 * self._stride

    @property
    def points(self) -> list[Point]:
        """The trajectory, thinned."""
        more = [self._last] if self._last is not None and self._last is not self._kept[-1] else []
        return thinned(self._kept + more)

    def scored(self, answer: RawAnswer) -> dict[str, Any]:
        """Columns of an answer's row; whatever it raises means that the answer cannot be scored."""
        problem = self.problem
        decision = parse_decision(problem, answer.decision)
        score = evaluate(problem, decision)
        certified = self._certified(answer)
        bounds = [finite(self._bound_ms), answer.claimed_bound_ms, certified]
        bound = max((each for each in bounds if each is not None), default=None)
        status, reason = self._verdict(score, answer, bound)
        gap = gap_of(score, bound) if bound is not None else None
        row: dict[str, Any] = {
            "status": status,
            "reason": reason,
            "ended": answer.ended,
            "objective_ms": finite(score.objective_ms),
            "controllable_ms": finite(score.controllable_ms),
            "latency_mean_ms": finite(score.latency_ms["mean"]),
            "latency_p95_ms": finite(score.latency_ms["p95"]),
            "energy_j": finite(score.energy_j),
            "bound_ms": bound,
            "certified_bound_ms": certified,
            "gap": finite(gap),
            "proven": None
            if status != "ok"
            else "optimal"
            if gap is not None and gap <= OPTIMAL_GAP
            else "feasible",
            "details": answer.details,
            "decision": _moderate(decision.to_plain()),
            "certificate": _moderate(answer.certificate) if certified is not None else None,
        }
        if status == "ok":
            measures = kind_of(problem.kind).measures(problem, decision, score)
            row |= {f"measure_{name}": finite(value) for name, value in measures.items()}
        return row

    def _certified(self, answer: RawAnswer) -> float | None:
        """The bound that the certificate proves."""
        if answer.certificate is None:
            return None
        if len(pydantic_core.to_json(answer.certificate)) <= LONG_PROOF:
            return proven(self.problem, answer.certificate)
        limits = Allowance(self.allowance.setup_limit_s, self.allowance.memory_limit_mb, grace_s=0.0)
        asked = Assignment(HOME, pickle.dumps(Proof(answer.certificate)), Bound, self.content)
        outcome = supervise(asked, limits)
        if not isinstance(outcome.answer, Bound):
            raise UaraError(f"verifying its certificate: {outcome.reason}")
        return outcome.answer.bound_ms

    def _verdict(self, score: Score, answer: RawAnswer, bound: float | None) -> tuple[str, str]:
        """Status of a run that answered, and why."""
        if not score.feasible:
            return "infeasible", broken(score)
        slack, found, own = (
            AGREEMENT * abs(score.controllable_ms),
            score.objective_ms,
            answer.own_objective_ms,
        )
        if not math.isfinite(found):
            return "error", broken(score)
        if own is None or not abs(own - found) <= slack:
            return "error", (
                f"its answer scored {own!r} ms inside the run and {found!r} ms outside: it changed its instance"
            )
        if self.best is not None and found > self.best.objective_ms + slack:
            return "error", (
                f"its answer of {found!r} ms is worse than the {self.best.objective_ms!r} ms that it reported"
            )
        if bound is not None and bound > found + slack:
            return "error", f"its bound of {bound!r} ms is above its own objective of {found!r} ms"
        return "ok", ""


def broken(score: Score) -> str:
    """The first three constraints that a decision breaks."""
    names = [str(each) for each in getattr(score, "violations", ())] or ["its objective is not finite"]
    more = f"; and {len(names) - 3} more" if len(names) > 3 else ""
    return "; ".join(names[:3]) + more


def _moderate(plain: Any) -> str | None:
    """Plain data as JSON, unless it would swell the results: it has been scored and verified by now."""
    text = None if plain is None else json.dumps(plain)
    return text if text is None or len(text) <= MOST_JSON else None


def thinned(points: list[Point], most: int = MOST_POINTS) -> list[Point]:
    """At most so many points of a trajectory, first and last among them, evenly spread over its order."""
    if len(points) <= most:
        return points
    return [points[round(k * (len(points) - 1) / (most - 1))] for k in range(most)]
