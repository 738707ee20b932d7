"""Simulated annealing over orders, batches, lengths and pairs at once, compiled.

A change is priced by the closed expressions from the first batch that it touches, and given up as soon as it must be
dearer than what would be accepted.
"""

from __future__ import annotations

import numpy as np

from uara.base.kernels import kernel
from uara.base.quantities import Floats

from .sequence import (
    JOINED,
    OPTION,
    SIZE,
    STARTS,
    Sequence,
    accept,
    copy_slot,
    group_start,
    settle,
    shift,
    walk,
)
from .service import Service

DRAWS = 6
"""Random numbers of a change."""
_EXCHANGE, _MOVE, _OPEN, _LENGTH, _PLACE, _GROUP, _SPLIT, _MERGE = (
    0.40,
    0.66,
    0.68,
    0.80,
    0.86,
    0.89,
    0.93,
    0.97,
)
"""Where in [0, 1) the kinds of change end: exchange two requests, move one, move one into a batch of its own, another
length, another place of a batch; the rest joins or parts a pair."""
_NEAR = 4
"""Half of the partners of a change are within so many places."""


@kernel(allocates=False)
def anneal(
    service: Service,
    found: Sequence,
    value_ms: float,
    temperature_ms: float,
    span: tuple[float, float],
    draws: Floats,
) -> float:
    """Change a sequence of batches, once for each row of random numbers: its total latency in ms.

    Parameters
    ----------
    value_ms
        Total latency of the sequence.
    temperature_ms
        At the beginning of the whole run.
    span
        Parts of the whole run that are over before and after this: the temperature falls with the square of the rest.
    draws
        (N, 6) Random numbers in [0, 1).
    """
    for index in range(len(draws)):
        draw = draws[index]
        done = span[0] + (span[1] - span[0]) * index / len(draws)
        limit = value_ms - temperature_ms * (1.0 - done) ** 2 * np.log(1.0 - draw[5])
        kind = draw[0]
        if kind < _EXCHANGE:
            value_ms = _exchange(service, found, value_ms, limit, draw)
        elif kind < _MOVE:
            value_ms = _move(service, found, value_ms, limit, draw)
        elif kind < _OPEN:
            value_ms = _open(service, found, value_ms, limit, draw)
        elif kind < _LENGTH:
            value_ms = _length(service, found, value_ms, limit, draw)
        elif kind < _PLACE:
            value_ms = _place(service, found, value_ms, limit, draw)
        elif kind < _GROUP:
            value_ms = _group(service, found, value_ms, limit, draw)
        elif kind < _SPLIT:
            value_ms = _split(service, found, value_ms, limit, draw)
        elif kind < _MERGE:
            value_ms = _merge(service, found, value_ms, limit, draw)
        else:
            value_ms = _join(service, found, value_ms, limit, draw)
    return value_ms


@kernel(allocates=False)
def _other(count: int, place: int, draw: float) -> int:
    """Another place than the given one: any, or one nearby."""
    if draw < 0.5 or count <= 2 * _NEAR:
        other = int((2.0 * draw % 1.0) * (count - 1))
        return other + 1 if other >= place else other
    step = int((2.0 * draw - 1.0) * 2 * _NEAR) - _NEAR
    other = place + (step + 1 if step >= 0 else step)
    if other < 0 or other >= count:
        other = 2 * place - other
    return max(0, min(other, count - 1))


@kernel(allocates=False)
def _taken(service: Service, found: Sequence, first: int, limit: float) -> float:
    """The value of a change if it is accepted, which it is up to the limit; else infinite."""
    value = walk(service, found, first, limit)
    if value <= limit:
        accept(found, first)
        return value
    return np.inf


@kernel(allocates=False)
def _exchange(service: Service, found: Sequence, value: float, limit: float, draw: Floats) -> float:
    count = found.batches[0]
    if count < 2:
        return value
    place = int(draw[1] * count)
    other = _other(count, place, draw[2])
    a, b = found.sequence[place], found.sequence[other]
    first, second = int(draw[3] * found.shape[a, SIZE]), int(draw[4] * found.shape[b, SIZE])
    if a == b:
        return value
    spare = len(found.sequence)
    copy_slot(found, a, spare)
    copy_slot(found, b, spare + 1)
    k = found.members[a, first]
    found.members[a, first] = found.members[b, second]
    found.members[b, second] = k
    new = np.inf
    if settle(service, found, a) and settle(service, found, b):
        new = _taken(service, found, min(place, other), limit)
    if new < np.inf:
        return new
    copy_slot(found, spare, a)
    copy_slot(found, spare + 1, b)
    return value


@kernel(allocates=False)
def _without(found: Sequence, slot: int, index: int) -> int:
    """Take a member out of a batch."""
    found.shape[slot, SIZE] -= 1
    k = found.members[slot, index]
    found.members[slot, index] = found.members[slot, found.shape[slot, SIZE]]
    return int(k)


@kernel(allocates=False)
def _move(service: Service, found: Sequence, value: float, limit: float, draw: Floats) -> float:
    count = found.batches[0]
    if count < 2:
        return value
    place = int(draw[1] * count)
    other = _other(count, place, draw[2])
    a, b = found.sequence[place], found.sequence[other]
    if a == b or found.shape[b, SIZE] == found.members.shape[1]:
        return value
    spare = len(found.sequence)
    copy_slot(found, a, spare)
    copy_slot(found, b, spare + 1)
    k = _without(found, a, int(draw[3] * found.shape[a, SIZE]))
    found.members[b, found.shape[b, SIZE]] = k
    found.shape[b, SIZE] += 1
    emptied = found.shape[a, SIZE] == 0
    if emptied:
        shift(found, place, count - 1)
        found.batches[0] -= 1
    new = np.inf
    if settle(service, found, b) and (emptied or settle(service, found, a)):
        new = _taken(service, found, min(place, other), limit)
    if new < np.inf:
        return new
    if emptied:
        shift(found, count - 1, place)
        found.batches[0] += 1
    copy_slot(found, spare, a)
    copy_slot(found, spare + 1, b)
    return value


@kernel(allocates=False)
def _open(service: Service, found: Sequence, value: float, limit: float, draw: Floats) -> float:
    count = found.batches[0]
    place, target = int(draw[1] * count), int(draw[2] * (count + 1))
    a = found.sequence[place]
    if found.shape[a, SIZE] < 2:
        return value
    spare = len(found.sequence)
    copy_slot(found, a, spare)
    k = _without(found, a, int(draw[3] * found.shape[a, SIZE]))
    b = found.sequence[count]
    found.members[b, 0] = k
    found.shape[b, SIZE], found.shape[b, OPTION] = 1, found.shape[a, OPTION]
    found.shape[b, JOINED] = 1 if service.pairs and draw[4] < 0.5 else 0
    shift(found, count, target)
    found.batches[0] += 1
    new = np.inf
    if settle(service, found, a) and settle(service, found, b):
        new = _taken(service, found, min(place, target), limit)
    if new < np.inf:
        return new
    found.batches[0] -= 1
    shift(found, target, count)
    copy_slot(found, spare, a)
    return value


@kernel(allocates=False)
def _length(service: Service, found: Sequence, value: float, limit: float, draw: Floats) -> float:
    place = int(draw[1] * found.batches[0])
    a = found.sequence[place]
    step = int(draw[2] * 4.0) - 2
    option = found.shape[a, OPTION] + (step + 1 if step >= 0 else step)
    if option < 0 or option >= len(service.length):
        return value
    spare = len(found.sequence)
    copy_slot(found, a, spare)
    found.shape[a, OPTION] = option
    new = np.inf
    if settle(service, found, a):
        new = _taken(service, found, place, limit)
    if new < np.inf:
        return new
    copy_slot(found, spare, a)
    return value


@kernel(allocates=False)
def _swap(found: Sequence, place: int, other: int) -> None:
    """Exchange two batches; which places alternate stays as it is."""
    a, b = found.sequence[place], found.sequence[other]
    found.sequence[place], found.sequence[other] = b, a
    joined = found.shape[a, JOINED]
    found.shape[a, JOINED] = found.shape[b, JOINED]
    found.shape[b, JOINED] = joined


@kernel(allocates=False)
def _place(service: Service, found: Sequence, value: float, limit: float, draw: Floats) -> float:
    count = found.batches[0]
    if count < 2:
        return value
    place = int(draw[1] * count)
    other = _other(count, place, draw[2])
    _swap(found, place, other)
    new = _taken(service, found, min(place, other), limit)
    if new < np.inf:
        return new
    _swap(found, place, other)
    return value


@kernel(allocates=False)
def _group(service: Service, found: Sequence, value: float, limit: float, draw: Floats) -> float:
    """A pair, or a batch alone, goes before or after another such group."""
    count = found.batches[0]
    if count < 2:
        return value
    place = int(draw[1] * count)
    other = _other(count, place, draw[2])
    source, target = group_start(found, place), group_start(found, other)
    if source == target:
        return value
    size = _group_size(found, source)
    if target > source:
        target += _group_size(found, target) - size
    first = min(source, target)
    _carry(found, source, target, size)
    new = _taken(service, found, first, limit)
    if new < np.inf:
        return new
    _carry(found, target, source, size)
    return value


@kernel(allocates=False)
def _group_size(found: Sequence, start: int) -> int:
    return 2 if start + 1 < found.batches[0] and found.known[start + 1, STARTS] == 0.0 else 1


@kernel(allocates=False)
def _carry(found: Sequence, source: int, target: int, size: int) -> None:
    """Move so many batches that follow each other to begin at another place."""
    for index in range(size):
        if target < source:
            shift(found, source + index, target + index)
        else:
            shift(found, source, target + size - 1)


@kernel(allocates=False)
def _split(service: Service, found: Sequence, value: float, limit: float, draw: Floats) -> float:
    """A batch loses all members with longer prompts, or a slower pace, than one of them; they follow in their own."""
    count = found.batches[0]
    place = int(draw[1] * count)
    a = found.sequence[place]
    size = found.shape[a, SIZE]
    if size < 2:
        return value
    b, spare = found.sequence[count], len(found.sequence)
    copy_slot(found, a, spare)
    by_prompt, option = draw[3] < 0.5, found.shape[a, OPTION]
    pivot = found.members[a, int(draw[2] * size)]
    kept, gone = 0, 0
    for index in range(size):
        k = found.members[a, index]
        if by_prompt:
            longer = service.prompt[k] > service.prompt[pivot]
        else:
            longer = service.rounds[k, option] > service.rounds[pivot, option]
        if longer:
            found.members[b, gone] = k
            gone += 1
        else:
            found.members[a, kept] = k
            kept += 1
    new = np.inf
    if gone > 0:
        found.shape[a, SIZE], found.shape[b, SIZE], found.shape[b, OPTION] = kept, gone, option
        found.shape[b, JOINED] = 1 if service.pairs and draw[4] < 0.5 else 0
        target = place + 1 + int(2.0 * draw[4] % 1.0 * (count - place))
        shift(found, count, target)
        found.batches[0] += 1
        if settle(service, found, a) and settle(service, found, b):
            new = _taken(service, found, place, limit)
        if new < np.inf:
            return new
        found.batches[0] -= 1
        shift(found, target, count)
    copy_slot(found, spare, a)
    return value


@kernel(allocates=False)
def _merge(service: Service, found: Sequence, value: float, limit: float, draw: Floats) -> float:
    """A batch takes in another one whole."""
    count = found.batches[0]
    if count < 2:
        return value
    place = int(draw[1] * count)
    other = _other(count, place, draw[2])
    a, b = found.sequence[place], found.sequence[other]
    size = found.shape[a, SIZE]
    if a == b or size + found.shape[b, SIZE] > found.members.shape[1]:
        return value
    spare = len(found.sequence)
    copy_slot(found, a, spare)
    for index in range(found.shape[b, SIZE]):
        found.members[a, size + index] = found.members[b, index]
    found.shape[a, SIZE] += found.shape[b, SIZE]
    shift(found, other, count - 1)
    found.batches[0] -= 1
    new = np.inf
    if settle(service, found, a):
        new = _taken(service, found, min(place, other), limit)
    if new < np.inf:
        return new
    shift(found, count - 1, other)
    found.batches[0] += 1
    copy_slot(found, spare, a)
    return value


@kernel(allocates=False)
def _join(service: Service, found: Sequence, value: float, limit: float, draw: Floats) -> float:
    if not service.pairs:
        return value
    place = int(draw[1] * found.batches[0])
    a = found.sequence[place]
    found.shape[a, JOINED] = 1 - found.shape[a, JOINED]
    new = _taken(service, found, place, limit)
    if new < np.inf:
        return new
    found.shape[a, JOINED] = 1 - found.shape[a, JOINED]
    return value
