"""A sequence of batches that a search changes in place, and its total latency by the closed expressions.

Batches live in slots. The first ``batches`` entries of ``sequence`` are the batches in the order of service, the rest
are free slots; the last two slots keep what a change may have to put back.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from uara.base.kernels import kernel
from uara.base.quantities import Floats, Indices
from uara.hetedge.plan import Plan
from uara.hetedge.timeline import DRAFT_BYTES, FIELDS, FIRST_DRAFT, VERIFY_BYTES, alone, pair, partner_begin

from .service import Service, fill_row

SIZE, OPTION, JOINED = range(3)
"""Columns of ``Sequence.shape``: requests, index of the speculation length, whether it alternates with the batch before
it where that is free and both fit."""
RELEASE, AIRTIME = range(2)
"""Columns of ``Sequence.arrival``, in ms: earliest time of all prompts, and upload over the whole band."""
DRAFTED, VERIFIED, COST, OFFSET, STARTS = range(5)
"""Columns of a walk: both nodes' times and the latencies before a batch, how late its prompts may be, whether it
begins a group."""
_STEPS, _CLOSE = 30, 1e-6


class Sequence(NamedTuple):
    """The batches, in S slots for up to S - 2 of them."""

    members: Indices
    """(S, B) Requests of each."""
    shape: Indices
    """(S, 3) Columns :data:`SIZE` to :data:`JOINED`."""
    rows: Floats
    """(S, 9) :data:`uara.hetedge.timeline.FIELDS`."""
    arrival: Floats
    """(S, 2) Columns :data:`RELEASE`, :data:`AIRTIME`."""
    sequence: Indices
    """(S - 2,) Slots in the order of service, then free ones."""
    batches: Indices
    """(1,) How many there are."""
    known: Floats
    """(S - 1, 5) The walk of the sequence as it was accepted."""
    tried: Floats
    """(S - 1, 5) The walk of a change."""
    pool: Indices
    """(2 B,) Room for the members of two batches."""


def sequence_of(service: Service, plan: Plan) -> Sequence:
    """A plan as a sequence that can be changed."""
    widest, slots = service.prefill_ms.shape[0], len(service.prompt) + 2
    found = Sequence(
        members=np.zeros((slots, widest), dtype=np.int64),
        shape=np.zeros((slots, 3), dtype=np.int64),
        rows=np.zeros((slots, len(FIELDS))),
        arrival=np.zeros((slots, 2)),
        sequence=np.arange(slots - 2),
        batches=np.array([len(plan.batch_size)]),
        known=np.zeros((slots - 1, 5)),
        tried=np.zeros((slots - 1, 5)),
        pool=np.zeros(2 * widest, dtype=np.int64),
    )
    options = np.searchsorted(service.length, plan.length)
    for slot, members in enumerate(plan.members()):
        found.members[slot, : len(members)] = members
        found.shape[slot] = len(members), options[slot], plan.paired[slot]
        settle(service, found, slot)
    walk(service, found, 0, np.inf)
    accept(found, 0)
    return found


def plan_of(service: Service, found: Sequence, share: Floats) -> Plan:
    """The sequence as a plan with the given band shares."""
    slots = found.sequence[: found.batches[0]]
    size, option, _ = found.shape[slots].T
    members = [found.members[slot, :n] for slot, n in zip(slots, size, strict=True)]
    paired = found.known[: found.batches[0], STARTS] == 0.0
    return Plan(np.concatenate(members), size, service.length[option], paired, share)


@kernel(allocates=False)
def settle(service: Service, found: Sequence, slot: int) -> bool:
    """Bring a slot's row and arrival up to date; whether the batch fits both nodes."""
    size, row = found.shape[slot, SIZE], found.rows[slot]
    fill_row(service, found.members[slot], size, found.shape[slot, OPTION], row)
    release, airtime = 0.0, 0.0
    for index in range(size):
        release = max(release, service.release_ms[found.members[slot, index]])
        airtime += service.airtime_ms[found.members[slot, index]]
    found.arrival[slot, RELEASE], found.arrival[slot, AIRTIME] = release, airtime
    return bool(row[DRAFT_BYTES] <= service.room_bytes[0] and row[VERIFY_BYTES] <= service.room_bytes[1])


@kernel(allocates=False)
def copy_slot(found: Sequence, source: int, target: int) -> None:
    """Make one slot hold what another holds."""
    for index in range(found.shape[source, SIZE]):
        found.members[target, index] = found.members[source, index]
    _copy(found.shape[source], found.shape[target])
    _copy(found.rows[source], found.rows[target])
    _copy(found.arrival[source], found.arrival[target])


@kernel(allocates=False)
def _copy(source: np.ndarray, target: np.ndarray) -> None:
    for index in range(len(source)):
        target[index] = source[index]


@kernel(allocates=False)
def shift(found: Sequence, source: int, target: int) -> None:
    """Move the slot at one place of the sequence to another place."""
    slot, place = found.sequence[source], source
    while place < target:
        found.sequence[place] = found.sequence[place + 1]
        place += 1
    while place > target:
        found.sequence[place] = found.sequence[place - 1]
        place -= 1
    found.sequence[target] = slot


@kernel(allocates=False)
def accept(found: Sequence, first: int) -> None:
    """Take the walk that was tried for the known one, from where it began."""
    for place in range(_touched(found, first), found.batches[0] + 1):
        _copy(found.tried[place], found.known[place])
        if place < found.batches[0]:
            found.shape[found.sequence[place], JOINED] = 0 if found.tried[place, STARTS] == 1.0 else 1


@kernel(allocates=False)
def group_start(found: Sequence, place: int) -> int:
    """Where the known group of a place begins."""
    while place > 0 and found.known[place, STARTS] == 0.0:
        place -= 1
    return place


@kernel(allocates=False)
def _touched(found: Sequence, first: int) -> int:
    """The group that a change at a place can touch first: its batch may join the one before."""
    return group_start(found, max(min(first, found.batches[0]) - 1, 0))


@kernel(allocates=False)
def walk(service: Service, found: Sequence, first: int, limit: float) -> float:
    """Total latency in ms of the sequence, whose places before ``first`` are as known; infinite above ``limit``.

    With shares that follow the plan all of it waits for the least common start t that lets every batch arrive in time,
    sum over batches of airtime / (t + offset) = 1 (:func:`uara.hetedge.bandwidth.in_time`, linear rate).
    """
    count, rows, slots, tried = found.batches[0], found.rows, found.sequence, found.tried
    left = float(len(service.prompt))
    begin = _touched(found, first)
    for place in range(begin):
        left -= found.shape[slots[place], SIZE]
        _copy(found.known[place], tried[place])
    _copy(found.known[begin], tried[begin])
    drafted, verified, cost = tried[begin, DRAFTED], tried[begin, VERIFIED], tried[begin, COST]
    place = begin
    while place < count:
        if cost + left * verified > limit:
            return np.inf
        slot = slots[place]
        a, size_a, release_a = rows[slot], found.shape[slot, SIZE], found.arrival[slot, RELEASE]
        at = tried[place]
        at[DRAFTED], at[VERIFIED], at[COST], at[STARTS] = drafted, verified, cost, 1.0
        started = max(drafted if a[FIRST_DRAFT] > 0.0 else verified, release_a)
        at[OFFSET] = started - release_a
        if place + 1 < count and _alternate(service, found, slot, slots[place + 1]):
            partner = slots[place + 1]
            b, size_b, release_b = rows[partner], found.shape[partner, SIZE], found.arrival[partner, RELEASE]
            at = tried[place + 1]
            at[STARTS] = 0.0
            at[OFFSET] = max(partner_begin(started, a, b), release_b) - release_b
            drafted, verified, end_a, end_b = pair(drafted, verified, release_a, release_b, a, b)
            cost += size_a * end_a + size_b * end_b
            left -= size_a + size_b
            place += 2
        else:
            drafted, verified = alone(drafted, verified, release_a, a)
            cost += size_a * verified
            left -= size_a
            place += 1
    at = tried[count]
    at[DRAFTED], at[VERIFIED], at[COST], at[STARTS] = drafted, verified, cost, 1.0
    if cost > limit:
        return np.inf
    total: float = cost + len(service.prompt) * _common_start(found)
    return total


@kernel(allocates=False)
def _alternate(service: Service, found: Sequence, slot: int, partner: int) -> bool:
    a, b = found.rows[slot], found.rows[partner]
    return bool(
        found.shape[partner, JOINED] != 0
        and a[DRAFT_BYTES] + b[DRAFT_BYTES] <= service.room_bytes[0]
        and a[VERIFY_BYTES] + b[VERIFY_BYTES] <= service.room_bytes[1]
    )


@kernel(allocates=False)
def _common_start(found: Sequence) -> float:
    """The root t by Newton's method, which climbs to it from below; 0 where all arrive in time at once."""
    count, start = found.batches[0], 0.0
    for place in range(count):
        airtime = found.arrival[found.sequence[place], AIRTIME]
        if airtime > 0.0:
            start = max(start, airtime - found.tried[place, OFFSET])
    for _ in range(_STEPS):
        needed, slope = -1.0, 0.0
        for place in range(count):
            airtime = found.arrival[found.sequence[place], AIRTIME]
            if airtime > 0.0:
                part = airtime / (start + found.tried[place, OFFSET])
                needed += part
                slope += part / (start + found.tried[place, OFFSET])
        if needed <= 0.0 or needed <= _CLOSE * start * slope:
            break
        start += needed / slope
    return start
