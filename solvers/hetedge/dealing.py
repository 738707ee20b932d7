"""A change of a sequence that deals the requests of two batches out anew, compiled.

A batch is as slow as its longest prompt, its longest output and its slowest pace, so that nothing is gained before the
last of several such requests has left it: one at a time they would have to climb. Dealt by prompt or by pace, they
change over together.
"""

from __future__ import annotations

import numpy as np

from uara.base.kernels import kernel
from uara.base.quantities import Floats, Indices

from .changes import both_taken, other_place
from .sequence import OPTION, SIZE, Sequence, copy_slot
from .service import Service


@kernel(allocates=False, inner=True)
def deal(service: Service, found: Sequence, value: float, limit: float, draw: Floats) -> float:
    """One of two batches gets the shortest prompts of both, or the quickest requests, the other one the rest.

    Half of the time one of them has another length as well. One try, with the random numbers of a row of
    :func:`.anneal.anneal`: the total latency afterwards, in ms.
    """
    count, most = found.batches[0], found.members.shape[1]
    if count < 2:
        return value
    place = int(draw[1] * count)
    other = other_place(count, place, draw[2])
    a, b = found.sequence[place], found.sequence[other]
    if a == b:
        return value
    spare = len(found.sequence)
    copy_slot(found, a, spare)
    copy_slot(found, b, spare + 1)
    total = _gather(found, a, b)
    _sort(service, found.pool, total, found.shape[a, OPTION], draw[3] < 0.5)
    least, largest = max(1, total - most), min(most, total - 1)
    _deal_out(found, a, b, least + int(2.0 * draw[3] % 1.0 * (largest - least + 1)), total)
    if draw[4] < 0.5:
        slot, step = a if draw[4] < 0.25 else b, int(4.0 * draw[4] % 1.0 * 4.0) - 2
        option = found.shape[slot, OPTION] + (step + 1 if step >= 0 else step)
        found.shape[slot, OPTION] = max(0, min(option, len(service.length) - 1))
    new = both_taken(service, found, (a, b), min(place, other), limit)
    if new < np.inf:
        return new
    copy_slot(found, spare, a)
    copy_slot(found, spare + 1, b)
    return value


@kernel(allocates=False, inner=True)
def _gather(found: Sequence, a: int, b: int) -> int:
    """Put the members of both batches into the pool: how many they are."""
    size = found.shape[a, SIZE]
    for index in range(size):
        found.pool[index] = found.members[a, index]
    for index in range(found.shape[b, SIZE]):
        found.pool[size + index] = found.members[b, index]
    return int(size + found.shape[b, SIZE])


@kernel(allocates=False, inner=True)
def _deal_out(found: Sequence, a: int, b: int, size: int, total: int) -> None:
    """Give the first ``size`` of the pool to one batch and the rest to the other."""
    for index in range(size):
        found.members[a, index] = found.pool[index]
    for index in range(size, total):
        found.members[b, index - size] = found.pool[index]
    found.shape[a, SIZE], found.shape[b, SIZE] = size, total - size


@kernel(allocates=False, inner=True)
def _sort(service: Service, pool: Indices, total: int, option: int, by_prompt: bool) -> None:
    """Insertion sort of the pool, by prompt or by pace, equal ones by the other."""
    for index in range(1, total):
        k, to = pool[index], index
        while to > 0 and _precedes(service, k, pool[to - 1], option, by_prompt):
            pool[to] = pool[to - 1]
            to -= 1
        pool[to] = k


@kernel(allocates=False, inner=True)
def _precedes(service: Service, k: int, other: int, option: int, by_prompt: bool) -> bool:
    prompt, pace = (
        service.prompt[k] - service.prompt[other],
        service.rounds[k, option] - service.rounds[other, option],
    )
    if by_prompt:
        return bool(prompt < 0 or (prompt == 0 and pace < 0.0))
    return bool(pace < 0.0 or (pace == 0.0 and prompt < 0))
