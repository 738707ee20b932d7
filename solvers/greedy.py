"""``greedy``: the heaviest task first, each to the server whose exact cost rises least. A floor for the others."""

from __future__ import annotations

import numpy as np

from uara.base.quantities import Floats, Indices
from uara.p1.allocation import allocate
from uara.p1.instance import Instance
from uara.p1.model import Allocation, Coefficients, coefficients
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
    for device in np.argsort(-numbers.server_flop, kind="stable"):
        if context.expired():
            break
        pairs = range(numbers.pair_start[device], numbers.pair_start[device + 1])
        costs = {p: set_cost(numbers, [*members[numbers.pair_server[p]], p]) for p in pairs}
        best = min(costs, key=lambda pair: costs[pair] - cost_ms[numbers.pair_server[pair]])
        cost_ms[numbers.pair_server[best]] = costs[best]
        chosen[device] = numbers.pair_server[best]
        members[chosen[device]].append(best)
    return allocate(instance, chosen)


def set_cost(numbers: Coefficients, pairs: list[int]) -> float:
    """V_j of the devices of some pairs, which are all pairs of one server."""
    from uara.p1.server_cost import server_cost

    if not pairs:
        return 0.0
    pair: Indices = np.array(pairs)
    device = np.searchsorted(numbers.pair_start, pair, side="right") - 1
    server = numbers.pair_server[pair[0]]
    work: Floats = np.empty(len(pair))
    return float(
        server_cost(
            numbers.local_ms[device],
            numbers.uplink_ms[pair],
            numbers.band_cost_ms[pair],
            np.sqrt(numbers.server_flop[device]),
            float(numbers.flop_per_ms[server]),
            float(numbers.wait_ms[server]),
            float(numbers.sync_weight_per_ms),
            work,
        )
    )
