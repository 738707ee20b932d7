"""Which exchanges of two devices are worth computing: the compiled search spends nearly all its time on the others.

The scans stand inside their caller's machine code: handing the search's arrays to another function takes longer
than a hundred trials.
"""

from __future__ import annotations

from uara.base.kernels import kernel
from uara.base.quantities import Indices

from .state import State, Task
from .sums import cost_of, less, plus, sums_at


@kernel(inline="always", allocates=False)
def next_by_prices(
    task: Task, state: State, one: int, place: int, last_place: int, row: Indices, least_gain: float
) -> int:
    """Place of the next exchange with device ``one`` that its servers' prices do not exclude, or ``last_place``.

    Exact rule: compute changes exactly, band by no less than the costs at the bands' prices say. Left out is what was
    tried since both servers last changed.

    Parameters
    ----------
    place, last_place
        Range within ``by_server`` of the candidates of the server of ``one`` that are of later devices.
    row
        (E,) The candidate of ``one`` at each server, -1 where there is none.
    least_gain
        Smallest gain that counts, relative to the cost of the two servers.
    """
    numbers, chosen, pair, psi_ms, cost_ms, changed = (
        task.numbers,
        state.chosen,
        state.pair,
        state.psi_ms,
        state.cost_ms,
        state.changed,
    )
    by_server, device, root_work = numbers.by_server, numbers.device, numbers.root_work
    speed, root_sum = numbers.work_per_ms, state.root_sum
    here, since = chosen[one], state.looked[1, one]
    if changed[here] > since:
        since = -1
    own_root, own_psi, root_here = root_work[pair[one]], psi_ms[pair[one]], root_sum[here]
    found = last_place
    for at in range(place, last_place):
        coming = by_server[at]
        other = device[coming]
        there = chosen[other]
        going = row[there]
        if there == here or going < 0 or changed[there] <= since:
            continue
        rise = root_work[coming] - own_root
        bound = rise * (2.0 * root_here + rise) / speed[here]
        rise = root_work[going] - root_work[pair[other]]
        bound += rise * (2.0 * root_sum[there] + rise) / speed[there]
        bound += psi_ms[coming] - own_psi + psi_ms[going] - psi_ms[pair[other]]
        if bound < -least_gain * (cost_ms[here] + cost_ms[there]):
            found = at
            break
    return found


@kernel(inline="always", allocates=False)
def next_by_sums(
    task: Task, state: State, one: int, place: int, last_place: int, row: Indices, least_gain: float
) -> int:
    """Place of the next exchange with device ``one`` that gains, or ``last_place``: proportional rule."""
    numbers, chosen, pair, terms = task.numbers, state.chosen, state.pair, task.terms
    sums, cost_ms, speed, reserve = state.sums, state.cost_ms, numbers.work_per_ms, task.reserve
    by_server, device, changed = numbers.by_server, numbers.device, state.changed
    here, own, since = chosen[one], pair[one], state.looked[1, one]
    if changed[here] > since:
        since = -1
    without_one = less(sums_at(sums, here), terms, own)
    found = last_place
    for at in range(place, last_place):
        coming = by_server[at]
        other = device[coming]
        there = chosen[other]
        going = row[there]
        if there == here or going < 0 or changed[there] <= since:
            continue
        before = cost_ms[here] + cost_ms[there]
        after = cost_of(plus(without_one, terms, coming), speed[here], reserve)
        if after >= before:  # costs are not negative: no gain is possible
            continue
        without_other = less(sums_at(sums, there), terms, pair[other])
        after += cost_of(plus(without_other, terms, going), speed[there], reserve)
        if after - before < -least_gain * before:
            found = at
            break
    return found


@kernel(inline="always", allocates=False)
def fill_row(start: Indices, server: Indices, device: int, row: Indices) -> None:
    """Write the candidates of a device into the (E,) ``row``, which holds -1 everywhere else."""
    for k in range(start[device], start[device + 1]):
        row[server[k]] = k


@kernel(inline="always", allocates=False)
def clear_row(start: Indices, server: Indices, device: int, row: Indices) -> None:
    """Undo :func:`fill_row`: only the device's own entries are written, however many servers there are."""
    for k in range(start[device], start[device + 1]):
        row[server[k]] = -1


@kernel(inline="always", allocates=False)
def untried(start: Indices, server: Indices, changed: Indices, since: int, device: int) -> bool:
    """Whether a server of a device's candidates changed after the change ``since``; if none, all was tried then."""
    fresh = False
    for k in range(start[device], start[device + 1]):
        if changed[server[k]] > since:
            fresh = True
            break
    return fresh


@kernel(allocates=False, inner=True)
def last_place_until(task: Task, server: int, device: int) -> int:
    """The last place among a server's pairs whose device is not beyond ``device``."""
    numbers = task.numbers
    low, high = numbers.server_start[server], numbers.server_start[server + 1]
    while low < high:
        middle = (low + high) // 2
        if numbers.device[numbers.by_server[middle]] <= device:
            low = middle + 1
        else:
            high = middle
    return int(low - 1)
