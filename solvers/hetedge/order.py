"""A better order of service: requests change batches while that lowers the latency, then the programme cuts anew.

The programme is exact for a stated order, and no rule states the best one. The search keeps a plan's batches,
lengths and pairs, and tries to exchange two requests of different batches, or to move one; only the two batches
that are touched are priced again.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from uara.base.quantities import Floats, Indices
from uara.hetedge import bandwidth
from uara.hetedge.instance import HetEdge
from uara.hetedge.latency import cache_bytes, phases, rounds
from uara.hetedge.plan import Plan
from uara.hetedge.timeline import DRAFT_BYTES, FIELDS, ROUNDS, VERIFY_BYTES, play

from .search import draft_room, work_ms

_WORTH = 1e-9


class Exchange:
    """Local search over which request is in which batch of a plan.

    Parameters
    ----------
    arrived
        Whether prompts count as there when the service begins: band shares that follow the plan will see to it,
        while those of the plan at hand would hold any other order up.
    """

    def __init__(self, instance: HetEdge, plan: Plan, *, arrived: bool = False) -> None:
        self.instance, self.plan = instance, plan
        self.members = [list(map(int, batch)) for batch in plan.members()]
        upload_ms = bandwidth.upload_ms(instance, plan.bandwidth)
        self.release_ms = np.zeros(len(plan.order)) if arrived else instance.ready_ms + upload_ms
        self._rows = np.stack([self._row(m, batch) for m, batch in enumerate(self.members)])
        self._released = np.array([self.release_ms[batch].max() for batch in self.members])
        self._end, self._begin = np.empty(len(self.members)), np.empty(len(self.members))
        self._partner = self._partners()
        self.total_ms = self._played()

    def _partners(self) -> list[int]:
        """The batch that each batch alternates with, or itself."""
        partner = list(range(len(self.members)))
        for group in self.plan.groups():
            if len(group) == 2:
                partner[group[0]], partner[group[1]] = group[1], group[0]
        return partner

    def _row(self, index: int, batch: list[int]) -> Floats:
        """(9,) A batch as the compiled functions take it."""
        requests, system = self.instance.requests, self.instance.system
        length = int(self.plan.length[index])
        prompt, output = int(requests.prompt_tokens[batch].max()), int(requests.output_tokens[batch].max())
        times = phases(system, len(batch), prompt, output, length)
        needed = rounds(requests.output_tokens[batch], requests.acceptance_rate[batch], length)
        row = np.zeros(len(FIELDS))
        row[: ROUNDS + 1] = (
            times.prefill + times.draft, times.draft, times.send, times.first_verify, times.verify,
            times.reply, needed.max(),
        )  # fmt: skip
        if system.draft is not None and length:
            row[DRAFT_BYTES] = cache_bytes(system.draft, len(batch), prompt, output, length)
        row[VERIFY_BYTES] = cache_bytes(system.target, len(batch), prompt, output, length)
        return row

    def _played(self) -> float:
        play(self._rows, self._released, self.plan.paired, self._end, self._begin)
        return float(sum(len(batch) * end for batch, end in zip(self.members, self._end, strict=True)))

    def _fits(self, index: int) -> bool:
        pair = {index, self._partner[index]}
        draft = sum(self._rows[m, DRAFT_BYTES] for m in pair)
        verify = sum(self._rows[m, VERIFY_BYTES] for m in pair)
        return bool(
            draft <= draft_room(self.instance) and verify <= self.instance.system.target.cache_room_bytes
        )

    def attempt(self, changed: dict[int, list[int]]) -> bool:
        """Give some batches other members, if that fits and lowers the total latency."""
        before = {m: (self.members[m], self._rows[m].copy(), self._released[m]) for m in changed}
        for m, batch in changed.items():
            self.members[m] = batch
            self._rows[m] = self._row(m, batch)
            self._released[m] = self.release_ms[batch].max()
        if all(self._fits(m) for m in changed):
            total = self._played()
            if total < self.total_ms * (1 - _WORTH):
                self.total_ms = total
                return True
        for m, (batch, row, released) in before.items():
            self.members[m], self._rows[m], self._released[m] = batch, row, released
        return False

    def order(self) -> Indices:
        """(K,) The order of service: batch after batch, in each the shortest service first."""
        work = work_ms(self.instance)
        return np.array([k for batch in self.members for k in sorted(batch, key=lambda k: work[k])])


def exchange(
    instance: HetEdge,
    plan: Plan,
    rng: np.random.Generator,
    expired: Callable[[], bool],
    *,
    arrived: bool = False,
) -> tuple[Indices, float]:
    """Exchange and move requests until nothing helps or time is up: the order, and the total latency in ms."""
    search = Exchange(instance, plan, arrived=arrived)
    count, limit = len(plan.order), instance.parameters.largest_batch
    home = np.empty(count, dtype=np.int64)
    for m, batch in enumerate(search.members):
        home[batch] = m
    improved = True
    while improved and not expired():
        improved = False
        for first in rng.permutation(count).tolist():
            for m in range(len(search.members)):
                here = int(home[first])
                if m == here or expired():
                    continue
                if len(search.members[m]) < limit and len(search.members[here]) > 1:
                    left = [k for k in search.members[here] if k != first]
                    if search.attempt({here: left, m: [*search.members[m], first]}):
                        home[first], improved = m, True
                        continue
                for second in list(search.members[m]):
                    mine = [k for k in search.members[here] if k != first]
                    theirs = [k for k in search.members[m] if k != second]
                    if search.attempt({here: [*mine, second], m: [*theirs, first]}):
                        home[first], home[second], improved = m, here, True
                        break
    return search.order(), search.total_ms
