"""The score of a plan: uploads, the replayed pipeline, total latency and every limit."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from uara.base.errors import InputError
from uara.base.quantities import Floats
from uara.base.scores import Violation, all_finite, finite, mean_and_p95
from uara.hetedge.pipeline import Step, batches_of, replay
from uara.hetedge.plan import limit_violations, structural_violations
from uara.hetedge.uplink import upload_ms

if TYPE_CHECKING:
    from uara.hetedge.instance import HetEdge
    from uara.hetedge.plan import Plan


@dataclass(frozen=True, eq=False)
class Evaluation:
    """The score of a plan. Vectors have one entry per request, in the instance's order."""

    request_latency_ms: Floats
    """(K,) From time 0 until the last token: a batch's requests are answered together."""
    release_ms: Floats
    """(K,) When each prompt has arrived."""
    start_ms: Floats
    """(K,) When the pipeline begins with the request's batch."""
    request_energy_j: Floats
    """(K,) Transmission power times upload time."""
    steps: tuple[Step, ...]
    """The replay: every piece of work of both nodes."""
    violations: tuple[Violation, ...]

    @property
    def objective_ms(self) -> float:
        """Total serving latency: the sum over the requests."""
        return float(np.sum(self.request_latency_ms))

    @property
    def controllable_ms(self) -> float:
        """The same: every part of it depends on decisions."""
        return self.objective_ms

    @property
    def makespan_ms(self) -> float:
        """When the last request is complete."""
        return float(np.max(self.request_latency_ms))

    @property
    def feasible(self) -> bool:
        """Whether every limit holds, and the objective is finite."""
        return not self.violations

    @property
    def latency_ms(self) -> dict[str, float]:
        """Mean and 95th percentile over the requests."""
        return mean_and_p95(self.request_latency_ms)

    @property
    def energy_j(self) -> float:
        """Transmission energy of all requests."""
        return float(np.sum(self.request_energy_j))

    @property
    def terms_ms(self) -> dict[str, float]:
        """The objective's terms: upload, waiting for the pipeline, service."""
        return {
            "upload": float(np.sum(self.release_ms)),
            "waiting": float(np.sum(self.start_ms - self.release_ms)),
            "service": float(np.sum(self.request_latency_ms - self.start_ms)),
        }

    def busy_fraction(self, stage: str) -> float:
        """Part of the makespan for which a node ("draft" or "verify") works."""
        busy_ms = sum(step.end_ms - step.start_ms for step in self.steps if step.stage == stage)
        return busy_ms / self.makespan_ms

    def busy_fractions(self) -> dict[str, float]:
        """The same for both nodes."""
        return {stage: self.busy_fraction(stage) for stage in ("draft", "verify")}

    def to_plain(self) -> dict[str, Any]:
        """The score as plain data for JSON; infinite values become None."""
        return {
            "objective": finite(self.objective_ms),
            "makespan_ms": finite(self.makespan_ms),
            "terms_ms": all_finite(self.terms_ms) if self.steps else {},
            "latency_ms": all_finite(self.latency_ms),
            "energy_j": finite(self.energy_j),
            "busy_fraction": self.busy_fractions() if self.steps else {},
            "feasible": self.feasible,
            "violations": [each.to_plain() for each in self.violations],
        }


def evaluate(instance: HetEdge, plan: Plan) -> Evaluation:
    """Score a plan: upload every prompt, replay the pipeline event by event, check every limit.

    Raises
    ------
    InputError
        If the plan is for another number of requests.

    Notes
    -----
    A plan that breaks a limit is replayed too; one that cannot be replayed has infinite latency.
    """
    count = len(instance.requests)
    if len(plan.bandwidth) != count:
        raise InputError(
            f"is for {len(plan.bandwidth)} requests, but {instance.name} has {count}", source="plan"
        )
    structural = structural_violations(instance, plan)
    sending_ms = np.full(count, np.inf) if structural else upload_ms(instance, plan.bandwidth)
    for request in [] if structural else np.flatnonzero(~np.isfinite(sending_ms)):
        structural.append(Violation("finite upload", instance.requests.id[request], np.inf))
    if structural:
        nowhere = np.full(count, np.inf)
        return Evaluation(nowhere, nowhere, nowhere, nowhere, (), tuple(structural))
    release_ms = instance.ready_ms + sending_ms
    steps = replay(batches_of(instance, plan, release_ms), plan.groups())
    batches = len(plan.batch_size)
    first, last = np.full(batches, np.inf), np.zeros(batches)
    for step in steps:
        first[step.batch] = min(first[step.batch], step.start_ms)
        last[step.batch] = max(last[step.batch], step.end_ms)
    batch_of = np.empty(count, dtype=np.int64)
    batch_of[plan.order] = np.repeat(np.arange(batches), plan.batch_size)
    return Evaluation(
        request_latency_ms=last[batch_of],
        release_ms=release_ms,
        start_ms=first[batch_of],
        request_energy_j=instance.requests.tx_power_w * sending_ms / 1e3,
        steps=tuple(steps),
        violations=tuple(limit_violations(instance, plan)),
    )
