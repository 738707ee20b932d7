"""Continuous batching: requests join and leave the strong node's batch between passes, first come, first served.

What serving engines do (Yu et al., Orca, OSDI 2022), as a baseline: nothing is padded, and nobody waits for a batch to
end. It is another system than the one that plans decide about, on the same hardware and by the same roofline.
"""

from __future__ import annotations

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


def continuous_ms(instance: HetEdge, length: int = 0, *, shortest: bool = False) -> Floats:
    """When each request is complete, with requests that join as soon as there is room, in the order of arrival.

    Parameters
    ----------
    shortest
        Of those that wait, the one with the fewest tokens, prompt and output, joins first.
    length
        Tokens that the weak node drafts for the whole batch between two passes; 0 leaves it idle. The nodes take turns.

    Returns
    -------
    (K,) array
        In ms from time 0; prompts are there at ``ready_ms``.

    Notes
    -----
    A request joins if the caches of all, at their longest, fit beside the weights; its prompt is fed whole, in the pass
    that the others decode in. Acceptance is at its mean pace, as everywhere in this kind.
    """
    requests, system = instance.requests, instance.system
    prompt = requests.prompt_tokens.astype(float)
    output = requests.output_tokens.astype(float)
    needed = rounds(output, requests.acceptance_rate, length)
    coming = np.argsort(instance.ready_ms, kind="stable").tolist()
    waiting: list[int] = []
    complete, done = np.zeros(len(requests)), np.zeros(len(requests))
    active: list[int] = []
    now = 0.0
    while coming or waiting or active:
        if not waiting and not active:
            now = max(now, float(instance.ready_ms[coming[0]]))
        while coming and instance.ready_ms[coming[0]] <= now:
            waiting.append(coming.pop(0))
        if shortest:
            waiting.sort(key=lambda k: float(prompt[k] + output[k]))
        while waiting and _fits(instance, [*active, waiting[0]], length):
            active.append(waiting.pop(0))
        batch: Indices = np.array(active)
        fresh = done[batch] == 0
        grown = prompt[batch] + output[batch] * done[batch] / needed[batch]
        if length and system.draft is not None:
            fed = np.where(fresh, prompt[batch], 0.0)
            if fresh.any():
                now += mixed_pass_ms(system.draft, _Turn(fed[fresh], np.zeros(int(fresh.sum())), 1.0))
            step = _Turn(np.ones(len(batch)), grown, 1.0)
            now += length * mixed_pass_ms(system.draft, step)
            bits = len(batch) * length * system.drafted_token_bits
            now += system.link_latency_ms + bits / system.link_bits_per_ms
        new = np.where(fresh, prompt[batch], 1.0) + length
        now += mixed_pass_ms(system.target, _Turn(new, np.where(fresh, 0.0, grown), length + 1.0))
        done[batch] += 1
        ended = done[batch] >= needed[batch]
        complete[batch[ended]] = now
        active = batch[~ended].tolist()
        if length and system.draft is not None:
            now += system.link_latency_ms + len(batch) * 2 * system.token_bits / system.link_bits_per_ms
    return complete


def _fits(instance: HetEdge, batch: list[int], length: int) -> bool:
    """Whether a batch keeps the limit on its size and the memory of the nodes."""
    if len(batch) > instance.parameters.largest_batch:
        return False
    requests, system = instance.requests, instance.system
    nodes = [system.target] + ([system.draft] if length and system.draft is not None else [])
    return len(batch) == 1 or all(
        cache_bytes(node, 1, requests.prompt_tokens[batch], requests.output_tokens[batch], length).sum()
        <= node.cache_room_bytes
        for node in nodes
    )
