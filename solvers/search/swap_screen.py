"""Which exchanges of two devices are worth computing: the compiled search spends nearly all its time on the others."""

from __future__ import annotations

from uara.base.kernels import kernel
from uara.base.quantities import Indices

from .state import State, Task


@kernel
def next_promising(
    task: Task, state: State, one: int, place: int, last_place: int, row: Indices, least_gain: float
) -> int:
    """Place of the next candidate whose device may gain by an exchange with device ``one``, or ``last_place``.

    Under the exact rule a candidate is passed over where the servers' prices prove that it gains nothing; under
    weights, where the sums say so.

    Parameters
    ----------
    place, last_place
        Range within ``by_server`` of the candidates of the server of ``one``, by increasing device.
    row
        (E,) The candidate of ``one`` at each server, -1 where there is none.
    least_gain
        Smallest gain that counts, relative to the cost of the two servers.
    """
    if task.weighted:
        return _next_by_sums(task, state, one, place, last_place, row, least_gain)
    numbers, chosen, pair, psi_ms, cost_ms = (
        task.numbers,
        state.chosen,
        state.pair,
        state.psi_ms,
        state.cost_ms,
    )
    by_server, device_of, root_work, speed = (
        numbers.by_server,
        numbers.device,
        numbers.root_work,
        numbers.work_per_ms,
    )
    here = chosen[one]
    own_root, own_psi, root_here = root_work[pair[one]], psi_ms[pair[one]], state.root_sum[here]
    for k in range(place, last_place):
        coming = by_server[k]
        other = device_of[coming]
        there = chosen[other]
        going = row[there]
        if other <= one or there == here or going < 0:
            continue
        # Compute changes exactly, band by no less than the costs at the bands' prices say.
        rise = root_work[coming] - own_root
        bound = rise * (2.0 * root_here + rise) / speed[here]
        rise = root_work[going] - root_work[pair[other]]
        bound += rise * (2.0 * state.root_sum[there] + rise) / speed[there]
        bound += psi_ms[coming] - own_psi + psi_ms[going] - psi_ms[pair[other]]
        if bound < -least_gain * (cost_ms[here] + cost_ms[there]):
            return k
    return last_place


@kernel
def _next_by_sums(
    task: Task, state: State, one: int, place: int, last_place: int, row: Indices, least_gain: float
) -> int:
    numbers, chosen, pair, terms = task.numbers, state.chosen, state.pair, task.terms
    sums, cost_ms, speed, reserve = state.sums, state.cost_ms, numbers.work_per_ms, task.reserve
    by_server, device_of = numbers.by_server, numbers.device
    here, own = chosen[one], pair[one]
    for k in range(place, last_place):
        coming = by_server[k]
        other = device_of[coming]
        there = chosen[other]
        going = row[there]
        if other <= one or there == here or going < 0:
            continue
        before = cost_ms[here] + cost_ms[there]
        after = _cost_of_exchange(sums[here], terms[own], terms[coming], speed[here], reserve)
        if after >= before:  # costs are not negative: no gain is possible
            continue
        after += _cost_of_exchange(sums[there], terms[pair[other]], terms[going], speed[there], reserve)
        if after - before < -least_gain * before:
            return k
    return last_place


@kernel(inline="always")
def _cost_of_exchange(sums, gone, come, speed, reserve):  # type: ignore[no-untyped-def]
    held = max(sums[2] - gone[2] + come[2], reserve)
    compute = (sums[0] - gone[0] + come[0]) * (sums[1] - gone[1] + come[1]) / speed
    late = held * (sums[4] - gone[4] + come[4]) - 2.0 * (sums[3] - gone[3] + come[3])
    return compute + (sums[6] - gone[6] + come[6]) + held * late + (sums[5] - gone[5] + come[5]) / held


@kernel
def fill_row(start: Indices, server: Indices, device: int, row: Indices) -> None:
    """Write the candidates of a device into the (E,) ``row``, -1 where there is none."""
    row[:] = -1
    for k in range(start[device], start[device + 1]):
        row[server[k]] = k
