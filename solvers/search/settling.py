"""States at an association, every server computed afresh."""

from __future__ import annotations

import numpy as np

from uara.base.quantities import Indices
from uara.p1.coefficients import Coefficients

from .by_prices import settle_by_prices
from .state import State, Task, settle_all_sums
from .sums import SUMS


def make_state(task: Task, numbers: Coefficients, association: Indices) -> State:
    """The search's state at an association; each device must be able to use its server."""
    devices, servers = numbers.devices, numbers.servers
    state = State(
        chosen=np.array(association, dtype=np.int64),
        pair=numbers.pairs_of(np.asarray(association)),
        head=np.full(servers, -1, dtype=np.int64),
        after=np.full(devices, -1, dtype=np.int64),
        before=np.full(devices, -1, dtype=np.int64),
        size=np.zeros(servers, dtype=np.int64),
        cost_ms=np.zeros(servers),
        root_sum=np.zeros(servers),
        psi_ms=np.zeros(len(numbers.server)),
        band_price_ms=np.zeros(servers),
        sums=np.zeros((servers, SUMS)),
        row=np.full(servers, -1, dtype=np.int64),
        members=np.empty(devices, dtype=np.int64),
        work=np.empty((4, devices)),
        share=np.zeros(devices),
        changed=np.zeros(servers + 1, dtype=np.int64),
        looked=np.full((2, devices), -1, dtype=np.int64),
    )
    settle(task, state)
    return state


def settle(task: Task, state: State) -> None:
    """Rebuild the member lists from the association and compute every server afresh.

    Each rule has kernels of its own, so that a method under one rule never compiles the other's.
    """
    settle_all_sums(task, state) if task.weighted else settle_by_prices(task, state)
