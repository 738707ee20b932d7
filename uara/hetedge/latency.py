"""What a batch costs on the two nodes: operations, bytes, the roofline, and the phases of a round.

Every function works on numbers and, element by element, on arrays, so that the evaluator and the compiled
search read the same formulas. Times are in milliseconds.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from uara.base.quantities import MS_PER_S
from uara.hetedge.schema import Node, Transformer

Numbers = Any
"""A number, or an array of them."""


class Machine(NamedTuple):
    """A model on a node: what its forward passes are made of."""

    flop_per_ms: float
    bytes_per_ms: float
    overhead_ms: float
    linear_flop: float
    pair_flop: float
    head_flop: float
    weight_bytes: float
    cache_bytes_per_token: float
    cache_room_bytes: float
    """Memory that the weights leave for caches; negative where they do not fit."""


class System(NamedTuple):
    """The two machines and the link between them; ``draft`` is None where requests bring their drafts."""

    draft: Machine | None
    target: Machine
    link_bits_per_ms: float
    link_latency_ms: float
    drafted_token_bits: float
    """A drafted token with its probabilities on the link."""
    token_bits: float


class Phases(NamedTuple):
    """Times of a batch in ms. A round is draft, send, verify, reply; the first one begins with the prompts."""

    prefill: Numbers
    """Draft node, once: the prompts' caches."""
    draft: Numbers
    """Draft node: ``length`` steps."""
    send: Numbers
    """Link: drafted tokens and their probabilities."""
    first_verify: Numbers
    """Verify node, first round: prompts and drafts in one pass."""
    verify: Numbers
    """Verify node, later rounds: one pass over ``length + 1`` tokens."""
    reply: Numbers
    """Link: how many were accepted, and the token that follows them."""


def make_machine(node: Node, model: Transformer) -> Machine:
    """Costs of a model on a node."""
    flop = model.architecture
    return Machine(
        flop_per_ms=node.compute_flop_per_s * node.compute_efficiency / MS_PER_S,
        bytes_per_ms=node.memory_bytes_per_s * node.memory_efficiency / MS_PER_S,
        overhead_ms=node.pass_overhead_ms,
        linear_flop=float(flop.linear_flop_per_token),
        pair_flop=float(flop.attention_flop_per_pair),
        head_flop=float(flop.head_flop_per_token),
        weight_bytes=model.weight_bytes,
        cache_bytes_per_token=model.cache_bytes_per_token,
        cache_room_bytes=node.memory_bytes - model.weight_bytes,
    )


def pass_ms(
    machine: Machine, sequences: Numbers, new_tokens: Numbers, cached_tokens: Numbers, logits: Numbers
) -> Numbers:
    """Time of one forward pass of a batch by the roofline: the slower of computing and reading memory.

    Parameters
    ----------
    sequences
        Requests in the batch, padded to the same lengths.
    new_tokens, cached_tokens
        Of each sequence: fed now, and in the cache.
    logits
        Positions of each sequence whose logits are computed.
    """
    return np.maximum(*roofs_ms(machine, sequences, new_tokens, cached_tokens, logits))


def roofs_ms(
    machine: Machine, sequences: Numbers, new_tokens: Numbers, cached_tokens: Numbers, logits: Numbers
) -> tuple[Numbers, Numbers]:
    """What a pass takes at least for computing, and for reading memory, each with the pass's overhead.

    Both are affine in ``cached_tokens``.

    Notes
    -----
    Operations per sequence are J (8 h1^2 + 4 h1 h2) L + 4 J h1 L (s + L): with s = 0 and L = I the reported
    prefill J (8 I h1^2 + 4 I^2 h1 + 4 I h1 h2), with L = 1 the reported step
    J (8 h1^2 + 4 (s + 1) h1 + 4 h1 h2). The weights are read once for the whole batch, caches for each sequence.
    """
    context = cached_tokens + new_tokens
    flop = machine.linear_flop * new_tokens + machine.pair_flop * new_tokens * context
    flop = sequences * (flop + machine.head_flop * logits)
    read = machine.weight_bytes + sequences * context * machine.cache_bytes_per_token
    return flop / machine.flop_per_ms + machine.overhead_ms, read / machine.bytes_per_ms + machine.overhead_ms


def expected_tokens(acceptance_rate: Numbers, length: Numbers) -> Numbers:
    """Tokens that a round yields on average, (1 - a^(l + 1)) / (1 - a), for a in [0, 1)."""
    return (1 - acceptance_rate ** (length + 1.0)) / (1 - acceptance_rate)


def rounds(output_tokens: Numbers, acceptance_rate: Numbers, length: Numbers) -> Numbers:
    """Rounds until a request's output is complete at the average pace, a whole number."""
    return np.ceil(output_tokens / expected_tokens(acceptance_rate, length) - 1e-9)


def phases(
    system: System, sequences: Numbers, prompt_tokens: Numbers, output_tokens: Numbers, length: Numbers
) -> Phases:
    """Times of a batch.

    Parameters
    ----------
    sequences
        Requests in the batch.
    prompt_tokens, output_tokens
        The batch's longest prompt and output, to which the others are padded.
    length
        Speculation length; 0 is autoregressive decoding on the verify node alone.

    Notes
    -----
    Later rounds are charged at the mean context, the prompt and half of the output, so that all of them take
    equally long.
    """
    drafts = np.where(np.asarray(length) > 0, 1.0, 0.0)
    context = prompt_tokens + output_tokens / 2
    target = system.target
    first = pass_ms(target, sequences, prompt_tokens + length, 0, length + 1)
    verify = pass_ms(target, sequences, length + 1, context, length + 1)
    if system.draft is None:
        none = np.zeros_like(verify)
        return Phases(none, none, none, first, verify, none)
    sent_bits = sequences * length * system.drafted_token_bits
    replied_bits = sequences * 2 * system.token_bits
    return Phases(
        prefill=drafts * pass_ms(system.draft, sequences, prompt_tokens, 0, 1),
        draft=length * pass_ms(system.draft, sequences, 1, context, 1),
        send=drafts * (system.link_latency_ms + sent_bits / system.link_bits_per_ms),
        first_verify=first,
        verify=verify,
        reply=drafts * (system.link_latency_ms + replied_bits / system.link_bits_per_ms),
    )


def cache_bytes(
    machine: Machine, sequences: Numbers, prompt_tokens: Numbers, output_tokens: Numbers, length: Numbers
) -> Numbers:
    """Memory of a batch's caches at their longest: prompt, output and a round's drafts for every sequence."""
    return sequences * (prompt_tokens + output_tokens + length) * machine.cache_bytes_per_token
