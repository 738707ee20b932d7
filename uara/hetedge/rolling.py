"""Rolling use: whenever the weak node is free, a solver plans what has arrived, and its first group is served.

A decision knows nothing of requests that are still to come. What was served is one plan of the whole instance, which is
scored like any other.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from uara.base.errors import InputError
from uara.base.quantities import Floats
from uara.hetedge.continuous import continuous_ms
from uara.hetedge.evaluation import evaluate
from uara.hetedge.instance import HetEdge
from uara.hetedge.pipeline import Batch, batches_of
from uara.hetedge.plan import Plan
from uara.hetedge.timeline import FIELDS, ROUNDS, alone, pair
from uara.solver import solve

COLUMNS = ("method", "request", "ready_ms", "complete_ms", "response_ms")
"""Of the table of a simulation."""
BASELINES: Mapping[str, tuple[str, Mapping[str, Any]]] = {
    "first come, first served": ("hetedge-rules", {"order": "given"}),
    "shortest first": ("hetedge-rules", {"order": "work"}),
}
"""Rules that every solver is set beside: full batches of what waits, length 4, in pairs."""
DRAFTED = 4
"""Length of the continuous batching that drafts."""


@dataclass(frozen=True, eq=False)
class Course:
    """How one method served the requests."""

    method: str
    ready_ms: Floats
    """(K,) When each request arrived."""
    complete_ms: Floats
    """(K,) When it was answered."""
    decisions: int = 0
    decision_s: float = 0.0
    """Processor time of all decisions."""
    plan: Plan | None = None
    """What was served, as a plan of the instance; None for what is no plan."""

    @property
    def response_ms(self) -> Floats:
        """(K,) From arrival to answer."""
        return np.asarray(self.complete_ms - self.ready_ms)

    def rows(self, names: tuple[str, ...]) -> list[list[Any]]:
        """One row a request (:data:`COLUMNS`)."""
        columns = self.ready_ms.tolist(), self.complete_ms.tolist(), self.response_ms.tolist()
        return [[self.method, *row] for row in zip(names, *columns, strict=True)]


def roll(
    instance: HetEdge,
    solver: str,
    *,
    options: Mapping[str, Any] | None = None,
    time_limit_s: float | None = None,
    seed: int = 0,
    method: str = "",
) -> Course:
    """Serve requests as they arrive, by a solver that plans those that wait.

    Parameters
    ----------
    time_limit_s
        For each decision. Decisions take no simulated time.

    Raises
    ------
    InputError
        If requests have still to upload something: band shares would have to be given before they arrive.
    """
    _check(instance)
    ready, served = instance.ready_ms, np.zeros(len(instance.requests), dtype=bool)
    by_arrival = np.argsort(ready, kind="stable")
    drafted, verified, decisions, began = 0.0, 0.0, 0, time.process_time()
    order: list[int] = []
    shape: list[tuple[int, int, bool]] = []
    while not served.all():
        open_ = by_arrival[~served[by_arrival]]
        now = max(drafted, float(ready[open_[0]]))
        queue = open_[ready[open_] <= now]
        arrived = instance.part(queue)
        waiting = arrived.replace(requests=arrived.requests.replace(ready_ms=None))
        how: dict[str, Any] = {"options": options, "time_limit_s": time_limit_s, "seed": seed}
        plan = solve(waiting, solver, **how).decision
        assert isinstance(plan, Plan)
        group = plan.groups()[0]
        members = [plan.members()[m] for m in group]
        rows = [_row(batch) for batch in batches_of(waiting, plan, np.zeros(len(queue)))[: len(group)]]
        if len(group) == 1:
            drafted, verified = alone(now, verified, now, rows[0])
        else:
            drafted, verified, *_ = pair(now, verified, now, now, rows[0], rows[1])
        for place, batch in enumerate(members):
            order.extend(queue[batch].tolist())
            shape.append((len(batch), int(plan.length[group[place]]), place == 1))
            served[queue[batch]] = True
        decisions += 1
    size, length, paired = zip(*shape, strict=True)
    share = np.full(len(ready), 1 / len(ready))
    whole = Plan(np.array(order), np.array(size), np.array(length), np.array(paired), share)
    spent = time.process_time() - began
    score = evaluate(instance, whole)
    return Course(method or solver, ready, score.request_latency_ms, decisions, spent, whole)


def baselines(instance: HetEdge) -> list[Course]:
    """First come, first served; shortest first; and continuous batching of every kind (:func:`engines`)."""
    _check(instance)
    courses = [
        roll(instance, solver, options=options, method=name) for name, (solver, options) in BASELINES.items()
    ]
    return courses + [
        Course(name, instance.ready_ms, continuous_ms(instance, **options))
        for name, options in engines(instance).items()
    ]


def engines(instance: HetEdge) -> dict[str, dict[str, Any]]:
    """Continuous batching by name: without drafts, with drafts in turns, and with two batches that alternate."""
    given, kinds = instance.parameters, {"continuous batching": {"length": 0}}
    if instance.draft_node is not None:
        length = min(max(DRAFTED, given.shortest_speculation), given.longest_speculation)
        name = f"continuous batching, length {length}"
        kinds |= {name: {"length": length}, f"{name}, alternating": {"length": length, "alternating": True}}
    return {
        name + (", shortest first" if shortest else ""): {**options, "shortest": shortest}
        for name, options in kinds.items()
        for shortest in (False, True)
    }


def _check(instance: HetEdge) -> None:
    if (instance.requests.upload_bits > 0).any():
        raise InputError(
            "must be 0 where requests arrive over time: ready_ms is when a prompt is there",
            path="$.requests.upload_bits",
        )


def _row(batch: Batch) -> Floats:
    times, row = batch.phases, np.zeros(len(FIELDS))
    row[: ROUNDS + 1] = (
        times.prefill + times.draft, times.draft, times.send, times.first_verify, times.verify, times.reply,
        batch.rounds,
    )  # fmt: skip
    return row
