"""Simulated annealing over orders, batches, lengths and pairs at once, compiled.

A change is priced by the closed expressions from the first batch that it touches, and given up as soon as it must be
dearer than what would be accepted.
"""

from __future__ import annotations

import numpy as np

from uara.base.kernels import kernel
from uara.base.quantities import Floats

from .batch_changes import exchange_batches, join_or_part, move_group, other_length
from .dealing import deal
from .request_changes import exchange, merge, move, open_batch, split
from .sequence import Sequence
from .service import Service

DRAWS = 6
"""Random numbers of a change: its kind, four for itself, and one for the limit up to which it is accepted."""
_WEIGHTS = {
    "exchange": 40,
    "move": 26,
    "open": 2,
    "length": 12,
    "exchange batches": 6,
    "move a group": 3,
    "split": 4,
    "merge": 4,
    "deal": 10,
    "join or part": 3,
}
"""How often each kind of change is tried, in parts of their sum."""
_EXCHANGE, _MOVE, _OPEN, _LENGTH, _PLACE, _GROUP, _SPLIT, _MERGE, _DEAL, _ = (
    float(part) for part in np.cumsum(list(_WEIGHTS.values())) / sum(_WEIGHTS.values())
)
"""Where in [0, 1) the kinds of change end."""


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
            value_ms = exchange(service, found, value_ms, limit, draw)
        elif kind < _MOVE:
            value_ms = move(service, found, value_ms, limit, draw)
        elif kind < _OPEN:
            value_ms = open_batch(service, found, value_ms, limit, draw)
        elif kind < _LENGTH:
            value_ms = other_length(service, found, value_ms, limit, draw)
        elif kind < _PLACE:
            value_ms = exchange_batches(service, found, value_ms, limit, draw)
        elif kind < _GROUP:
            value_ms = move_group(service, found, value_ms, limit, draw)
        elif kind < _SPLIT:
            value_ms = split(service, found, value_ms, limit, draw)
        elif kind < _MERGE:
            value_ms = merge(service, found, value_ms, limit, draw)
        elif kind < _DEAL:
            value_ms = deal(service, found, value_ms, limit, draw)
        else:
            value_ms = join_or_part(service, found, value_ms, limit, draw)
    return value_ms
