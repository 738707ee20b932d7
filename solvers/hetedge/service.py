"""What the compiled search over orders knows of an instance: times and memory of any batch, from small tables.

A batch of any requests depends on its size, its option of length, its longest prompt and output, and its slowest pace.
Passes over a prompt are tabulated by prompt; later passes are the longer of two affine functions of the context
(:func:`uara.hetedge.latency.roofs_ms`), whose coefficients are kept, so that no table grows with prompts x outputs.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from uara.base.kernels import kernel
from uara.base.quantities import Floats, Indices
from uara.hetedge.instance import HetEdge
from uara.hetedge.latency import Machine, Numbers, phases, roofs_ms, rounds
from uara.hetedge.timeline import (
    DRAFT,
    DRAFT_BYTES,
    FIRST_DRAFT,
    FIRST_VERIFY,
    REPLY,
    ROUNDS,
    SEND,
    VERIFY,
    VERIFY_BYTES,
)

from .search import draft_room

_FAR_TOKENS = 1024.0
"""Context at which the slopes of a pass are taken."""


class Service(NamedTuple):
    """K requests, at most B in a batch, L speculation lengths, P different prompt lengths; times in ms."""

    prefill_ms: Floats
    """(B, L, P) By size - 1, length and prompt; 0 without drafts."""
    first_verify_ms: Floats
    """(B, L, P) Of the first verification, by the same."""
    draft_ms: Floats
    """(B, L, 4) Intercept and slope in the context of the time for computing, and of that for reading."""
    verify_ms: Floats
    """(B, L, 4) The same."""
    link_ms: Floats
    """(B, L, 2) Sending and replying."""
    rounds: Floats
    """(K, L) Rounds that a request needs."""
    prompt: Indices
    """(K,) Tokens."""
    output: Indices
    """(K,) Tokens."""
    level: Indices
    """(K,) Which of the P prompt lengths."""
    length: Indices
    """(L,) The speculation lengths."""
    cache_bytes: tuple[float, float]
    """Of a token, on the draft node and on the verify node."""
    room_bytes: tuple[float, float]
    """For caches, on either node."""
    release_ms: Floats
    """(K,) When a prompt is there at the earliest; with shares in time, without the airtime."""
    airtime_ms: Floats
    """(K,) Upload over the whole band where shares follow the plan; 0 where they are given."""
    pairs: bool
    """Whether two batches may alternate."""


def service_of(
    instance: HetEdge, lengths: Sequence[int], *, pairs: bool, release_ms: Floats, airtime_ms: Floats
) -> Service:
    """The tables of an instance for some speculation lengths."""
    requests, system = instance.requests, instance.system
    length = np.array(lengths, dtype=np.int64)
    levels, level = np.unique(requests.prompt_tokens, return_inverse=True)
    widest = min(instance.parameters.largest_batch, len(requests))
    size = np.arange(1, widest + 1)[:, None, None]
    times = phases(system, size, levels, 0, length[:, None])
    shape = (widest, len(length), len(levels))
    link = [np.broadcast_to(each, shape)[..., 0] for each in (times.send, times.reply)]
    pass_tokens = np.broadcast_to(length + 1, shape[:2])
    steps = np.zeros((*shape[:2], 4))
    if system.draft is not None:
        steps = length[:, None] * _affine(system.draft, size[..., 0], np.ones(shape[:2]), 1)
    return Service(
        prefill_ms=np.ascontiguousarray(np.broadcast_to(times.prefill, shape)),
        first_verify_ms=np.ascontiguousarray(np.broadcast_to(times.first_verify, shape)),
        draft_ms=steps,
        verify_ms=_affine(system.target, size[..., 0], pass_tokens, pass_tokens),
        link_ms=np.stack(link, axis=-1),
        rounds=rounds(requests.output_tokens[:, None], requests.acceptance_rate[:, None], length),
        prompt=np.array(requests.prompt_tokens, dtype=np.int64),
        output=np.array(requests.output_tokens, dtype=np.int64),
        level=level.astype(np.int64),
        length=length,
        cache_bytes=(
            0.0 if system.draft is None else float(system.draft.cache_bytes_per_token),
            float(system.target.cache_bytes_per_token),
        ),
        room_bytes=(float(draft_room(instance)), float(system.target.cache_room_bytes)),
        release_ms=release_ms,
        airtime_ms=airtime_ms,
        pairs=pairs,
    )


def _affine(machine: Machine, size: Numbers, new_tokens: Numbers, logits: Numbers) -> Floats:
    """(B, L, 4) Intercepts and slopes of a pass in the cached tokens."""
    near = roofs_ms(machine, size, new_tokens, 0.0, logits)
    far = roofs_ms(machine, size, new_tokens, _FAR_TOKENS, logits)
    columns = [
        part for low, high in zip(near, far, strict=True) for part in (low, (high - low) / _FAR_TOKENS)
    ]
    return np.ascontiguousarray(np.stack(np.broadcast_arrays(*columns), axis=-1))


@kernel(allocates=False)
def fill_row(service: Service, members: Indices, size: int, option: int, row: Floats) -> None:
    """The batch of the first ``size`` members as a row (:data:`uara.hetedge.timeline.FIELDS`)."""
    prompt, output, level, needed = 0, 0, 0, 1.0
    for index in range(size):
        k = members[index]
        if service.prompt[k] >= prompt:
            prompt, level = service.prompt[k], service.level[k]
        output = max(output, service.output[k])
        needed = max(needed, service.rounds[k, option])
    context = prompt + output / 2.0
    step, check = service.draft_ms[size - 1, option], service.verify_ms[size - 1, option]
    row[DRAFT] = max(step[0] + step[1] * context, step[2] + step[3] * context)
    row[FIRST_DRAFT] = service.prefill_ms[size - 1, option, level] + row[DRAFT]
    row[VERIFY] = max(check[0] + check[1] * context, check[2] + check[3] * context)
    row[FIRST_VERIFY] = service.first_verify_ms[size - 1, option, level]
    row[SEND], row[REPLY] = service.link_ms[size - 1, option, 0], service.link_ms[size - 1, option, 1]
    row[ROUNDS] = needed
    tokens = float(size * (prompt + output + service.length[option]))
    row[DRAFT_BYTES] = tokens * service.cache_bytes[0] if service.length[option] > 0 else 0.0
    row[VERIFY_BYTES] = tokens * service.cache_bytes[1]
