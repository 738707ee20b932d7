"""Shapes of groups that were worth something at some prices, and what they make of new ones."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from uara.base.kernels import alone
from uara.base.quantities import Floats, Indices
from uara.hetedge.batch_kinds import Requests, Tables
from uara.hetedge.instance import HetEdge
from uara.hetedge.request_prices import least_tail_ms

from .climb import LENGTH, SECOND, SIZE, Best, Scene, costs, swept
from .groups import Part

_MOST = 4000
"""Shapes that are kept: those that were the best somewhere last."""
_BEGINS = 2
"""Shapes from which better ones are sought at every position."""


class Shapes:
    """The shapes, in a list whose last ones were the best at some position last.

    Parameters
    ----------
    lengths
        (L,) Speculation lengths, by index.
    disjoint
        Whether the two batches of a pair share no request.
    """

    def __init__(self, instance: HetEdge, tables: Tables, lengths: Indices, *, disjoint: bool) -> None:
        self.disjoint = disjoint
        self._tables, self._tail_ms = tables, least_tail_ms(instance)
        self._lengths = lengths.tolist()
        self._ends: dict[tuple[int, ...], np.ndarray] = {}

    def add(self, groups: Iterable[tuple[Part, ...]]) -> None:
        """Know the shapes of some groups."""
        self._know([self._shape(parts) for parts in groups])

    def _shape(self, parts: tuple[Part, ...]) -> tuple[int, ...]:
        tables, shape = self._tables, [0] * 2 * SECOND
        for at, part in zip((0, SECOND), parts, strict=False):
            members, length = list(part.members), self._lengths.index(part.length)
            shape[at : at + SECOND] = (
                len(members), length, int(tables.prompt[members].max()), int(tables.output[members].max()),
                int(tables.rounds[members, length].max()),
            )  # fmt: skip
        return tuple(shape)

    def _know(self, shapes: Iterable[tuple[int, ...]]) -> None:
        """Those named last are the last to be forgotten."""
        scene, rows = self._scene(None), np.zeros((2, 9))
        for shape in shapes:
            ends = self._ends.pop(shape, None)
            if ends is None:
                each = np.array(shape)
                ends = np.array([alone(costs)(scene, each, later, rows) for later in (False, True)])
            if np.isfinite(ends).all():
                self._ends[shape] = ends
        for shape in list(self._ends)[: max(0, len(self._ends) - _MOST)]:
            del self._ends[shape]

    def _scene(self, ranked: Requests | None) -> Scene:
        tables = self._tables
        if ranked is None:
            ranked = Requests(np.zeros(len(tables.prompt)), *tables[1:5])
        ways = np.stack([np.argsort(each, kind="stable") for each in (ranked.prompt, ranked.pace)])
        potential = np.empty(len(ranked.price) + 1)
        return Scene(ranked, tables.cost, tables.rooms, self._tail_ms, self.disjoint, ways, potential)

    def sweep(self, ranked: Requests, order: Indices) -> tuple[Floats, list[tuple[Part, ...]]]:
        """What is to come from each position over chains of groups that were found, in ms, and the best group at each.

        Parameters
        ----------
        ranked, order
            The requests from the dearest down, and which each is (:func:`uara.hetedge.batch_kinds.ranked_by`).

        Returns
        -------
        tuple
            (K + 1,) potentials, and K groups.
        """
        requests = len(order)
        scene = self._scene(ranked)
        best = Best(
            np.zeros((requests, 2 * SECOND), np.int64), np.zeros((requests, requests), np.int64),
            np.zeros(requests, np.int64),
        )  # fmt: skip
        shapes, ends = np.array(list(self._ends)), np.stack(list(self._ends.values()))
        swept(scene, shapes, ends, _BEGINS, best)
        rows = [tuple(row) for row in best.shape.tolist()]
        self._know([tuple(shapes[known].tolist()) for known in best.known] + rows)
        return scene.potential, [
            self._parts(row, whose, order) for row, whose in zip(rows, best.whose, strict=True)
        ]

    def _parts(self, shape: tuple[int, ...], whose: Indices, order: Indices) -> tuple[Part, ...]:
        return tuple(
            Part(tuple(sorted(order[whose & batch > 0].tolist())), self._lengths[shape[at + LENGTH]])
            for batch, at in ((1, 0), (2, SECOND))
            if shape[at + SIZE]
        )
