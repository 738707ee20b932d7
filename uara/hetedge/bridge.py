"""From P1 to the batched system: the devices that a server serves become requests, and are verified in batches.

P1 gives each device a share of its server's compute, as if verification passes could be split at will. A GPU reads
all weights in every pass, so passes are batched. The bridge takes an allocation's arrival times as they are
(drafts made and sent: max(D_i, d_i / R_i), then the server's queue) and schedules each server's verification work.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from uara.base.cells import Column, Table, number, words
from uara.base.errors import InputError
from uara.base.provenance import Provenance
from uara.base.quantities import Floats, Indices
from uara.hardware import GPUS
from uara.hetedge.catalogue import transformer_of
from uara.hetedge.instance import HetEdge, Requests
from uara.hetedge.latency import expected_tokens
from uara.hetedge.schema import Node, Parameters
from uara.p1.coefficients import coefficients
from uara.p1.decision import Allocation
from uara.p1.instance import Instance
from uara.p1.model import evaluate
from uara.psd.flops import Architecture
from uara.psd.profile import TaskProfile
from uara.solver import Result, solve

MEMORY = {each.model: (each.memory_byte_per_s or 0.0, each.memory_bytes or 0.0) for each in GPUS}
"""Memory bandwidth [byte/s] and size [byte] of servers by their hardware."""
OTHER_MEMORY = (900e9, 24e9)
"""Taken for servers whose hardware is not named."""
BATCH_LIMIT = 16


@dataclass(frozen=True)
class ServerSchedule:
    """One server's verification work: as P1 counts it, one request at a time, and in batches."""

    server: str
    devices: int
    p1_ms: float
    """Total latency of its devices by P1's own model (compute shares at peak speed)."""
    single: Result
    """Every request alone, in the best of two orders."""
    batched: Result
    """The chosen solver's batches."""

    def to_plain(self) -> dict[str, Any]:
        """Plain data for JSON."""
        return {
            "server": self.server,
            "devices": self.devices,
            "p1_latency_ms": self.p1_ms,
            "one_by_one_latency_ms": self.single.evaluation.objective_ms,
            "batched_latency_ms": self.batched.evaluation.objective_ms,
            "plan": self.batched.decision.to_plain(),
        }


def schedule(
    instance: Instance,
    allocation: Allocation,
    solver: str = "hetedge-dp",
    *,
    options: Mapping[str, Any] | None = None,
    seed: int = 0,
    time_limit_s: float | None = None,
) -> list[ServerSchedule]:
    """Schedule every server of an allocation as a batched system.

    Parameters
    ----------
    instance, allocation
        A P1 instance and a feasible allocation of it.
    solver, options
        A solver of the kind ``hetedge``.
    time_limit_s
        For each server.

    Raises
    ------
    InputError
        If the allocation is not feasible, or the instance's task profile is not known.
    """
    score = evaluate(instance, allocation)
    if not score.feasible:
        raise InputError("only a feasible allocation can be scheduled", source=instance.name)
    profile = task_profile(instance)
    rule: dict[str, Any] = {"batching": "none", "length": "optimal", "order": "work", "bandwidth": "uniform"}
    found = []
    for server in range(len(instance.servers)):
        served = np.flatnonzero(allocation.association == server)
        if not len(served):
            continue
        problem = server_instance(instance, allocation, server, profile)
        singles = [
            solve(problem, "hetedge-rules", options={**rule, "order": order}, seed=seed)
            for order in ("work", "airtime")
        ]
        batched = solve(problem, solver, options=options, seed=seed, time_limit_s=time_limit_s)
        single = min(singles, key=lambda result: result.evaluation.objective_ms)
        total_ms = float(score.device_latency_ms[served].sum())
        found.append(ServerSchedule(instance.servers.id[server], len(served), total_ms, single, batched))
    return found


def task_profile(instance: Instance) -> TaskProfile:
    """The task profile that an instance names.

    Raises
    ------
    InputError
        If it names none, or none that is known.
    """
    name = instance.provenance.task_profile
    if not name:
        raise InputError(
            "names no task profile, from which the bridge takes the models and draft length",
            source=instance.name,
            path="$.provenance.task_profile",
        )
    return TaskProfile.load(name)


def server_instance(instance: Instance, allocation: Allocation, server: int, profile: TaskProfile) -> HetEdge:
    """The verification work of one server as requests that bring their drafts along.

    A device's rounds are its operations f_i^ES over those of a verification pass; its prompt and acceptance rate
    are its task's means in the profile; it is ready when P1 says that its drafts have arrived and the queue is
    empty.
    """
    numbers, devices = coefficients(instance), instance.devices
    served = np.flatnonzero(allocation.association == server)
    pair = numbers.pairs_of(allocation.association)[served]
    uplink_ms = numbers.uplink_ms[pair] / allocation.bandwidth[served]
    ready_ms = np.maximum(numbers.local_ms[pair], uplink_ms) + numbers.wait_ms[pair]
    length = profile.decoding.gamma
    prompt, rate = _task_means(instance, served, profile)
    needed = _rounds(profile.target.architecture, devices.server_flop[served], prompt, length)
    output = np.maximum(np.floor(needed * expected_tokens(rate, length)), 1).astype(np.int64)
    one = np.ones(len(served))
    hardware = (instance.servers.model or ("",) * len(instance.servers))[server]
    bandwidth, memory = MEMORY.get(hardware, OTHER_MEMORY)
    return HetEdge(
        f"{instance.name}_{instance.servers.id[server]}",
        Requests(
            tuple(devices.id[i] for i in served),
            prompt,
            output,
            rate,
            0 * one,
            one,
            one,
            ready_ms=ready_ms,
            task=tuple(devices.task[i] for i in served) if devices.task else None,
        ),
        target_node=Node(
            model=hardware or "unnamed",
            compute_flop_per_s=float(instance.servers.compute_flop_per_s[server]),
            compute_efficiency=1.0,
            memory_bytes_per_s=bandwidth,
            memory_efficiency=1.0,
            memory_bytes=memory,
        ),
        target_model=transformer_of(profile.target.architecture),
        parameters=Parameters(
            bandwidth_hz=1.0,
            largest_batch=BATCH_LIMIT,
            shortest_speculation=length,
            longest_speculation=length,
        ),
        provenance=Provenance(settings={"server_of": instance.name}, task_profile=profile.name),
    )


def _task_means(instance: Instance, served: Indices, profile: TaskProfile) -> tuple[Indices, Floats]:
    """Mean prompt length and acceptance rate of each served device's task; of all tasks where it has none."""
    prompts, rates = [], []
    for device in served:
        task = instance.devices.task[device] if instance.devices.task else None
        records = [record for record in profile.records if record.task == task] or profile.records
        prompts.append(round(float(np.mean([record.prompt_tokens for record in records]))))
        rates.append(float(np.mean([np.mean(record.acceptance) for record in records])))
    return np.array(prompts, dtype=np.int64), np.minimum(rates, 0.999)


def _rounds(model: Architecture, server_flop: Floats, prompt: Indices, length: int) -> Floats:
    """Rounds whose passes add up to the given operations: the first with the prompt, the others after it."""
    first = np.array([model.pass_flop(int(tokens) + length, 0, length + 1) for tokens in prompt], dtype=float)
    later = np.array(
        [model.pass_flop(length + 1, int(tokens) + 64, length + 1) for tokens in prompt], dtype=float
    )
    return np.asarray(np.maximum(1 + np.rint((server_flop - first) / later), 1))


def table(schedules: list[ServerSchedule]) -> Table:
    """The servers' total latencies: by P1's model, one by one, and in batches."""
    heads = [
        Column("server", numeric=False),
        Column("devices", place=2),
        Column("P1's model ms", place=1),
        Column("one by one ms", place=1),
        Column("batched ms"),
        Column("batching saves %"),
        Column("batches", place=2),
    ]
    figures = [
        (item.server, item.devices, item.p1_ms, item.single.evaluation.objective_ms,
         item.batched.evaluation.objective_ms, len(item.batched.decision.to_plain()["batch_size"]))
        for item in schedules
    ]  # fmt: skip
    total = ("all", *(sum(column) for column in list(zip(*figures, strict=True))[1:])) if figures else None
    whole, rows = number(0), []
    for name, devices, p1, single, batched, batches in [*figures, total] if total else []:
        saved = 100 * (1 - batched / single)
        latencies = map(whole, (p1, single, batched))
        rows.append([words(name), whole(devices), *latencies, number(1)(saved), whole(batches)])
    return Table(heads, rows, "batched verification")
