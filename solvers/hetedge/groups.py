"""Groups of batches as columns of a linear program: at which position, what they cost, whom they serve."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np

from uara.base.quantities import Floats
from uara.hetedge.instance import HetEdge
from uara.hetedge.latency import phases, rounds
from uara.hetedge.plan import Plan
from uara.hetedge.timeline import FIELDS, ROUNDS, alone, pair


class Part(NamedTuple):
    """A batch: its requests, increasing, and its speculation length."""

    members: tuple[int, ...]
    length: int


class Groups:
    """Every group that is known, with its cost at the positions where it is known.

    Parameters
    ----------
    tail_ms
        Least time from a batch's last draft to the end of its last pass.
    """

    def __init__(self, instance: HetEdge, tail_ms: float) -> None:
        self.instance, self._tail_ms = instance, tail_ms
        self.requests = len(instance.requests)
        self._ends: dict[tuple[bool, tuple[Part, ...]], tuple[float, float, int]] = {}
        self._known: set[tuple[int, tuple[Part, ...]]] = set()
        self.start: list[int] = []
        self.stop: list[int] = []
        self.cost_ms: list[float] = []
        self.members: list[tuple[int, ...]] = []
        self.parts: list[tuple[Part, ...]] = []

    def add(self, position: int, parts: tuple[Part, ...], around: int = 2) -> int:
        """Add a group at a position and at those around it; how many of them were new."""
        size, new = sum(len(part.members) for part in parts), 0
        for start in range(max(0, position - around), min(self.requests - size, position + around) + 1):
            if (start, parts) in self._known:
                continue
            ends_ms, free_ms, _ = self._played(start > 0, parts)
            self._known.add((start, parts))
            self.start.append(start)
            self.stop.append(start + size)
            self.cost_ms.append(ends_ms + (self.requests - start - size) * free_ms)
            self.members.append(sum((part.members for part in parts), ()))
            self.parts.append(parts)
            new += 1
        return new

    def add_plan(self, plan: Plan, around: int, alone_around: int) -> None:
        """Add the groups of a plan, and its requests alone, where they stand: a chain leads on from every position."""
        members, position = plan.members(), 0
        for group in plan.groups():
            parts = tuple(Part(tuple(sorted(members[m].tolist())), int(plan.length[m])) for m in group)
            self.add(position, parts, around)
            for part in parts:
                for k in part.members:
                    self.add(position, (Part((k,), part.length),), alone_around)
                    position += 1

    def add_near(self, plan: Plan, around: int = 2) -> None:
        """Add the groups of a plan at their own positions and those around them."""
        members, position = plan.members(), 0
        for group in plan.groups():
            parts = tuple(Part(tuple(sorted(members[m].tolist())), int(plan.length[m])) for m in group)
            self.add(position, parts, around)
            position += sum(len(part.members) for part in parts)

    def _played(self, later: bool, parts: tuple[Part, ...]) -> tuple[float, float, int]:
        if (later, parts) not in self._ends:
            tail_ms, rows = self._tail_ms if later else 0.0, [self._row(part) for part in parts]
            sizes = [len(part.members) for part in parts]
            if len(parts) == 1:
                free_ms, end_ms = alone(0.0, tail_ms, 0.0, rows[0])
                found = (sizes[0] * end_ms, free_ms, sizes[0])
            else:
                free_ms, _, end_a, end_b = pair(0.0, tail_ms, 0.0, 0.0, rows[0], rows[1])
                found = (sizes[0] * end_a + sizes[1] * end_b, free_ms, sum(sizes))
            self._ends[later, parts] = found
        return self._ends[later, parts]

    def _row(self, part: Part) -> Floats:
        requests, members = self.instance.requests, list(part.members)
        output = requests.output_tokens[members]
        prompt = float(requests.prompt_tokens[members].max())
        times = phases(self.instance.system, len(members), prompt, float(output.max()), part.length)
        row = np.zeros(len(FIELDS))
        row[: ROUNDS + 1] = (
            times.prefill + times.draft, times.draft, times.send, times.first_verify, times.verify, times.reply,
            rounds(output, requests.acceptance_rate[members], part.length).max(),
        )  # fmt: skip
        return row

    def reduced_ms(self, price: Floats) -> Floats:
        """(C,) Cost of each column less the prices of its requests."""
        padded = np.append(price, 0.0)
        return np.asarray(np.array(self.cost_ms) - padded[self._table()].sum(axis=1))

    def _table(self) -> np.ndarray:
        """(C, 2 B) The members of each column, filled up with K."""
        widest = max(map(len, self.members))
        return np.array([each + (self.requests,) * (widest - len(each)) for each in self.members])

    def potentials_ms(self, reduced_ms: Floats) -> Floats:
        """(K + 1,) The least that is to come from each position, over chains of known columns."""
        least = np.full(self.requests + 1, np.inf)
        least[-1] = 0.0
        self.continued(reduced_ms)(0, self.requests, least)
        return least

    def continued(self, reduced_ms: Floats) -> Callable[[int, int, Floats], None]:
        """Writes what is to come from positions first to stop, where from stop on it is known."""
        start, stop = np.array(self.start), np.array(self.stop)
        order = np.argsort(start, kind="stable")
        edges = np.searchsorted(start[order], np.arange(self.requests + 1))

        def write(first: int, end: int, least: Floats) -> None:
            for i in range(end - 1, first - 1, -1):
                here = order[edges[i] : edges[i + 1]]
                least[i] = (reduced_ms[here] + least[stop[here]]).min(initial=np.inf)

        return write

    def keep(self, columns: Sequence[int]) -> None:
        """Forget all other columns."""
        wanted = list(columns)
        for name in ("start", "stop", "cost_ms", "members", "parts"):
            held = getattr(self, name)
            setattr(self, name, [held[column] for column in wanted])
        self._known = set(zip(self.start, self.parts, strict=True))
