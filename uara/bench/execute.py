"""One run from beginning to end: supervise it, then score its answer and re-verify its bound outside it."""

from __future__ import annotations

import datetime
import json
import math
import os
import pickle
import threading
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from uara.bench import machine
from uara.bench.child import Job, RawAnswer
from uara.bench.kinds import kind_of
from uara.bench.p1 import load_kernels
from uara.bench.parcel import packed
from uara.bench.supervise import POLL_S, Allowance, Outcome, Point, supervise
from uara.errors import UaraError
from uara.problem import Problem, Score
from uara.solver import OPTIMAL_GAP, counts, gap_of

AGREEMENT = 1e-6
"""Largest difference, relative to the controllable part, between numbers that ought to be equal."""
MOST_POINTS = 500
"""Points of a trajectory that are kept."""
LATE_S = 0.1
"""An answer counts that comes so many seconds, which the scheduler may take, and a tenth of the limit after it."""
MOST_JSON = 1_000_000
"""Decisions and certificates that are longer as JSON are not kept."""


@dataclass(frozen=True)
class Task:
    """All that a worker needs for a run, ready to be sent to another machine."""

    run_id: str
    problem: bytes
    """The pickled instance."""
    solver: str | Callable[..., Any]
    options: dict[str, Any]
    seed: int
    allowance: Allowance

    def __getstate__(self) -> dict[str, Any]:
        solver = self.solver if isinstance(self.solver, str) else packed(self.solver, self.solver)
        return {**self.__dict__, "solver": solver}

    def __setstate__(self, state: dict[str, Any]) -> None:
        if isinstance(state["solver"], bytes):
            state = {**state, "solver": pickle.loads(state["solver"])}
        self.__dict__.update(state)


@dataclass(frozen=True)
class Record:
    """What is stored of a run: columns of its row, and the points of its trajectory."""

    run_id: str
    row: dict[str, Any]
    points: list[Point] = field(default_factory=list)


def execute(task: Task, *, parent: int | None = None) -> Record:
    """Do a run in a process of its own, and score its answer here, where the solver has never been."""
    warm_up()
    began, load = datetime.datetime.now(datetime.UTC), os.getloadavg()[0]
    job = Job(task.problem, task.solver, task.options, task.seed, task.allowance.time_limit_s)
    outcome = supervise(packed(job, task.solver), task.allowance, parent=parent)
    points = thinned(outcome.points)
    warm_up().join()
    facts = machine.describe()
    row: dict[str, Any] = {
        "started_at": began.isoformat(timespec="milliseconds"),
        "setup_s": outcome.setup_s,
        "wall_s": outcome.wall_s,
        "peak_memory_mb": outcome.peak_memory_mb,
        "threads_seen": outcome.threads_seen,
        "load_1min": load,
        **facts,
        "versions": {**facts["versions"], **machine.plugin_version(task.solver)},
    }
    scored: dict[str, Any] = {}
    if outcome.answer is not None:
        try:
            scored = _scored(pickle.loads(task.problem), outcome.answer)
            scored = _in_time(task.allowance, scored)
        except Exception as error:
            scored = {
                "status": "error",
                "reason": f"its answer cannot be scored: {type(error).__name__}: {error}",
            }
    row |= _ending(task.allowance, outcome) | scored
    if row["status"] != "ok":
        row["log"] = outcome.log
    return Record(task.run_id, row, points)


@cache
def warm_up() -> threading.Thread:
    """Load what scoring needs while the first run is on its way."""
    thread = threading.Thread(target=_load, daemon=True)
    thread.start()
    return thread


def _load() -> None:
    machine.describe()
    with suppress(Exception):  # whatever is missing here is asked for again where it is needed
        load_kernels()


def _ending(allowance: Allowance, outcome: Outcome) -> dict[str, Any]:
    """How a run ended; a solver that fails when its time is over, and has not answered, has run out of time."""
    status, reason, limit = outcome.status, outcome.reason, allowance.time_limit_s
    if status == "error" and outcome.ran_s is not None and outcome.ran_s >= max(0.9 * limit, limit - POLL_S):
        status, reason = "timeout", f"found no answer within its {limit:g} s: {reason}"
    return {"status": status, "reason": reason}


def _in_time(allowance: Allowance, scored: dict[str, Any]) -> dict[str, Any]:
    """What was scored, unless it came too late: then its score is a remark, and nothing that counts."""
    limit, took = allowance.time_limit_s, scored["runtime_s"]
    if scored["status"] != "ok" or took <= 1.1 * limit + LATE_S:
        return scored
    reason = (
        f"answered {took - limit:.2f} s after the {limit:g} s that it was given, "
        f"with an objective of {scored['objective_ms']:.6f} ms"
    )
    kept = {name: scored[name] for name in ("ended", "runtime_s", "details", "decision")}
    return {"status": "timeout", "reason": reason, **kept}


def _scored(problem: Problem, answer: RawAnswer) -> dict[str, Any]:
    decision = problem.parse_decision(answer.decision)
    score = problem.evaluate(decision)
    certified = _certified(problem, answer)
    stated = (finite_or_none(answer.claimed_bound_ms), certified)
    bound = max((each for each in stated if each is not None), default=None)
    status, reason = _verdict(score, answer, bound)
    gap = gap_of(score, bound) if bound is not None else None
    row: dict[str, Any] = {
        "status": status,
        "reason": reason,
        "ended": answer.ended,
        "runtime_s": answer.runtime_s,
        "objective_ms": finite_or_none(score.objective_ms),
        "controllable_ms": finite_or_none(score.controllable_ms),
        "latency_mean_ms": finite_or_none(score.latency_ms["mean"]),
        "latency_p95_ms": finite_or_none(score.latency_ms["p95"]),
        "energy_j": finite_or_none(score.energy_j),
        "bound_ms": bound,
        "certified_bound_ms": certified,
        "gap": finite_or_none(gap),
        "proven": None
        if status != "ok"
        else "optimal"
        if gap is not None and gap <= OPTIMAL_GAP
        else "feasible",
        "details": answer.details,
        "decision": _moderate(answer.decision),
        "certificate": _moderate(answer.certificate),
    }
    if status == "ok":
        measures = kind_of(problem.kind).measures(problem, decision, score)
        row |= {f"measure_{name}": finite_or_none(value) for name, value in measures.items()}
    return row


def _certified(problem: Problem, answer: RawAnswer) -> float | None:
    """The bound that a certificate proves, if it is one of this problem's: a solver's own kind proves nothing here."""
    if answer.certificate is None:
        return None
    try:
        certificate = problem.parse_certificate(answer.certificate)
    except (UaraError, TypeError, ValueError, KeyError):
        return None
    return finite_or_none(problem.lower_bound(certificate))


def _verdict(score: Score, answer: RawAnswer, bound: float | None) -> tuple[str, str]:
    """Status of a run that answered, and why."""
    if not counts(score):
        broken = [str(each) for each in getattr(score, "violations", ())] or ["its objective is not finite"]
        more = f"; and {len(broken) - 3} more" if len(broken) > 3 else ""
        return "infeasible", "; ".join(broken[:3]) + more
    slack = AGREEMENT * abs(score.controllable_ms)
    if not abs(answer.own_objective_ms - score.objective_ms) <= slack:
        return "error", (
            f"its answer scored {answer.own_objective_ms!r} ms inside the run and {score.objective_ms!r} ms "
            "outside: it changed its instance"
        )
    if bound is not None and bound > score.objective_ms + slack:
        return "error", f"its bound of {bound!r} ms is above its own objective of {score.objective_ms!r} ms"
    return "ok", ""


def _moderate(plain: Any) -> str | None:
    """Plain data as JSON, unless it would swell the results: it has been scored and verified by now."""
    text = None if plain is None else json.dumps(plain, default=str)
    return text if text is None or len(text) <= MOST_JSON else None


def finite_or_none(value: float | None) -> float | None:
    """The value where it is finite."""
    return float(value) if value is not None and math.isfinite(value) else None


def thinned(points: list[Point], most: int = MOST_POINTS) -> list[Point]:
    """At most so many points of a trajectory, first and last among them, evenly spread over its order."""
    if len(points) <= most:
        return points
    return [points[round(k * (len(points) - 1) / (most - 1))] for k in range(most)]
