"""The pipeline, event by event: a discrete-event replay of a plan's batches on the two nodes.

The nodes serve their work in the plan's order. Two batches of a pair alternate round by round: while one is
verified the other is drafted. A batch's next draft waits for the reply to its last one, so no node ever works
on what it cannot know yet. A group of batches (a pair, or one alone) begins on the draft node when the group
before it has drafted for the last time, and on the verify node when that has verified for the last time.
"""

from __future__ import annotations

import heapq
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal, NamedTuple

import numpy as np

from uara.hetedge.latency import Phases, phases, rounds

if TYPE_CHECKING:
    from uara.hetedge.instance import HetEdge
    from uara.hetedge.plan import Plan

Stage = Literal["draft", "verify"]


class Batch(NamedTuple):
    """A batch as the pipeline sees it."""

    release_ms: float
    """When all its prompts have arrived."""
    rounds: int
    phases: Phases


class Step(NamedTuple):
    """A piece of work of a node."""

    stage: Stage
    batch: int
    round: int
    start_ms: float
    end_ms: float


@dataclass
class _Node:
    """A node with the work that it will do, in order."""

    stage: Stage
    queue: list[tuple[int, int]] = field(default_factory=list)
    next: int = 0
    busy: bool = False


def batches_of(instance: HetEdge, plan: Plan, release_ms: Sequence[float] | np.ndarray) -> list[Batch]:
    """The plan's batches: padded to their longest request, and as many rounds as their slowest needs.

    Parameters
    ----------
    release_ms
        (K,) When each request's prompt has arrived.
    """
    requests, found = instance.requests, []
    arrival = np.asarray(release_ms)
    for members, length in zip(plan.members(), plan.length.tolist(), strict=True):
        output = requests.output_tokens[members]
        times = phases(
            instance.system,
            len(members),
            int(requests.prompt_tokens[members].max()),
            int(output.max()),
            length,
        )
        count = int(np.max(rounds(output, requests.acceptance_rate[members], length)))
        found.append(Batch(float(arrival[members].max()), count, Phases(*map(float, times))))
    return found


def replay(batches: Sequence[Batch], groups: Sequence[tuple[int, ...]]) -> list[Step]:
    """Play the batches through the pipeline; every piece of work of both nodes, in order of its end."""
    nodes = {stage: _Node(stage, _work(batches, groups)) for stage in ("draft", "verify")}
    arrived: set[tuple[str, int, int]] = set()
    steps: list[Step] = []
    events: list[tuple[float, int, str, int, int]] = []

    def post(time_ms: float, kind: str, batch: int, round_: int) -> None:
        heapq.heappush(events, (time_ms, len(steps) + len(events), kind, batch, round_))

    def start_next(node: _Node, now_ms: float) -> None:
        if node.busy or node.next == len(node.queue):
            return
        batch, round_ = node.queue[node.next]
        if (node.stage, batch, round_) not in arrived:
            return
        node.busy, node.next = True, node.next + 1
        end_ms = now_ms + _duration_ms(batches[batch].phases, node.stage, round_)
        steps.append(Step(node.stage, batch, round_, now_ms, end_ms))
        post(end_ms, f"{node.stage} done", batch, round_)

    for index, batch in enumerate(batches):
        post(batch.release_ms, "draft", index, 1)
    while events:
        now_ms, _, kind, index, round_ = heapq.heappop(events)
        times = batches[index].phases
        if kind == "draft done":
            nodes["draft"].busy = False
            post(now_ms + times.send, "verify", index, round_)
        elif kind == "verify done":
            nodes["verify"].busy = False
            if round_ < batches[index].rounds:
                post(now_ms + times.reply, "draft", index, round_ + 1)
        else:
            arrived.add((kind, index, round_))
        for node in nodes.values():
            start_next(node, now_ms)
    return sorted(steps, key=lambda step: (step.end_ms, step.start_ms, step.stage))


def _work(batches: Sequence[Batch], groups: Sequence[tuple[int, ...]]) -> list[tuple[int, int]]:
    """What a node does, in order: group by group, and in a group round by round."""
    return [
        (batch, round_)
        for group in groups
        for round_ in range(1, max(batches[batch].rounds for batch in group) + 1)
        for batch in group
        if round_ <= batches[batch].rounds
    ]


def _duration_ms(times: Phases, stage: Stage, round_: int) -> float:
    if stage == "draft":
        return float(times.draft + (times.prefill if round_ == 1 else 0.0))
    return float(times.first_verify if round_ == 1 else times.verify)
