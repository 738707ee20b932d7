"""What the local search keeps of P1: servers' members and costs, and what a change of them would cost. Compiled.

Two cost rules are served alike:

* exact: every server shares optimally, its cost is V_j(S) (``uara.p1.server_cost``). By weak duality at the
  band price ``mu`` of the present set, ``V(S - i + k) >= V(S) - psi_i(mu) + psi_k(mu)`` plus the exact change
  of the compute term (``docs/model.md``, section 3);
* proportional: shares follow given weights per candidate, renormalised over the devices of a server (:mod:`.sums`).
  Band weights below ``reserve`` in sum leave the rest of the band idle.

What was tried once without a gain is tried again only after one of its two servers has changed: the state counts
changes, and knows of each server when it changed and of each device when it was last looked at.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from uara.base.kernels import kernel
from uara.base.quantities import Floats, Indices
from uara.p1.coefficients import Coefficients
from uara.p1.server_cost import least_band_cost, server_cost

from .sums import SUMS, cost_of, plus, terms_of


class Task(NamedTuple):
    """What the kernels read: P1 by candidate, and the sharing rule."""

    numbers: Coefficients
    """P1 by candidate."""
    capacity: Indices
    """(E,) Most devices of each server."""
    weighted: bool
    """Whether shares follow weights; else every server shares optimally."""
    terms: Floats
    """(K, 7) What each candidate adds to the sums of its server; (1, 7) under the exact rule."""
    reserve: float
    """Least sum of weights that a band is shared over."""


class State(NamedTuple):
    """What the kernels change: the association, its members as linked lists, and each server's sums."""

    chosen: Indices
    """(M,) Server of each device."""
    pair: Indices
    """(M,) Candidate of each device."""
    head: Indices
    """(E,) First device of each server, -1 for none."""
    after: Indices
    """(M,) Next device of the same server, -1 for none."""
    before: Indices
    """(M,) The one before, -1 for none."""
    size: Indices
    """(E,) Number of devices."""
    cost_ms: Floats
    """(E,) Cost of each server under the task's rule."""
    root_sum: Floats
    """(E,) Sum of ``root_work``; exact rule only."""
    psi_ms: Floats
    """(K,) wait + psi at the present price of the server's band; exact rule only."""
    band_price_ms: Floats
    """(E,) That price, mu."""
    sums: Floats
    """(E, 7) Sums of ``terms``; proportional rule only."""
    row: Indices
    """(E,) Work space: the candidates of a device by server, -1 for none."""
    members: Indices
    """(M,) Work space: candidates of a set."""
    work: Floats
    """(4, M) Work space of :func:`uara.p1.server_cost.server_cost`."""
    share: Floats
    """(M,) Optimal share of its server's band of each device; exact rule only."""
    changed: Indices
    """(E + 1,) The number of the change that last touched each server; then the number of the last change."""
    looked: Indices
    """(2, M) The last change before all moves, and all exchanges with later devices, of each device were tried."""


def make_task(
    numbers: Coefficients,
    weights: tuple[Floats, Floats] | None = None,
    capacity: Indices | None = None,
    reserve: float = 0.0,
) -> Task:
    """Lay P1 out for the kernels.

    Parameters
    ----------
    weights
        (K,) weights of Y and of Z for each candidate: proportional sharing; None: exact sharing.
    capacity
        (E,) Most devices of each server; None: no limit.
    reserve
        Band shares are weights over the larger of their sum and this; 0: the whole band is shared out.
    """
    if capacity is None:
        capacity = np.full(numbers.servers, numbers.devices)
    terms = np.zeros((1, SUMS)) if weights is None else terms_of(numbers, *weights)
    return Task(numbers, np.asarray(capacity, dtype=np.int64), weights is not None, terms, float(reserve))


@kernel(allocates=False, inner=True)
def find_pair(task: Task, device: int, server: int) -> int:
    """The device's candidate with a server, or -1 where it cannot use it."""
    numbers = task.numbers
    low, high = numbers.start[device], numbers.start[device + 1]
    while low < high:
        middle = (low + high) // 2
        if numbers.server[middle] < server:
            low = middle + 1
        else:
            high = middle
    return low if low < numbers.start[device + 1] and numbers.server[low] == server else -1


@kernel(allocates=False, inner=True)
def cost_after(task: Task, state: State, server: int, leaving: int, coming: int, coming_pair: int) -> float:
    """Exact cost of a server's set without device ``leaving`` and with device ``coming`` (-1 for none)."""
    n, device = 0, state.head[server]
    while device >= 0:
        if device != leaving:
            state.members[n] = state.pair[device]
            n += 1
        device = state.after[device]
    if coming >= 0:
        state.members[n] = coming_pair
        n += 1
    return server_cost(task.numbers, state.members[:n], state.work)[0]


@kernel(allocates=False, inner=True)
def settle_sums(task: Task, state: State, server: int) -> None:
    """Compute a server's cost and sums afresh from its members: proportional rule."""
    sums, device = (0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0), state.head[server]
    while device >= 0:
        sums = plus(sums, task.terms, state.pair[device])
        device = state.after[device]
    for n in range(SUMS):
        state.sums[server, n] = sums[n]
    cost = cost_of(sums, task.numbers.work_per_ms[server], task.reserve) if state.size[server] > 0 else 0.0
    state.cost_ms[server] = cost


@kernel(allocates=False, inner=True)
def settle_server(task: Task, state: State, server: int) -> None:
    """Compute a server's cost and prices afresh from its members: exact rule."""
    numbers = task.numbers
    root, n, device = 0.0, 0, state.head[server]
    while device >= 0:
        state.members[n] = state.pair[device]
        root += numbers.root_work[state.pair[device]]
        n += 1
        device = state.after[device]
    cost, price = server_cost(numbers, state.members[:n], state.work)
    state.root_sum[server], state.cost_ms[server], state.band_price_ms[server] = root, cost, price
    for a in range(n):
        state.share[numbers.device[state.members[a]]] = state.work[3, a]
    for place in range(numbers.server_start[server], numbers.server_start[server + 1]):
        k = numbers.by_server[place]
        state.psi_ms[k] = numbers.wait_ms[k] + least_band_cost(numbers, k, price)


@kernel(allocates=False)
def settle_all_sums(task: Task, state: State) -> None:
    """Rebuild the member lists from the association and compute every server afresh: proportional rule."""
    _link_all(state)
    for server in range(len(state.head)):
        settle_sums(task, state, server)


@kernel(allocates=False, inner=True)
def settle_all_prices(task: Task, state: State) -> None:
    """Rebuild the member lists from the association and compute every server afresh: exact rule."""
    _link_all(state)
    for server in range(len(state.head)):
        settle_server(task, state, server)


@kernel(allocates=False, inner=True)
def _link_all(state: State) -> None:
    for server in range(len(state.head)):
        state.head[server] = -1
        state.size[server] = 0
    for device in range(len(state.chosen) - 1, -1, -1):
        _link(state, device, state.chosen[device])
        state.looked[0, device] = state.looked[1, device] = -1


@kernel(allocates=False, inner=True)
def _link(state: State, device: int, server: int) -> None:
    first = state.head[server]
    state.after[device], state.before[device] = first, -1
    if first >= 0:
        state.before[first] = device
    state.head[server] = device
    state.size[server] += 1


@kernel(allocates=False, inner=True)
def _unlink(state: State, device: int, server: int) -> None:
    before, after = state.before[device], state.after[device]
    if before >= 0:
        state.after[before] = after
    else:
        state.head[server] = after
    if after >= 0:
        state.before[after] = before
    state.size[server] -= 1


@kernel(allocates=False, inner=True)
def reassign(state: State, device: int, server: int, pair: int) -> None:
    """Give a device to another server; the two servers must be settled afterwards."""
    here, last = state.chosen[device], len(state.head)
    _unlink(state, device, here)
    _link(state, device, server)
    number = state.changed[last] + 1
    state.changed[last] = state.changed[here] = state.changed[server] = number
    state.chosen[device], state.pair[device] = server, pair


@kernel(inline="always", allocates=False)
def change_bound(task: Task, state: State, server: int, leaving: int, coming: int, coming_pair: int) -> float:
    """A lower bound on the change of a server's exact cost: compute exactly, band by weak duality."""
    root = state.root_sum[server]
    new_root, rest = root, 0.0
    if leaving >= 0:
        new_root -= task.numbers.root_work[state.pair[leaving]]
        rest -= state.psi_ms[state.pair[leaving]]
    if coming >= 0:
        new_root += task.numbers.root_work[coming_pair]
        rest += state.psi_ms[coming_pair]
    return float((new_root * new_root - root * root) / task.numbers.work_per_ms[server] + rest)
