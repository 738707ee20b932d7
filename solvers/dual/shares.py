"""Optimal shares of an association that the search holds."""

from __future__ import annotations

from uara.base.quantities import Floats

from ..search.state import State, Task


def optimal_shares(task: Task, state: State) -> tuple[Floats, Floats]:
    """(M,) Y and Z at which every server's cost is least (``docs/model.md``, section 2)."""
    return state.share.copy(), task.numbers.root_work[state.pair] / state.root_sum[state.chosen]
