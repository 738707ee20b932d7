"""What the local search keeps of P1: servers' members and costs, and what a change of them would cost. Compiled.

Two cost rules are served alike:

* exact: every server shares optimally, its cost is V_j(S) (``uara.p1.server_cost``). By weak duality at the
  band price ``mu`` of the present set, ``V(S - i + k) >= V(S) - psi_i(mu) + psi_k(mu)`` plus the exact change
  of the compute term (``docs/model.md``, section 3);
* proportional: shares follow given weights per pair, renormalised over the devices of a server. The cost is
  then a function of seven sums, and a trial takes constant time. Band weights below ``reserve`` in sum leave
  the rest of the band idle.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from uara.base.kernels import kernel
from uara.base.quantities import Floats, Indices
from uara.p1.model import Coefficients
from uara.p1.server_cost import bandwidth_shares, inverse_share

_SUMS = 7  # of wz, f/wz, wy, D c/wy, (c/wy)^2, a wy, D^2


class Task(NamedTuple):
    """What the kernels read: P1's coefficients, pairs by device and by server, and the sharing rule."""

    start: Indices
    server: Indices
    uplink_ms: Floats
    band_cost_ms: Floats
    band_weight: Floats
    compute_weight: Floats
    server_start: Indices
    server_pairs: Indices
    device_of: Indices
    local_ms: Floats
    flop: Floats
    root_flop: Floats
    flop_per_ms: Floats
    wait_ms: Floats
    capacity: Indices
    sync_weight: float
    weighted: bool
    reserve: float


class State(NamedTuple):
    """What the kernels change: the association, its members as linked lists, and each server's sums."""

    chosen: Indices
    pair: Indices
    head: Indices
    after: Indices
    before: Indices
    size: Indices
    cost_ms: Floats
    root_sum: Floats
    band_price_ms: Floats
    psi_ms: Floats
    sums: Floats
    work: Floats


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
        (K,) weights of Y and of Z for each pair: proportional sharing; None: exact sharing.
    capacity
        (E,) Most devices of each server; None: no limit.
    reserve
        Band shares are weights over the larger of their sum and this; 0: the whole band is shared out.
    """
    pairs, servers = len(numbers.pair_server), len(numbers.flop_per_ms)
    order = np.argsort(numbers.pair_server, kind="stable")
    unused = np.ones(1)
    return Task(
        numbers.pair_start,
        numbers.pair_server,
        numbers.uplink_ms,
        numbers.band_cost_ms,
        np.array(weights[0]) if weights else unused,
        np.array(weights[1]) if weights else unused,
        np.searchsorted(numbers.pair_server[order], np.arange(servers + 1)),
        order,
        np.repeat(np.arange(len(numbers.local_ms)), np.diff(numbers.pair_start)),
        numbers.local_ms,
        numbers.server_flop,
        np.sqrt(numbers.server_flop),
        numbers.flop_per_ms,
        numbers.wait_ms,
        np.full(servers, pairs, dtype=np.int64) if capacity is None else np.asarray(capacity, dtype=np.int64),
        numbers.sync_weight_per_ms,
        weights is not None,
        reserve,
    )


def make_state(task: Task, numbers: Coefficients, association: Indices) -> State:
    """The search's state at an association; each device must be able to use its server."""
    devices, servers = len(task.local_ms), len(task.flop_per_ms)
    state = State(
        chosen=np.array(association, dtype=np.int64),
        pair=numbers.pairs_of(np.asarray(association)),
        head=np.full(servers, -1, dtype=np.int64),
        after=np.full(devices, -1, dtype=np.int64),
        before=np.full(devices, -1, dtype=np.int64),
        size=np.zeros(servers, dtype=np.int64),
        cost_ms=np.zeros(servers),
        root_sum=np.zeros(servers),
        band_price_ms=np.zeros(servers),
        psi_ms=np.zeros(len(task.server)),
        sums=np.zeros((servers, _SUMS)),
        work=np.empty((4, max(devices + 1, _SUMS))),
    )
    settle(task, state)
    return state


@kernel
def find_pair(task: Task, device: int, server: int) -> int:
    """Index of the pair, or -1 where the device cannot use the server."""
    low, high = task.start[device], task.start[device + 1]
    while low < high:
        middle = (low + high) // 2
        if task.server[middle] < server:
            low = middle + 1
        else:
            high = middle
    return low if low < task.start[device + 1] and task.server[low] == server else -1


@kernel
def least_band_cost(task: Task, device: int, pair: int, price: float) -> float:
    """psi: the least ``lambda (D - c/y)^2 + (a + price) y`` over 0 < y <= 1."""
    if task.sync_weight <= 0.0:
        return 0.0
    uplink, cost = task.uplink_ms[pair], task.band_cost_ms[pair] + price
    balance = task.local_ms[device] / uplink
    u = max(1.0, inverse_share(balance, 0.5 * cost / (task.sync_weight * uplink * uplink), 0.0))
    gap = task.local_ms[device] - uplink * u
    return float(task.sync_weight * gap * gap + cost / u)


@kernel
def _add_sums(task: Task, sums: Floats, device: int, pair: int, sign: float) -> None:
    wy, wz = task.band_weight[pair], task.compute_weight[pair]
    ratio = task.uplink_ms[pair] / wy
    sums[0] += sign * wz
    sums[1] += sign * task.flop[device] / wz
    sums[2] += sign * wy
    sums[3] += sign * task.local_ms[device] * ratio
    sums[4] += sign * ratio * ratio
    sums[5] += sign * task.band_cost_ms[pair] * wy
    sums[6] += sign * task.local_ms[device] * task.local_ms[device]


@kernel
def _weighted_cost(task: Task, server: int, count: int, sums: Floats) -> float:
    if count == 0:
        return 0.0
    held = max(sums[2], task.reserve)
    synchronisation = sums[6] - 2.0 * held * sums[3] + held * held * sums[4]
    return float(
        count * task.wait_ms[server]
        + sums[0] * sums[1] / task.flop_per_ms[server]
        + task.sync_weight * synchronisation
        + sums[5] / held
    )


@kernel
def cost_after(task: Task, state: State, server: int, leaving: int, coming: int, coming_pair: int) -> float:
    """Cost of a server's set without device ``leaving`` and with device ``coming`` (-1 for none)."""
    count = state.size[server] - (leaving >= 0) + (coming >= 0)
    if task.weighted:
        sums = state.work[0, :_SUMS]
        sums[:] = state.sums[server]
        if leaving >= 0:
            _add_sums(task, sums, leaving, state.pair[leaving], -1.0)
        if coming >= 0:
            _add_sums(task, sums, coming, coming_pair, 1.0)
        return _weighted_cost(task, server, count, sums)
    local, uplink, band, shares = state.work[0], state.work[1], state.work[2], state.work[3]
    root, n = 0.0, 0
    device = state.head[server]
    while device >= 0:
        if device != leaving:
            pair = state.pair[device]
            local[n], uplink[n], band[n] = (
                task.local_ms[device],
                task.uplink_ms[pair],
                task.band_cost_ms[pair],
            )
            root += task.root_flop[device]
            n += 1
        device = state.after[device]
    if coming >= 0:
        local[n], uplink[n] = task.local_ms[coming], task.uplink_ms[coming_pair]
        band[n] = task.band_cost_ms[coming_pair]
        root += task.root_flop[coming]
        n += 1
    if n == 0:
        return 0.0
    cost, _ = bandwidth_shares(local[:n], uplink[:n], band[:n], task.sync_weight, shares[:n])
    return float(root * root / task.flop_per_ms[server] + n * task.wait_ms[server] + cost)


@kernel
def settle_server(task: Task, state: State, server: int) -> None:
    """Compute a server's cost, sums and price afresh from its members."""
    local, uplink, band, shares = state.work[0], state.work[1], state.work[2], state.work[3]
    state.sums[server] = 0.0
    root, n = 0.0, 0
    device = state.head[server]
    while device >= 0:
        pair = state.pair[device]
        if task.weighted:
            _add_sums(task, state.sums[server], device, pair, 1.0)
        local[n], uplink[n], band[n] = task.local_ms[device], task.uplink_ms[pair], task.band_cost_ms[pair]
        root += task.root_flop[device]
        n += 1
        device = state.after[device]
    if task.weighted:
        state.cost_ms[server] = _weighted_cost(task, server, n, state.sums[server])
        return
    state.root_sum[server] = root
    cost, price = 0.0, 0.0
    if n > 0:
        cost, price = bandwidth_shares(local[:n], uplink[:n], band[:n], task.sync_weight, shares[:n])
        cost += root * root / task.flop_per_ms[server] + n * task.wait_ms[server]
    state.cost_ms[server] = cost
    state.band_price_ms[server] = price
    for place in range(task.server_start[server], task.server_start[server + 1]):
        pair = task.server_pairs[place]
        state.psi_ms[pair] = least_band_cost(task, task.device_of[pair], pair, price)


@kernel
def settle(task: Task, state: State) -> None:
    """Rebuild the member lists from the association and compute every server afresh."""
    state.head[:] = -1
    state.size[:] = 0
    for device in range(len(state.chosen) - 1, -1, -1):
        _link(state, device, state.chosen[device])
    for server in range(len(state.head)):
        settle_server(task, state, server)


@kernel
def _link(state: State, device: int, server: int) -> None:
    first = state.head[server]
    state.after[device], state.before[device] = first, -1
    if first >= 0:
        state.before[first] = device
    state.head[server] = device
    state.size[server] += 1


@kernel
def _unlink(state: State, device: int, server: int) -> None:
    before, after = state.before[device], state.after[device]
    if before >= 0:
        state.after[before] = after
    else:
        state.head[server] = after
    if after >= 0:
        state.before[after] = before
    state.size[server] -= 1


@kernel
def reassign(state: State, device: int, server: int, pair: int) -> None:
    """Give a device to another server; the two servers must be settled afterwards."""
    _unlink(state, device, state.chosen[device])
    _link(state, device, server)
    state.chosen[device], state.pair[device] = server, pair


@kernel
def change_bound(task: Task, state: State, server: int, leaving: int, coming: int, coming_pair: int) -> float:
    """A lower bound on the change of a server's exact cost: compute exactly, band by weak duality."""
    root = state.root_sum[server]
    new_root, waiting, band = root, 0.0, 0.0
    if leaving >= 0:
        new_root -= task.root_flop[leaving]
        waiting -= task.wait_ms[server]
        band -= state.psi_ms[state.pair[leaving]]
    if coming >= 0:
        new_root += task.root_flop[coming]
        waiting += task.wait_ms[server]
        band += state.psi_ms[coming_pair]
    return float((new_root * new_root - root * root) / task.flop_per_ms[server] + waiting + band)
