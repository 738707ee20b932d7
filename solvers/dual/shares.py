"""Optimal bandwidth shares of an association that the search holds, all servers in one call. Compiled."""

from __future__ import annotations

from uara.base.kernels import kernel
from uara.base.quantities import Floats
from uara.p1.server_cost import server_cost

from ..search.state import State, Task


@kernel(allocates=False)
def optimal_shares(task: Task, state: State, band: Floats, compute: Floats) -> None:
    """Write the (M,) Y and Z at which every server's cost is least (``docs/model.md``, section 2)."""
    numbers = task.numbers
    for server in range(len(state.head)):
        n, root, device = 0, 0.0, state.head[server]
        while device >= 0:
            state.members[n] = state.pair[device]
            root += numbers.root_work[state.pair[device]]
            n += 1
            device = state.after[device]
        if n == 0:
            continue
        server_cost(numbers, state.members[:n], state.work)
        for a in range(n):
            pair = state.members[a]
            device = numbers.device[pair]
            band[device], compute[device] = state.work[3, a], numbers.root_work[pair] / root
