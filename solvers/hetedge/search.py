"""From an instance to the compiled search and back: candidate batches, the exact search, and its plan."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from uara.base.errors import InputError
from uara.base.quantities import Floats, Indices
from uara.hetedge import bandwidth
from uara.hetedge.instance import HetEdge
from uara.hetedge.latency import cache_bytes, phases, rounds
from uara.hetedge.plan import Plan
from uara.hetedge.timeline import (
    DRAFT_BYTES,
    FIELDS,
    FIRST_DRAFT,
    FIRST_VERIFY,
    ROUNDS,
    SEND,
    VERIFY,
    VERIFY_BYTES,
    play,
)

from .labels import COST, Labels

Order = Literal["given", "airtime", "prompt", "output", "work"]


@dataclass(frozen=True, eq=False)
class Choices:
    """What a search may choose from.

    Parameters
    ----------
    lengths
        Speculation lengths, increasing; 0 is autoregressive.
    smallest, largest
        (K,) Sizes of a batch that starts at a position of the order.
    pairs
        Whether two batches may alternate.
    """

    lengths: tuple[int, ...]
    smallest: Indices
    largest: Indices
    pairs: bool = True

    @classmethod
    def everything(cls, instance: HetEdge) -> Choices:
        """All that the instance allows."""
        count, given = len(instance.requests), instance.parameters
        lengths = tuple(range(given.shortest_speculation, given.longest_speculation + 1))
        return cls(lengths, np.ones(count, np.int64), np.full(count, given.largest_batch))


@dataclass(frozen=True, eq=False)
class Candidates:
    """Every batch that an order and its choices allow.

    Parameters
    ----------
    options
        (K, B, L, 9) By start, size - 1 and option (:data:`uara.hetedge.timeline.FIELDS`).
    length
        (K, B, L) Speculation length of each option.
    count
        (K, B) Options that exist.
    """

    options: Floats
    length: Indices
    count: Indices


def candidates(instance: HetEdge, order: Indices, choices: Choices) -> Candidates:
    """Times and memory of every batch of consecutive requests, without lengths that cannot help.

    A length that needs no fewer rounds than a shorter one is longer in every phase, and is left out.
    """
    requests, system = instance.requests, instance.system
    lengths = np.array(choices.lengths, dtype=np.int64)
    widest = int(choices.largest.max())
    prompt = _running_maximum(requests.prompt_tokens[order][:, None], widest)
    output = _running_maximum(requests.output_tokens[order][:, None], widest)
    pace = rounds(requests.output_tokens[order][:, None], requests.acceptance_rate[order][:, None], lengths)
    needed = _running_maximum(pace, widest)
    sizes = np.arange(1, widest + 1)[None, :, None]
    times = phases(system, sizes, prompt, output, lengths)
    full = (len(order), widest, len(lengths))
    options = np.empty((*full, len(FIELDS)))
    columns = (
        times.prefill + times.draft, times.draft, times.send, times.first_verify, times.verify, times.reply,
        needed,
    )  # fmt: skip
    for field, column in enumerate(columns):
        options[..., field] = column
    drafts = np.where(lengths > 0, 1.0, 0.0)
    draft = system.draft
    options[..., DRAFT_BYTES] = (
        0.0 if draft is None else drafts * cache_bytes(draft, sizes, prompt, output, lengths)
    )
    options[..., VERIFY_BYTES] = cache_bytes(system.target, sizes, prompt, output, lengths)
    fewest = np.minimum.accumulate(options[..., ROUNDS], axis=2)
    useful = np.ones(full, dtype=bool)
    useful[..., 1:] = options[..., 1:, ROUNDS] < fewest[..., :-1]
    room = draft_room(instance)
    useful &= options[..., DRAFT_BYTES] <= room
    useful &= options[..., VERIFY_BYTES] <= system.target.cache_room_bytes
    first = np.argsort(~useful, axis=2, kind="stable")
    return Candidates(
        np.ascontiguousarray(np.take_along_axis(options, first[..., None], axis=2)),
        lengths[first],
        useful.sum(axis=2),
    )


def draft_room(instance: HetEdge) -> float:
    """Memory for caches on the draft node; infinite without one."""
    return float("inf") if instance.system.draft is None else instance.system.draft.cache_room_bytes


def _running_maximum(values: NDArray[np.generic], widest: int) -> Floats:
    """(K, B, ...) Maximum over the 1, 2, ... B consecutive entries from each one; the last rows repeat the end."""
    count = len(values)
    found = np.empty((count, widest, *values.shape[1:]))
    found[:, 0] = values
    for size in range(1, widest):
        reach = np.minimum(np.arange(count) + size, count - 1)
        np.maximum(found[:, size - 1], values[reach], out=found[:, size])
    return found


class Programme:
    """The exact programme of an order of service; what does not depend on the band shares is done once.

    Parameters
    ----------
    order
        (K,) Indices of the requests in the order of service.

    Raises
    ------
    InputError
        If the choices leave no plan.
    """

    def __init__(self, instance: HetEdge, order: Indices, choices: Choices) -> None:
        from .batches import Batches, least_of_options
        from .to_go import to_go

        self.instance, self.order, self.choices = instance, order, choices
        self._found = found = candidates(instance, order, choices)
        self._batches = Batches(
            options=found.options,
            option_count=found.count,
            least_ms=least_of_options(found.options, found.count),
            smallest=choices.smallest,
            largest=choices.largest,
            pairs=choices.pairs,
            draft_room=float(draft_room(instance)),
            verify_room=float(instance.system.target.cache_room_bytes),
        )
        self._to_come = np.empty(len(order) + 1)
        first = np.zeros((len(order), 4), dtype=np.int64)
        to_go(self._batches, _tail_ms(found), self._to_come, first)
        if not np.isfinite(self._to_come[0]):
            raise InputError("no batches of the wanted sizes and lengths fit", source=instance.name)
        self._relaxed = _followed(first)

    @property
    def least_service_ms(self) -> float:
        """Lower bound on the total latency of this order under any band shares: as if all prompts were there."""
        return float(self._to_come[0])

    def best(self, share: Floats, known: Plan | None = None, room: int = 64) -> tuple[Plan, float]:
        """The best plan for these band shares, and its total latency in ms.

        Parameters
        ----------
        share
            (K,) Band shares in the instance's order.
        known
            A plan of this order within the choices: what must cost more is not looked at.
        room
            Labels that a boundary holds at first; it grows where that is not enough.
        """
        from .kernel import Horizon, search

        instance, found = self.instance, self._found
        release = instance.ready_ms + bandwidth.upload_ms(instance, share)
        limit = total_ms(instance, _plan(self.order, share, found, self._relaxed), release)
        if known is not None:
            limit = min(limit, total_ms(instance, known, release))
        released = release[self.order]
        horizon = Horizon(
            release_ms=_running_maximum(released, int(self.choices.largest.max())),
            last_release_ms=np.append(np.maximum.accumulate(released[::-1])[::-1], 0.0),
            to_come_ms=self._to_come,
            lead_ms=_lead_ms(found),
            limit_ms=limit * (1 + 1e-12),
        )
        while not search(self._batches, horizon, labels := _no_labels(len(self.order), room)):
            room *= 4
        last = labels.times_ms[-1, : labels.counts[-1], COST]
        return _plan(self.order, share, found, _best_way(labels)), float(last.min())


def _no_labels(requests: int, room: int) -> Labels:
    return Labels(
        times_ms=np.empty((requests + 1, room, 3)),
        ways=np.empty((requests + 1, room, 6), dtype=np.int64),
        counts=np.empty(requests + 1, dtype=np.int64),
    )


def _best_way(labels: Labels) -> list[tuple[int, int, int, int, int]]:
    """The groups of the best plan in order: start, size and option of the first batch, then of the second (0, 0)."""
    boundary = len(labels.counts) - 1
    index = int(np.argmin(labels.times_ms[boundary, : labels.counts[boundary], COST]))
    found: list[tuple[int, int, int, int, int]] = []
    while boundary > 0:
        start, label, *group = labels.ways[boundary, index].tolist()
        found.append((start, *group))
        boundary, index = start, label
    return found[::-1]


def _plan(
    order: Indices, share: Floats, found: Candidates, groups: list[tuple[int, int, int, int, int]]
) -> Plan:
    """The plan of the groups: start, size and option of the first batch, then of its partner (0, 0)."""
    batches = []
    for start, size_a, option_a, size_b, option_b in groups:
        batches.append((size_a, int(found.length[start, size_a - 1, option_a]), False))
        if size_b:
            batches.append((size_b, int(found.length[start + size_a, size_b - 1, option_b]), True))
    size, length, paired = zip(*batches, strict=True)
    return Plan(order, np.array(size), np.array(length), np.array(paired), share)


def _followed(first: Indices) -> list[tuple[int, int, int, int, int]]:
    """The groups that the backward programme begins with, from boundary to boundary."""
    groups, start = [], 0
    while start < len(first):
        size_a, option_a, size_b, option_b = first[start].tolist()
        groups.append((start, size_a, option_a, size_b, option_b))
        start += size_a + size_b
    return groups


def _existing(found: Candidates) -> Floats:
    """(N, 9) The options that exist."""
    exists = np.arange(found.options.shape[2]) < found.count[..., None]
    return found.options[exists]


def _tail_ms(found: Candidates) -> float:
    """Least time from a batch's last draft to the end of its verification."""
    options = _existing(found)
    last = np.where(options[:, ROUNDS] > 1, options[:, VERIFY], options[:, FIRST_VERIFY])
    return float(np.min(options[:, SEND] + last, initial=np.inf))


def _lead_ms(found: Candidates) -> float:
    """Least time from the draft node's start with a batch to the verify node's."""
    options = _existing(found)
    return float(np.min(options[:, FIRST_DRAFT] + options[:, SEND], initial=np.inf))


def total_ms(instance: HetEdge, plan: Plan, release_ms: Floats) -> float:
    """Total latency of a plan by the closed expressions."""
    options = batch_options(instance, plan)
    released = np.array([release_ms[members].max() for members in plan.members()])
    begin, end = np.empty(len(options)), np.empty(len(options))
    play(options, released, plan.paired, end, begin)
    return float(plan.batch_size @ end)


def batch_options(instance: HetEdge, plan: Plan) -> Floats:
    """(M, 9) The plan's batches as the compiled functions take them."""
    from uara.hetedge.pipeline import batches_of

    rows = np.zeros((len(plan.batch_size), len(FIELDS)))
    for row, batch in zip(rows, batches_of(instance, plan, np.zeros(len(plan.order))), strict=True):
        times = batch.phases
        row[: ROUNDS + 1] = (
            times.prefill + times.draft, times.draft, times.send, times.first_verify, times.verify,
            times.reply, batch.rounds,
        )  # fmt: skip
    return rows


def just_in_time(instance: HetEdge, plan: Plan) -> Floats:
    """(K,) Shares with which every batch arrives when a node is free for it, and all of them as early as possible."""
    options = batch_options(instance, plan)
    begin, end = np.empty(len(options)), np.empty(len(options))
    play(options, np.zeros(len(options)), plan.paired, end, begin)
    offset = np.empty(len(plan.order))
    offset[plan.order] = np.repeat(begin, plan.batch_size)
    return bandwidth.in_time(instance, offset - instance.ready_ms)[0]


def ordered(instance: HetEdge, rule: Order) -> Indices:
    """(K,) An order of service.

    As given; shortest upload first; shortest prompt first; shortest output first, and among equals shortest
    prompt; or shortest service alone first.
    """
    requests = instance.requests
    if rule == "given":
        return np.arange(len(requests))
    if rule == "airtime":
        return np.argsort(instance.ready_ms + bandwidth.airtime_ms(instance), kind="stable")
    if rule == "prompt":
        return np.argsort(requests.prompt_tokens, kind="stable")
    if rule == "output":
        return np.lexsort((requests.prompt_tokens, requests.output_tokens))
    return np.argsort(work_ms(instance), kind="stable")


def work_ms(instance: HetEdge) -> Floats:
    """(K,) Service time of each request alone, with its best speculation length."""
    requests, given = instance.requests, instance.parameters
    lengths = np.arange(given.shortest_speculation, given.longest_speculation + 1)
    times = phases(
        instance.system, 1, requests.prompt_tokens[:, None], requests.output_tokens[:, None], lengths
    )
    needed = rounds(requests.output_tokens[:, None], requests.acceptance_rate[:, None], lengths)
    cycle = times.reply + times.draft + times.send + times.verify
    whole = times.prefill + times.draft + times.send + times.first_verify + (needed - 1) * cycle
    return np.asarray(whole.min(axis=1))
