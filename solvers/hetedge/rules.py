"""What the joint optimum is compared with: fixed rules for band, batches, lengths and pipeline, alone and together."""

from __future__ import annotations

from typing import Annotated, Any, Literal

import numpy as np
from pydantic import Field

from uara.base.files import Record
from uara.base.quantities import Indices
from uara.hetedge.instance import HetEdge, machines
from uara.hetedge.latency import cache_bytes
from uara.hetedge.plan import Plan
from uara.registry import as_solver
from uara.solver import Context

from .alternate import Band
from .dp import compile_search, served
from .search import Choices, Order, ordered

Batching = Literal["max", "none", "optimal"]


class ServingOptions(Record):
    """What autoregressive serving still decides."""

    bandwidth: Band = "uniform"
    """Sharing rule of the uplink."""
    batching: Batching = "max"
    """Batches filled to the limits, one request each, or the best ones."""
    order: Order = "given"
    """Order of service: as given, or shortest upload, prompt, output or service first."""


class RuleOptions(ServingOptions):
    """A rule for each part of the decision; what is ``optimal`` is left to the dynamic programme."""

    length: Annotated[int, Field(ge=0, le=64)] | Literal["optimal"] = 4
    """Speculation length of every batch; 0 is autoregressive."""
    pipeline: bool = True
    """Whether two batches may alternate on the two nodes."""


@as_solver(kind="hetedge", options=RuleOptions, prepare=compile_search)
def hetedge_rules(instance: HetEdge, context: Context[RuleOptions]) -> Plan:
    """Fixed rules for band, batches, length and pipeline (uniform, full batches, length 4 by default)."""
    options = context.options
    lengths = Choices.everything(instance).lengths if options.length == "optimal" else (options.length,)
    return _serve(instance, context, lengths, options.pipeline)


@as_solver(kind="hetedge", options=ServingOptions, prepare=compile_search)
def hetedge_autoregressive(instance: HetEdge, context: Context[ServingOptions]) -> Plan:
    """One token a pass on the strong node, without drafts: what speculative serving must beat."""
    return _serve(instance, context, (0,), pipeline=False)


def _serve(instance: HetEdge, context: Context[Any], lengths: tuple[int, ...], pipeline: bool) -> Plan:
    options = context.options
    order = ordered(instance, options.order)
    smallest, largest = batch_sizes(instance, order, options.batching, lengths[0])
    choices = Choices(lengths, smallest, largest, pipeline)
    return served(instance, context, choices, [options.order], options.bandwidth, 8)[1][0]


def batch_sizes(
    instance: HetEdge, order: Indices, batching: Batching, length: int
) -> tuple[Indices, Indices]:
    """(K,), (K,) Least and largest size of a batch that starts at each position of the order."""
    count = len(order)
    one = np.ones(count, dtype=np.int64)
    limit = np.full(count, instance.parameters.largest_batch)
    if batching == "none":
        return one, one
    if batching == "optimal":
        return one, limit
    full = np.array([_filled(instance, order[start:], length) for start in range(count)])
    return full, full


def _filled(instance: HetEdge, waiting: Indices, length: int) -> int:
    """How many of the waiting requests fill a batch: up to the batch limit and the memory of both nodes."""
    widest = min(instance.parameters.largest_batch, len(waiting))
    prompt = np.maximum.accumulate(instance.requests.prompt_tokens[waiting[:widest]])
    output = np.maximum.accumulate(instance.requests.output_tokens[waiting[:widest]])
    fits = np.ones(widest, dtype=bool)
    for node, machine in machines(instance).items():
        if node == "verify" or length > 0:
            need = cache_bytes(machine, np.arange(1, widest + 1), prompt, output, length)
            fits &= need <= machine.cache_room_bytes
    return int(fits.argmin()) if not fits.all() else widest
