"""Changes of a sequence that give requests to other batches, one, a part of a batch or a whole one, compiled.

Each is one try, with the random numbers of a row of :func:`.anneal.anneal`: the total latency afterwards, in ms.
"""

from __future__ import annotations

import numpy as np

from uara.base.kernels import kernel
from uara.base.quantities import Floats

from .changes import both_taken, other_place, taken
from .sequence import JOINED, OPTION, SIZE, Sequence, copy_slot, settle, shift
from .service import Service


@kernel(allocates=False, inner=True)
def exchange(service: Service, found: Sequence, value: float, limit: float, draw: Floats) -> float:
    """A request of one batch and one of another change over."""
    count = found.batches[0]
    if count < 2:
        return value
    place = int(draw[1] * count)
    other = other_place(count, place, draw[2])
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
    new = both_taken(service, found, (a, b), min(place, other), limit)
    if new < np.inf:
        return new
    copy_slot(found, spare, a)
    copy_slot(found, spare + 1, b)
    return value


@kernel(allocates=False, inner=True)
def _without(found: Sequence, slot: int, index: int) -> int:
    """Take a member out of a batch."""
    found.shape[slot, SIZE] -= 1
    k = found.members[slot, index]
    found.members[slot, index] = found.members[slot, found.shape[slot, SIZE]]
    return int(k)


@kernel(allocates=False, inner=True)
def move(service: Service, found: Sequence, value: float, limit: float, draw: Floats) -> float:
    """A request goes to another batch; a batch that is left empty is no more."""
    count = found.batches[0]
    if count < 2:
        return value
    place = int(draw[1] * count)
    other = other_place(count, place, draw[2])
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
        new = taken(service, found, min(place, other), limit)
    if new < np.inf:
        return new
    if emptied:
        shift(found, count - 1, place)
        found.batches[0] += 1
    copy_slot(found, spare, a)
    copy_slot(found, spare + 1, b)
    return value


@kernel(allocates=False, inner=True)
def open_batch(service: Service, found: Sequence, value: float, limit: float, draw: Floats) -> float:
    """A request goes into a batch of its own."""
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
    new = both_taken(service, found, (a, b), min(place, target), limit)
    if new < np.inf:
        return new
    found.batches[0] -= 1
    shift(found, target, count)
    copy_slot(found, spare, a)
    return value


@kernel(allocates=False, inner=True)
def split(service: Service, found: Sequence, value: float, limit: float, draw: Floats) -> float:
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
    if gone > 0:
        found.shape[a, SIZE], found.shape[b, SIZE], found.shape[b, OPTION] = kept, gone, option
        found.shape[b, JOINED] = 1 if service.pairs and draw[4] < 0.5 else 0
        target = place + 1 + int(2.0 * draw[4] % 1.0 * (count - place))
        shift(found, count, target)
        found.batches[0] += 1
        new = both_taken(service, found, (a, b), place, limit)
        if new < np.inf:
            return new
        found.batches[0] -= 1
        shift(found, target, count)
    copy_slot(found, spare, a)
    return value


@kernel(allocates=False, inner=True)
def merge(service: Service, found: Sequence, value: float, limit: float, draw: Floats) -> float:
    """A batch takes in another one whole."""
    count = found.batches[0]
    if count < 2:
        return value
    place = int(draw[1] * count)
    other = other_place(count, place, draw[2])
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
        new = taken(service, found, min(place, other), limit)
    if new < np.inf:
        return new
    shift(found, count - 1, other)
    found.batches[0] += 1
    copy_slot(found, spare, a)
    return value
