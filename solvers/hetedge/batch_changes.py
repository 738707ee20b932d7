"""Changes of a sequence that leave every batch its requests: its length, its place, its partner, compiled.

Each is one try, with the random numbers of a row of :func:`.anneal.anneal`: the total latency afterwards, in ms.
"""

from __future__ import annotations

import numpy as np

from uara.base.kernels import kernel
from uara.base.quantities import Floats

from .changes import other_place, taken
from .sequence import JOINED, OPTION, STARTS, Sequence, copy_slot, group_start, settle, shift
from .service import Service


@kernel(allocates=False, inner=True)
def other_length(service: Service, found: Sequence, value: float, limit: float, draw: Floats) -> float:
    """A batch has one of the two shorter or the two longer lengths."""
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
        new = taken(service, found, place, limit)
    if new < np.inf:
        return new
    copy_slot(found, spare, a)
    return value


@kernel(allocates=False, inner=True)
def _swap(found: Sequence, place: int, other: int) -> None:
    """Exchange two batches; which places alternate stays as it is."""
    a, b = found.sequence[place], found.sequence[other]
    found.sequence[place], found.sequence[other] = b, a
    joined = found.shape[a, JOINED]
    found.shape[a, JOINED] = found.shape[b, JOINED]
    found.shape[b, JOINED] = joined


@kernel(allocates=False, inner=True)
def exchange_batches(service: Service, found: Sequence, value: float, limit: float, draw: Floats) -> float:
    """Two batches exchange their places."""
    count = found.batches[0]
    if count < 2:
        return value
    place = int(draw[1] * count)
    other = other_place(count, place, draw[2])
    _swap(found, place, other)
    new = taken(service, found, min(place, other), limit)
    if new < np.inf:
        return new
    _swap(found, place, other)
    return value


@kernel(allocates=False, inner=True)
def move_group(service: Service, found: Sequence, value: float, limit: float, draw: Floats) -> float:
    """A pair, or a batch alone, goes before or after another such group."""
    count = found.batches[0]
    if count < 2:
        return value
    place = int(draw[1] * count)
    other = other_place(count, place, draw[2])
    source, target = group_start(found, place), group_start(found, other)
    if source == target:
        return value
    size = _group_size(found, source)
    if target > source:
        target += _group_size(found, target) - size
    first = min(source, target)
    _carry(found, source, target, size)
    new = taken(service, found, first, limit)
    if new < np.inf:
        return new
    _carry(found, target, source, size)
    return value


@kernel(allocates=False, inner=True)
def _group_size(found: Sequence, start: int) -> int:
    return 2 if start + 1 < found.batches[0] and found.known[start + 1, STARTS] == 0.0 else 1


@kernel(allocates=False, inner=True)
def _carry(found: Sequence, source: int, target: int, size: int) -> None:
    """Move so many batches that follow each other to begin at another place."""
    for index in range(size):
        if target < source:
            shift(found, source + index, target + index)
        else:
            shift(found, source, target + size - 1)


@kernel(allocates=False, inner=True)
def join_or_part(service: Service, found: Sequence, value: float, limit: float, draw: Floats) -> float:
    """A batch begins to alternate with the one before it, or ceases to."""
    if not service.pairs:
        return value
    place = int(draw[1] * found.batches[0])
    a = found.sequence[place]
    found.shape[a, JOINED] = 1 - found.shape[a, JOINED]
    new = taken(service, found, place, limit)
    if new < np.inf:
        return new
    found.shape[a, JOINED] = 1 - found.shape[a, JOINED]
    return value
