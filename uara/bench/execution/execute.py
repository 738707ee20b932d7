"""One run from beginning to end: supervise it, then score its answer and re-verify its bound outside it."""

from __future__ import annotations

import datetime
import os
import pickle
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from uara.bench.execution import machine
from uara.bench.execution.child import HOME, Job
from uara.bench.execution.messages import RawAnswer, Report
from uara.bench.execution.parcel import packed
from uara.bench.execution.referee import Point, Referee
from uara.isolation.messages import tidy
from uara.isolation.supervise import POLL_S, Allowance, Assignment, Outcome, supervise
from uara.problem import warm_up_all

LATE_S = 0.1
"""An answer counts that comes so many seconds, which the scheduler may take, and a tenth of the limit after it."""


@dataclass(frozen=True)
class RunTask:
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
class StoredRun:
    """What is stored of a run: columns of its row, and the points of its trajectory."""

    run_id: str
    row: dict[str, Any]
    points: list[Point] = field(default_factory=list)


def execute(task: RunTask, *, parent: int | None = None) -> StoredRun:
    """Do a run in a process of its own, and score its answer here, where the solver has never been."""
    warm_up()
    began, load = datetime.datetime.now(datetime.UTC), os.getloadavg()[0]
    job = packed(Job(task.solver, task.options, task.seed, task.allowance.time_limit_s), task.solver)
    referee = Referee(task.problem, task.allowance)
    asked = Assignment(HOME, job, RawAnswer, task.problem, Report)
    outcome = supervise(asked, task.allowance, hear=referee.hear, parent=parent)
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
    if isinstance(outcome.answer, RawAnswer):
        row["runtime_s"] = outcome.ran_s
        try:
            scored = in_time(task.allowance, outcome, referee.scored(outcome.answer))
        except Exception as error:
            reason = f"its answer cannot be scored: {type(error).__name__}: {error}"
            scored = {"status": "error", "reason": reason}
    row |= _ending(task.allowance, outcome) | scored
    row["reason"] = tidy(row["reason"])
    if row["status"] != "ok":
        row["log"] = outcome.log
    return StoredRun(task.run_id, row, referee.points)


@cache
def warm_up() -> threading.Thread:
    """Load what scoring needs while the first run is on its way."""
    thread = threading.Thread(target=_load, daemon=True)
    thread.start()
    return thread


def _load() -> None:
    machine.describe()
    warm_up_all()


def _ending(allowance: Allowance, outcome: Outcome) -> dict[str, Any]:
    """How a run ended; a solver that fails when its time is over, and has not answered, has run out of time."""
    status, reason, limit = outcome.status, outcome.reason, allowance.time_limit_s
    late = outcome.ran_s is not None and outcome.ran_s >= max(0.9 * limit, limit - POLL_S)
    if status == "error" and late and not outcome.returned:
        status, reason = "timeout", f"found no answer within its {limit:g} s: {reason}"
    return {"status": status, "reason": reason}


def in_time(allowance: Allowance, outcome: Outcome, scored: dict[str, Any]) -> dict[str, Any]:
    """What was scored, unless it came too late: then its score is a remark, and nothing that counts."""
    limit, took = allowance.time_limit_s, outcome.ran_s or 0.0
    if scored["status"] != "ok" or took <= 1.1 * limit + LATE_S:
        return scored
    reason = (
        f"answered {took - limit:.2f} s after the {limit:g} s that it was given, "
        f"with an objective of {scored['objective_ms']:.6f} ms"
    )
    kept = {name: scored[name] for name in ("ended", "details", "decision")}
    return {"status": "timeout", "reason": reason, **kept}
