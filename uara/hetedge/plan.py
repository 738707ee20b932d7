"""A decision of the batched system: order, batches, lengths, pairs and band shares, and what it may not do."""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np

from uara.base.columnar import (
    BoolColumn,
    ColumnarDecision,
    FloatColumn,
    IndexColumn,
    column,
    columnar,
    freeze_fields,
)
from uara.base.errors import InputError
from uara.base.files import Record
from uara.base.quantities import Index, Indices
from uara.base.scores import FEASIBILITY_TOLERANCE, Violation
from uara.hetedge.instance import HetEdge, machines
from uara.hetedge.latency import Machine, cache_bytes

_TYPES: dict[str, Any] = {
    "order": np.int64,
    "batch_size": np.int64,
    "length": np.int64,
    "paired": np.bool_,
    "bandwidth": np.float64,
}


class PlanRecord(Record):
    """A plan as plain data."""

    order: list[Index]
    """Indices of the requests in the order of service."""
    batch_size: list[Index]
    """Requests of each batch."""
    length: list[Index]
    """Tokens that each batch drafts in a round."""
    paired: list[bool]
    """Whether a batch shares the pipeline with the batch before it."""
    bandwidth: list[float]
    """Band share of each request, in the instance's order."""


@columnar
class Plan(ColumnarDecision):
    """A decision: which requests form which batch, in which order, and how they share the band.

    Parameters
    ----------
    order
        (K,) Indices of the requests in the order of service; batches are cut from it in turn.
    batch_size
        (M,) Requests of each batch.
    length
        (M,) Speculation length of each batch; 0 is autoregressive.
    paired
        (M,) Whether the batch alternates with the one before it: one is drafted while the other is verified.
        The first of a pair, and a batch that is served alone, hold False.
    bandwidth
        (K,) Share of the uplink band of each request, in the instance's order, in (0, 1].
    """

    record: ClassVar[type[Record]] = PlanRecord

    order: IndexColumn = column()
    batch_size: IndexColumn = column()
    length: IndexColumn = column()
    paired: BoolColumn = column()
    bandwidth: FloatColumn = column()

    def __post_init__(self) -> None:
        freeze_fields(self, _TYPES, source="plan")
        if not len(self.batch_size) == len(self.length) == len(self.paired) > 0:
            raise InputError("batch_size, length and paired must be equally long", source="plan")

    @property
    def batch_start(self) -> Indices:
        """(M + 1,) Batch m serves ``order[batch_start[m]:batch_start[m + 1]]``."""
        return np.concatenate([[0], np.cumsum(self.batch_size)])

    def members(self) -> list[Indices]:
        """The requests of each batch."""
        start = self.batch_start
        return [self.order[start[m] : start[m + 1]] for m in range(len(self.batch_size))]

    def groups(self) -> list[tuple[int, ...]]:
        """The batches that hold the pipeline together: pairs, and batches that are alone."""
        found: list[tuple[int, ...]] = []
        for batch, second in enumerate(self.paired):
            if second and found:
                found[-1] = (*found[-1], batch)
            else:
                found.append((batch,))
        return found


def structural_violations(instance: HetEdge, plan: Plan) -> list[Violation]:
    """What makes a plan impossible to replay: requests left out, served twice, or without band."""
    found: list[Violation] = []
    count = len(instance.requests)
    if len(plan.order) != count or not np.array_equal(np.sort(plan.order), np.arange(count)):
        found.append(Violation("each request once", "order", 1.0))
    sizes = plan.batch_size
    if (sizes < 1).any() or (sizes > count).any() or sizes.sum() != len(plan.order):
        found.append(Violation("batches cut the order", "batch_size", 1.0))
    if (plan.length < 0).any():
        found.append(Violation("speculation length at least 0", "length", float(-plan.length.min())))
    if plan.paired[0] or (plan.paired[1:] & plan.paired[:-1]).any():
        found.append(Violation("at most two batches alternate", "paired", 1.0))
    if len(plan.bandwidth) != count or not (plan.bandwidth > 0).all():
        found.append(Violation("band share above 0", "bandwidth", 1.0))
    return found


def limit_violations(instance: HetEdge, plan: Plan) -> list[Violation]:
    """Limits that a plan exceeds: band, batch size, speculation length, memory of both nodes."""
    given, found = instance.parameters, []
    excess = float(plan.bandwidth.sum()) - 1
    if excess > FEASIBILITY_TOLERANCE:
        found.append(Violation("band", "uplink", excess))
    for batch, (size, length) in enumerate(zip(plan.batch_size.tolist(), plan.length.tolist(), strict=True)):
        if size > given.largest_batch:
            found.append(Violation("batch size", f"batch {batch}", size - given.largest_batch))
        outside = max(length - given.longest_speculation, given.shortest_speculation - length)
        if length and outside > 0:
            found.append(Violation("speculation length", f"batch {batch}", outside))
    for node, machine in machines(instance).items():
        caches = batch_cache_bytes(instance, plan, machine)
        for group in plan.groups():
            over = sum(caches[batch] for batch in group) - machine.cache_room_bytes
            if over > FEASIBILITY_TOLERANCE * machine.weight_bytes:
                found.append(Violation(f"memory of the {node} node [byte]", f"batch {group[0]}", over))
    return found


def batch_cache_bytes(instance: HetEdge, plan: Plan, machine: Machine) -> list[float]:
    """(M,) Memory of each batch's caches on a node; an autoregressive batch has none on the draft node."""
    requests, sizes = instance.requests, []
    for members, length in zip(plan.members(), plan.length.tolist(), strict=True):
        prompt, output = requests.prompt_tokens[members].max(), requests.output_tokens[members].max()
        unused = length == 0 and machine is instance.system.draft
        sizes.append(0.0 if unused else float(cache_bytes(machine, len(members), prompt, output, length)))
    return sizes


def parse_decision(instance: HetEdge, plain: dict[str, Any]) -> Plan:
    """A plan for an instance from the plain data of a solution file."""
    plan = Plan.from_plain(plain)
    if len(plan.bandwidth) != len(instance.requests):
        raise InputError(
            f"{len(plan.bandwidth)} entries, but there are {len(instance.requests)} requests",
            path="$.decision.bandwidth",
        )
    return plan
