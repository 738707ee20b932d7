"""Work space of the pricing of one server, made once a layout: compiled code that makes no array compiles in half the
time. And the sorting there, by hand for the same reason.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from uara.base.kernels import kernel
from uara.base.quantities import Floats, Indices

from .layout import Layout

RATIO, SIGN, UP, DOWN, LOAD, OTHER = range(6)
"""Rows of ``line``: sorting keys, what flips add to the load, sums of those ahead, loads, and loads but one."""
COST, FLIP, REST, OTHERS = range(4)
"""Tables of ``table``: costs in each row, what flips add to them, gains of the rest, and costs but one."""
BASE, START, BUT_ONE, LABEL = range(4)
"""Rows of ``head``: costs of what is in the set anyway, of the base set, of all but one item, of a label."""
PLACE, ORDER = range(2)
"""Rows of ``whole``: the pair of each item, and items in order."""


class Room(NamedTuple):
    """Work space for up to n items with up to G rows."""

    line: Floats
    """(6, n + 1) Rows :data:`RATIO` to :data:`OTHER`; loads in the unit of ``Items.s``."""
    table: Floats
    """(4, G, n + 1) Tables :data:`COST` to :data:`OTHERS`, in ms."""
    head: Floats
    """(4, G) Rows :data:`BASE` to :data:`LABEL`, in ms."""
    whole: Indices
    """(2, n + 1) Rows :data:`PLACE` and :data:`ORDER`."""
    chosen: NDArray[np.bool_]
    """(n + 1,) The set."""


def room_for(items: int, rows: int) -> Room:
    """Work space for so many items with so many rows."""
    return Room(
        np.zeros((6, items + 1)),
        np.zeros((4, rows, items + 1)),
        np.zeros((4, rows)),
        np.zeros((2, items + 1), dtype=np.int64),
        np.zeros(items + 1, dtype=np.bool_),
    )


def room_of(layout: Layout) -> Room:
    """Work space for every server of a layout."""
    return room_for(int(np.diff(layout.start).max()), int(np.diff(layout.grid_start).max()))


@kernel(allocates=False, inner=True)
def sort_by(key: Floats, order: Indices, count: int) -> None:
    """Sort the first ``count`` of ``order`` by rising key (Shell's method with Knuth's steps)."""
    step = 1
    while 3 * step < count:
        step = 3 * step + 1
    while step > 0:
        for a in range(step, count):
            own, b = order[a], a
            while b >= step and key[order[b - step]] > key[own]:
                order[b] = order[b - step]
                b -= step
            order[b] = own
        step = (step - 1) // 3
