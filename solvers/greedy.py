"""``greedy``: the heaviest task first, each to the server whose exact cost rises least. A floor for the others."""

from __future__ import annotations

import numpy as np

from uara.p1.allocation import allocate
from uara.p1.coefficients import Coefficients, coefficients
from uara.p1.decision import Allocation
from uara.p1.instance import Instance
from uara.registry import NoOptions, as_solver
from uara.solver import Context

from .search.rules import first_of_largest


def compile_greedy() -> None:
    """Load the compiled server cost, so that the clock does not count it."""
    from .common.warmup import rehearse

    rehearse(greedy, NoOptions())


@as_solver(prepare=compile_greedy)
def greedy(instance: Instance, context: Context[NoOptions]) -> Allocation:
    """Heaviest task first, each to the server whose cost rises least."""
    numbers = coefficients(instance)
    members: list[list[int]] = [[] for _ in range(len(instance.servers))]
    cost_ms = np.zeros(len(members))
    chosen = first_of_largest(instance, -numbers.uplink_ms)  # where it stays if time is up
    heaviest = np.maximum.reduceat(numbers.work, numbers.start[:-1])
    for device in np.argsort(-heaviest, kind="stable"):
        if context.expired():
            break
        own = range(numbers.start[device], numbers.start[device + 1])
        costs = {k: set_cost(numbers, [*members[numbers.server[k]], k]) for k in own}
        best = min(costs, key=lambda k: costs[k] - cost_ms[numbers.server[k]])
        cost_ms[numbers.server[best]] = costs[best]
        chosen[device] = numbers.server[best]
        members[chosen[device]].append(best)
    return allocate(instance, chosen)


def set_cost(numbers: Coefficients, candidates: list[int]) -> float:
    """V_j of the devices of some candidates, which are all of one server."""
    from uara.base.kernels import alone
    from uara.p1.server_cost import server_cost

    return float(
        alone(server_cost)(numbers, np.array(candidates, dtype=np.int64), np.empty((4, len(candidates))))[0]
    )
