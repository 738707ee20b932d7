"""What no plan can beat, whatever its order, batches, lengths and band shares: the terms of the relaxation.

Three resources limit the work that is complete at a time t: the draft node and the verify node do one thing at a
time, and at most two batches are between their first and their last draft. Any convex combination of the three
is a machine that every plan must pass through, so that the batches' completions are at least those of a single
machine with combined loads (``docs/hetedge.md``). Requests are rounded down into classes of pace and levels of
prompt length, which can only lower a load.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from uara.base.quantities import Floats, Indices
from uara.hetedge import bandwidth
from uara.hetedge.instance import HetEdge
from uara.hetedge.latency import cache_bytes, phases, rounds

from .search import draft_room, work_ms

Weights = tuple[float, float, float]
"""Weights of the draft node, the verify node and the two places; they add up to 1."""


class Kinds(NamedTuple):
    """Requests by class of pace and level of prompt length, both increasing."""

    request_class: Indices
    """(K,) Class of each request."""
    request_level: Indices
    """(K,) Level of each request."""
    rounds: Floats
    """(C, L) Least rounds of a batch whose slowest request is of this class, by speculation length."""
    output_tokens: Floats
    """(C,) Least output of such a batch."""
    prompt_tokens: Floats
    """(P,) Least longest prompt of a batch of this level."""


def kinds_of(instance: HetEdge, classes: int, levels: int, lengths: Indices) -> Kinds:
    """Sort the requests into at most so many classes and levels of equally many requests each."""
    requests = instance.requests
    pace = rounds(requests.output_tokens[:, None], requests.acceptance_rate[:, None], lengths)
    request_class = _quantile_groups(pace.mean(axis=1), classes)
    request_level = _quantile_groups(requests.prompt_tokens.astype(float), levels)
    count = int(request_class.max()) + 1
    fewest = np.stack([pace[request_class >= index].min(axis=0) for index in range(count)])
    output = np.array([requests.output_tokens[request_class >= index].min() for index in range(count)])
    prompt = [
        requests.prompt_tokens[request_level == index].min() for index in range(int(request_level.max()) + 1)
    ]
    return Kinds(request_class, request_level, fewest, output.astype(float), np.array(prompt, dtype=float))


def _quantile_groups(value: Floats, groups: int) -> Indices:
    """Consecutive groups of about equal size; equal values share a group."""
    distinct, member, size = np.unique(value, return_inverse=True, return_counts=True)
    if len(distinct) <= groups:
        return np.asarray(member)
    middle = (np.cumsum(size) - size / 2) / len(value)
    group = np.minimum((middle * groups).astype(np.int64), groups - 1)
    return np.asarray(np.unique(group, return_inverse=True)[1][member])


class Loads(NamedTuple):
    """(C, P, B, L) Least loads of a batch by class, level, size - 1 and length; infinite where it cannot fit."""

    draft_ms: Floats
    verify_ms: Floats
    place_ms: Floats
    """Half of the time from the first draft's start to the last draft's end."""

    def combined(self, weights: Weights) -> Floats:
        """(C, P, B) Least load on the combined machine over all lengths."""
        total = weights[0] * self.draft_ms + weights[1] * self.verify_ms + weights[2] * self.place_ms
        return np.asarray(total.min(axis=3))


def loads_of(instance: HetEdge, kinds: Kinds, lengths: Indices) -> Loads:
    """Least loads of every kind of batch."""
    widest = min(instance.parameters.largest_batch, len(instance.requests))
    size = np.arange(1, widest + 1)[None, None, :, None]
    prompt = kinds.prompt_tokens[None, :, None, None]
    output = kinds.output_tokens[:, None, None, None]
    needed = kinds.rounds[:, None, None, :]
    times = phases(instance.system, size, prompt, output, lengths)
    more = needed - 1
    cycle = times.reply + times.draft + times.send + times.verify
    draft = times.prefill + needed * times.draft
    verify = times.first_verify + more * times.verify
    first_turn = times.send + times.first_verify + times.reply + times.draft
    span = times.prefill + times.draft + np.where(more > 0, first_turn + (more - 1) * cycle, 0.0)
    fits = (
        cache_bytes(instance.system.target, size, prompt, output, lengths)
        <= instance.system.target.cache_room_bytes
    )
    if instance.system.draft is not None:
        small = cache_bytes(instance.system.draft, size, prompt, output, lengths) <= draft_room(instance)
        fits = fits & (small | (lengths == 0))
    draft, verify, span, fits = np.broadcast_arrays(draft, verify, span, fits)
    parts = (np.where(fits, part, np.inf) for part in (draft, verify, span / 2))
    return Loads(*parts)


def first_arrival_ms(instance: HetEdge) -> float:
    """No prompt arrives earlier: the shortest upload with the whole band."""
    return float(np.min(instance.ready_ms + bandwidth.airtime_ms(instance)))


def alone_bound_ms(instance: HetEdge) -> float:
    """A bound for starved uplinks: the least total upload delay, and every request served as if alone."""
    upload = bandwidth.upload_ms(instance, bandwidth.min_sum(instance)).sum()
    service = np.minimum(work_ms(instance), _autoregressive_ms(instance))
    return float((instance.ready_ms.sum() + upload + service.sum()) * (1 - 1e-9))


def _autoregressive_ms(instance: HetEdge) -> Floats:
    """(K,) Service of each request alone without drafts."""
    requests = instance.requests
    times = phases(instance.system, 1, requests.prompt_tokens, requests.output_tokens, 0)
    return np.asarray(times.first_verify + (requests.output_tokens - 1) * times.verify)
