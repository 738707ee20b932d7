"""The search under the exact rule, as Python calls it: one way in for all that it does.

A way in holds the machine code of all that is called from it, so that each more of them would have the same kernels
made once more, which takes longer than these themselves.
"""

from __future__ import annotations

import numpy as np

from uara.base.kernels import kernel

from .chains import chains_by_prices
from .prices_search import moves_by_prices, swaps_by_prices
from .shake import DRAWS, Shaking, shakes
from .state import State, Task, settle_all_prices

_SETTLE, _MOVE, _SWAP, _CHAIN, _SHAKE = range(5)
_NONE, _NOBODY = np.zeros(1), np.zeros(0, dtype=np.int64)
_STILL = Shaking(_NONE, _NOBODY, _NOBODY, _NONE, np.zeros((0, DRAWS)), 1.0)


@kernel(allocates=False)
def _run(task: Task, state: State, what: int, first: int, last: int, shaking: Shaking) -> int:
    if what == _SETTLE:
        settle_all_prices(task, state)
        return 0
    if what == _MOVE:
        return moves_by_prices(task, state, first, last)
    if what == _SWAP:
        return swaps_by_prices(task, state, first, last)
    if what == _CHAIN:
        return chains_by_prices(task, state, first, last)
    return shakes(task, state, shaking)


def settle_by_prices(task: Task, state: State) -> None:
    """Rebuild the member lists from the association and compute every server afresh."""
    _run(task, state, _SETTLE, 0, 0, _STILL)


def move_pass(task: Task, state: State, first: int, last: int) -> int:
    """Move devices ``first..last`` in turn to where the cost falls most; returns the number of moves."""
    return int(_run(task, state, _MOVE, first, last, _STILL))


def swap_pass(task: Task, state: State, first: int, last: int) -> int:
    """Exchange the servers of devices ``first..last`` with any later device where the cost falls."""
    return int(_run(task, state, _SWAP, first, last, _STILL))


def chain_pass(task: Task, state: State, first: int, last: int) -> int:
    """Begin chains of two moves with the devices ``first..last`` where the cost falls; returns their number."""
    return int(_run(task, state, _CHAIN, first, last, _STILL))


def shake(task: Task, state: State, shaking: Shaking) -> int:
    """Shake an association once for each row of the draws; returns the last that found a better one, or -1."""
    return int(_run(task, state, _SHAKE, 0, 0, shaking))
