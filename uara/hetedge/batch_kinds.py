"""Every kind of batch that a set of requests can form, and the most that its members are worth at given prices.

What a batch costs depends on its size, speculation length, longest prompt, longest output and rounds alone: its kind.
A kind *admits* the requests that exceed none of these. Requests are numbered from the dearest down.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from uara.base.kernels import kernel
from uara.base.quantities import Floats, Indices
from uara.base.scores import FEASIBILITY_TOLERANCE
from uara.hetedge.instance import HetEdge
from uara.hetedge.latency import Machine, cache_bytes, phases, rounds

FIELDS = (
    "prefill",
    "draft",
    "send",
    "first_verify",
    "verify",
    "reply",
    "draft_bytes",
    "verify_bytes",
    "rounds",
)
"""Columns of :attr:`Kinds.cost`: times in ms, bytes, and the number of rounds."""
PREFILL, DRAFT, SEND, FIRST_VERIFY, VERIFY, REPLY, DRAFT_BYTES, VERIFY_BYTES, ROUNDS = range(len(FIELDS))
PACES = 64
"""Most levels of pace in the table of what two batches together can be worth."""


class Requests(NamedTuple):
    """The requests from the dearest to the cheapest; K of them, L speculation lengths."""

    price: Floats
    """(K,) In ms."""
    prompt: Indices
    """(K,) Level of the prompt."""
    output: Indices
    """(K,) Level of the output."""
    rounds: Indices
    """(K, L) Rounds that each needs by speculation length."""
    pace: Indices
    """(K,) Level of the mean number of rounds, at most :data:`PACES` of them."""


class Kinds(NamedTuple):
    """T kinds of batches, by size, that admit one of Q sets of requests each."""

    start: Indices
    """(B + 1,) The kinds of n requests are those from ``start[n - 1]`` to ``start[n]``."""
    cost: Floats
    """(T, 9) Columns :data:`PREFILL` to :data:`ROUNDS`."""
    worth: Floats
    """(T,) No members of such a batch are worth more, in ms."""
    reach: Indices
    """(T,) The kind's limits are met by the so many dearest requests that it admits, and not by fewer."""
    admits: Indices
    """(T,) Which set it admits."""
    sets: NDArray[np.bool_]
    """(Q, K) Which requests each admits."""
    length: Indices
    """(Q,) Index of the speculation length at which it was made."""
    prompt: Indices
    """(Q,) Largest level of a prompt in a set."""
    pace: Indices
    """(Q,) Largest level of pace in it."""
    together: Floats
    """(P, G, 2 B + 1) Worth of the so many dearest requests up to a level of prompt and a level of pace."""


def levels_of(tokens: Indices, levels: list[int]) -> tuple[Indices, Floats]:
    """Round numbers of tokens down to levels: the level of each, and the levels' tokens, increasing.

    The least number is a level too, so that each is at least one of them.
    """
    values = np.unique(np.append(np.asarray(levels, dtype=np.int64), tokens.min()))
    values = values[values >= tokens.min()]
    return np.searchsorted(values, tokens, side="right") - 1, values.astype(float)


def rooms(instance: HetEdge) -> tuple[float, float]:
    """Bytes for caches on the draft and the verify node, with the tolerance that plans are allowed."""

    def room(machine: Machine | None) -> float:
        if machine is None:
            return np.inf
        return machine.cache_room_bytes + 2 * FEASIBILITY_TOLERANCE * machine.weight_bytes

    return room(instance.system.draft), room(instance.system.target)


def lengths_of(instance: HetEdge) -> Indices:
    """(L,) Every speculation length that a plan may use: none at all is always allowed."""
    given = instance.parameters
    drafted = np.arange(max(1, given.shortest_speculation), given.longest_speculation + 1)
    return np.concatenate([[0], drafted])


class Tables(NamedTuple):
    """What batches of an instance cost, whatever its requests are worth.

    K requests in the instance's order, at most B in a batch, L lengths, P and N levels of prompt and output.
    """

    cost: Floats
    """(B, L, P, N, 9) By size - 1; the column :data:`ROUNDS` is left to fill in."""
    prompt: Indices
    """(K,) Level of the prompt."""
    output: Indices
    """(K,) Level of the output."""
    rounds: Indices
    """(K, L)"""
    pace: Indices
    """(K,) Level of the mean number of rounds, at most :data:`PACES` of them."""
    rooms: tuple[float, float]
    """Bytes for caches on the draft and the verify node."""


def tables_of(instance: HetEdge, prompt_levels: list[int], output_levels: list[int]) -> Tables:
    """The tables of an instance whose prompts and outputs are rounded down to levels."""
    requests, system = instance.requests, instance.system
    widest = min(instance.parameters.largest_batch, len(requests))
    lengths = lengths_of(instance)
    prompt, prompt_tokens = levels_of(requests.prompt_tokens, prompt_levels)
    output, output_tokens = levels_of(requests.output_tokens, output_levels)
    size = np.arange(1, widest + 1)[:, None, None, None]
    length = lengths[None, :, None, None]
    context = (prompt_tokens[None, None, :, None], output_tokens[None, None, None, :])
    times = phases(system, size, *context, length)
    cost = np.zeros((widest, len(lengths), len(prompt_tokens), len(output_tokens), 9))
    for column, each in enumerate(times):
        cost[..., column] = each
    if system.draft is not None:
        cost[..., DRAFT_BYTES] = (length > 0) * cache_bytes(system.draft, size, *context, length)
    cost[..., VERIFY_BYTES] = cache_bytes(system.target, size, *context, length)
    needed = rounds(requests.output_tokens[:, None], requests.acceptance_rate[:, None], lengths)
    slowness = np.argsort(np.argsort(needed.mean(axis=1), kind="stable"), kind="stable")
    pace = slowness * min(PACES, len(requests)) // len(requests)
    return Tables(cost, prompt, output, needed.astype(np.int64), pace, rooms(instance))


def ranked_by(tables: Tables, price: Floats) -> tuple[Requests, Indices]:
    """The requests from the dearest down, and (K,) which of the instance's each is."""
    order = np.argsort(-price, kind="stable")
    rows = (tables.prompt[order], tables.output[order], tables.rounds[order], tables.pace[order])
    return Requests(price[order], *rows), order


def kinds_of(tables: Tables, ranked: Requests, *, disjoint: bool) -> Kinds:
    """Every kind of batch that a group of least cost less worth can need.

    Parameters
    ----------
    disjoint
        Whether the two batches of a pair share no request. Then a batch may have to leave its dearest
        requests to its partner, and more kinds are needed.
    """
    widest, _, prompts, _, _ = tables.cost.shape
    extra = widest if disjoint else 0
    room, sets = 4096, 1024
    while True:
        kinds = _no_kinds(widest, room, sets, len(ranked.price))
        kind_count, set_count = _list_kinds(ranked, tables.cost, extra, *tables.rooms, kinds)
        if kind_count <= room and set_count <= sets:
            break
        room, sets = max(room, kind_count), max(sets, set_count)
    by_size = np.argsort(kinds.start[:kind_count], kind="stable")
    start = np.searchsorted(kinds.start[:kind_count][by_size], np.arange(1, widest + 2))
    together = np.empty((prompts, int(ranked.pace.max()) + 1, 2 * widest + 1))
    _worth_together(ranked, together)
    return Kinds(
        start,
        kinds.cost[by_size],
        kinds.worth[by_size],
        kinds.reach[by_size],
        kinds.admits[by_size],
        kinds.sets[:set_count],
        kinds.length[:set_count],
        kinds.prompt[:set_count],
        kinds.pace[:set_count],
        together,
    )


def _no_kinds(widest: int, room: int, sets: int, requests: int) -> Kinds:
    """Room for kinds; ``start`` holds the size of each until they are sorted."""
    return Kinds(
        np.zeros(room, np.int64),
        np.zeros((room, 9)),
        np.zeros(room),
        np.zeros(room, np.int64),
        np.zeros(room, np.int64),
        np.zeros((sets, requests), dtype=np.bool_),
        np.zeros(sets, np.int64),
        np.zeros(sets, np.int64),
        np.zeros(sets, np.int64),
        np.zeros((1, 1, 2 * widest + 1)),
    )


@kernel
def _list_kinds(
    ranked: Requests, cost: Floats, extra: int, draft_room: float, verify_room: float, kinds: Kinds
) -> tuple[int, int]:
    """Write the kinds and their sets: how many there are of each, which may be more than there is room for."""
    widest, lengths, prompts, outputs, _ = cost.shape
    requests = len(ranked.price)
    kind_count, set_count = 0, 0
    worth = np.empty(widest + extra + 1)
    for length in range(lengths):
        for needed in np.unique(ranked.rounds[:, length]):
            for output in range(outputs):
                for prompt in range(prompts):
                    # The dearest that are admitted, and by which of them every limit has been met.
                    found, reach, worth[0] = 0, 0, 0.0
                    met_prompt, met_output, met_rounds = False, False, False
                    for k in range(requests):
                        if found == widest + extra:
                            break
                        if (
                            ranked.prompt[k] > prompt
                            or ranked.output[k] > output
                            or ranked.rounds[k, length] > needed
                        ):
                            continue
                        found += 1
                        worth[found] = worth[found - 1] + ranked.price[k]
                        met_prompt |= ranked.prompt[k] == prompt
                        met_output |= ranked.output[k] == output
                        met_rounds |= ranked.rounds[k, length] == needed
                        if reach == 0 and met_prompt and met_output and met_rounds:
                            reach = found
                    if reach == 0:
                        continue
                    for size in range(max(1, reach - extra), min(widest, found) + 1):
                        row = cost[size - 1, length, prompt, output]
                        if row[DRAFT_BYTES] > draft_room or row[VERIFY_BYTES] > verify_room:
                            continue
                        if kind_count < len(kinds.start):
                            kinds.start[kind_count] = size
                            kinds.cost[kind_count] = row
                            kinds.cost[kind_count, ROUNDS] = needed
                            # A member meets the last limit, so that it is no dearer than the one at the reach.
                            last = max(size, reach)
                            kinds.worth[kind_count] = worth[size - 1] + worth[last] - worth[last - 1]
                            kinds.reach[kind_count] = reach
                            kinds.admits[kind_count] = set_count
                        kind_count += 1
                    if set_count < len(kinds.prompt):
                        kinds.length[set_count], kinds.prompt[set_count], kinds.pace[set_count] = (
                            length,
                            prompt,
                            0,
                        )
                        for k in range(requests):
                            inside = (
                                ranked.prompt[k] <= prompt
                                and ranked.output[k] <= output
                                and ranked.rounds[k, length] <= needed
                            )
                            kinds.sets[set_count, k] = inside
                            if inside:
                                kinds.pace[set_count] = max(kinds.pace[set_count], ranked.pace[k])
                    set_count += 1
    return kind_count, set_count


@kernel(allocates=False)
def _worth_together(ranked: Requests, together: Floats) -> None:
    """Fill :attr:`Kinds.together`; minus infinity where there are not so many."""
    prompts, paces, most = together.shape
    for prompt in range(prompts):
        for pace in range(paces):
            together[prompt, pace] = -np.inf
            together[prompt, pace, 0] = 0.0
            found = 0
            for k in range(len(ranked.price)):
                if found == most - 1:
                    break
                if ranked.prompt[k] <= prompt and ranked.pace[k] <= pace:
                    found += 1
                    together[prompt, pace, found] = together[prompt, pace, found - 1] + ranked.price[k]
