"""Continuous batching: requests join and leave the strong node's batch between passes, first come, first served.

What serving engines do (Yu et al., Orca, OSDI 2022), as a baseline: nothing is padded, and nobody waits for a batch to
end. It is another system than the one that plans decide about, on the same hardware and by the same roofline.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np

from uara.base.quantities import Floats, Indices
from uara.hetedge.instance import HetEdge
from uara.hetedge.latency import Machine, cache_bytes, rounds


class _Turn(NamedTuple):
    """New and cached tokens of each request in a pass, and positions whose logits are computed."""

    new: Floats
    cached: Floats
    logits: float


def mixed_pass_ms(machine: Machine, turn: _Turn) -> float:
    """Time of one pass over sequences of different lengths, by the roofline: weights are read once."""
    context = turn.cached + turn.new
    flop = machine.linear_flop * turn.new + machine.pair_flop * turn.new * context
    total_flop = float(flop.sum()) + machine.head_flop * turn.logits * len(turn.new)
    read = machine.weight_bytes + float(context.sum()) * machine.cache_bytes_per_token
    return max(total_flop / machine.flop_per_ms, read / machine.bytes_per_ms) + machine.overhead_ms


@dataclass(eq=False)
class _Engine:
    """The nodes, those that wait, and the batches that grow and shrink."""

    instance: HetEdge
    length: int
    shortest: bool
    batches: list[list[int]]
    answered_ms: list[float]
    """When each batch knows what its last round was worth."""
    drafted_ms: float = 0.0
    verified_ms: float = 0.0
    """When the nodes are free."""
    waiting: list[int] = field(default_factory=list)

    def __post_init__(self) -> None:
        requests = self.instance.requests
        self.prompt = requests.prompt_tokens.astype(float)
        self.output = requests.output_tokens.astype(float)
        self.needed = rounds(self.output, requests.acceptance_rate, self.length)
        self.coming: list[int] = np.argsort(self.instance.ready_ms, kind="stable").tolist()
        self.done, self.complete_ms = np.zeros(len(requests)), np.zeros(len(requests))

    def start_ms(self, turn: int) -> float:
        """When a batch can begin its next round; infinite where it has nothing to do."""
        node_ms = self.drafted_ms if self.length else self.verified_ms
        free_ms = max(node_ms, self.answered_ms[turn])
        if self.batches[turn]:
            return free_ms
        new = self.waiting[:1] or self.coming[:1]
        if not new or not self.fits(self.batches[turn], new):
            return float("inf")
        if any(self.fits(other, new) for other in self.batches[:turn]):
            return float("inf")  # a further batch is for those for whom there is no room
        return max(free_ms, float(self.instance.ready_ms[new[0]]))

    def fits(self, batch: list[int], new: list[int]) -> bool:
        """Whether a batch keeps the limit on its size with a new request, and all of them the nodes' memory."""
        if len(batch) + len(new) > self.instance.parameters.largest_batch:
            return False
        together = [*(k for each in self.batches for k in each), *new]
        if len(together) == 1:
            return True
        requests, system = self.instance.requests, self.instance.system
        nodes = [system.target] + ([system.draft] if self.length and system.draft is not None else [])
        tokens = requests.prompt_tokens[together], requests.output_tokens[together]
        return all(
            cache_bytes(node, 1, *tokens, self.length).sum() <= node.cache_room_bytes for node in nodes
        )

    def play(self, turn: int, now_ms: float) -> None:
        """One round of a batch, which those join that have arrived."""
        while self.coming and self.instance.ready_ms[self.coming[0]] <= now_ms:
            self.waiting.append(self.coming.pop(0))
        if self.shortest:
            self.waiting.sort(key=lambda k: float(self.prompt[k] + self.output[k]))
        while self.waiting and self.fits(self.batches[turn], self.waiting[:1]):
            self.batches[turn].append(self.waiting.pop(0))
        system, length = self.instance.system, self.length
        batch: Indices = np.array(self.batches[turn])
        fresh = self.done[batch] == 0
        grown = self.prompt[batch] + self.output[batch] * self.done[batch] / self.needed[batch]
        sent_ms = now_ms
        if length and system.draft is not None:
            if fresh.any():
                fed = _Turn(self.prompt[batch][fresh], np.zeros(int(fresh.sum())), 1.0)
                sent_ms += mixed_pass_ms(system.draft, fed)
            sent_ms += length * mixed_pass_ms(system.draft, _Turn(np.ones(len(batch)), grown, 1.0))
            self.drafted_ms = sent_ms
            bits = len(batch) * length * system.drafted_token_bits
            sent_ms += system.link_latency_ms + bits / system.link_bits_per_ms
        new = np.where(fresh, self.prompt[batch], 1.0) + length
        passed = _Turn(new, np.where(fresh, 0.0, grown), length + 1.0)
        end_ms = max(sent_ms, self.verified_ms) + mixed_pass_ms(system.target, passed)
        self.verified_ms = self.answered_ms[turn] = end_ms
        if length and system.draft is not None:
            self.answered_ms[turn] += (
                system.link_latency_ms + len(batch) * 2 * system.token_bits / system.link_bits_per_ms
            )
        self.done[batch] += 1
        ended = self.done[batch] >= self.needed[batch]
        self.complete_ms[batch[ended]] = end_ms
        self.batches[turn] = batch[~ended].tolist()


def continuous_ms(
    instance: HetEdge, length: int = 0, *, shortest: bool = False, alternating: bool = False
) -> Floats:
    """When each request is complete, with requests that join as soon as there is room, in the order of arrival.

    Parameters
    ----------
    length
        Tokens that the weak node drafts for a whole batch between two of its passes; 0 leaves it idle.
    shortest
        Of those that wait, the one with the fewest tokens, prompt and output, joins first.
    alternating
        Whether requests for which a batch has no room form a second one, which is drafted for while the first is
        verified; without drafts there is none.

    Returns
    -------
    (K,) array
        In ms from time 0; prompts are there at ``ready_ms``.

    Notes
    -----
    A request joins if the caches of all, at their longest, fit beside the weights; its prompt is fed whole, in the pass
    that the others decode in. Acceptance is at its mean pace, as everywhere in this kind.
    """
    count = 2 if alternating and length and instance.system.draft is not None else 1
    engine = _Engine(instance, length, shortest, [[] for _ in range(count)], [0.0] * count)
    while engine.coming or engine.waiting or any(engine.batches):
        starts_ms = [engine.start_ms(turn) for turn in range(count)]
        turn = int(np.argmin(starts_ms))
        engine.play(turn, starts_ms[turn])
    return engine.complete_ms
