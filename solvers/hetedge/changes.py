"""What the changes of a sequence of batches have in common: where else, and whether the change is accepted."""

from __future__ import annotations

import numpy as np

from uara.base.kernels import kernel

from .sequence import Sequence, accept, settle, walk
from .service import Service

_NEAR = 4
"""Half of the partners of a change are within so many places."""


@kernel(allocates=False, inner=True)
def other_place(count: int, place: int, draw: float) -> int:
    """Another place than the given one: any, or one nearby."""
    if draw < 0.5 or count <= 2 * _NEAR:
        other = int((2.0 * draw % 1.0) * (count - 1))
        return other + 1 if other >= place else other
    step = int((2.0 * draw - 1.0) * 2 * _NEAR) - _NEAR
    other = place + (step + 1 if step >= 0 else step)
    if other < 0 or other >= count:
        other = 2 * place - other
    return max(0, min(other, count - 1))


@kernel(allocates=False, inner=True)
def taken(service: Service, found: Sequence, first: int, limit: float) -> float:
    """The value of a change if it is accepted, which it is up to the limit; else infinite."""
    value = walk(service, found, first, limit)
    if value <= limit:
        accept(found, first)
        return value
    return np.inf


@kernel(allocates=False, inner=True)
def both_taken(service: Service, found: Sequence, slots: tuple[int, int], first: int, limit: float) -> float:
    """:func:`taken` where two batches that were changed still fit the nodes; else infinite."""
    if settle(service, found, slots[0]) and settle(service, found, slots[1]):
        return taken(service, found, first, limit)
    return np.inf
