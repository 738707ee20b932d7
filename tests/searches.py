"""Searches under way, and checks of what they keep."""

from __future__ import annotations

from typing import Any

import numpy as np
from cases import random_association
from uara.solvers.search.matching import sharing_weights
from uara.solvers.search.settling import make_state
from uara.solvers.search.state import State, Task, make_task

from uara import Instance, allocate, evaluate
from uara.p1.model import coefficients

RULES = ("uniform", "sqrt", "optimal")


def search_at(instance: Instance, rule: Any = "optimal", seed: int = 0, **options: Any) -> tuple[Task, State]:
    numbers = coefficients(instance)
    task = make_task(numbers, sharing_weights(numbers, rule), **options)
    return task, make_state(task, numbers, random_association(instance, seed))


def evaluated(instance: Instance, association: Any, rule: Any) -> float:
    return evaluate(instance, allocate(instance, association, rule)).controllable_ms


def members_of(state: State, server: int) -> list[int]:
    """The linked list of a server, checked in both directions."""
    found, before, device = [], -1, int(state.head[server])
    while device >= 0:
        assert state.before[device] == before
        found.append(device)
        before, device = device, int(state.after[device])
    return found


def check_lists(state: State) -> None:
    for server in range(len(state.head)):
        found = members_of(state, server)
        assert sorted(found) == np.flatnonzero(state.chosen == server).tolist()
        assert state.size[server] == len(found)
