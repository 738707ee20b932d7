"""Columns: the sets of devices that some pricing found cheapest for a server, each once, with its exact cost."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from uara.base.quantities import Floats, Indices

from .layout import Layout, set_cost
from .pricing import CLOSED, FORCED, States


class Pool:
    """The columns.

    Attributes
    ----------
    server, cost_ms
        (n,) Server of each column and V_j of its set.
    member
        (n, M) Its devices.
    """

    def __init__(self, layout: Layout) -> None:
        self._layout = layout
        self._seen: set[tuple[int, bytes]] = set()
        devices = len(layout.root_flop)
        self._server: list[int] = []
        self._cost: list[float] = []
        self._member = np.zeros((64, devices), dtype=bool)

    def __len__(self) -> int:
        return len(self._server)

    @property
    def server(self) -> Indices:
        """(C,) Server of each set."""
        return np.array(self._server, dtype=np.int64)

    @property
    def cost_ms(self) -> Floats:
        """(C,) What each set costs its server."""
        return np.array(self._cost)

    @property
    def member(self) -> NDArray[np.bool_]:
        """(C, M) The devices of each set."""
        return self._member[: len(self)]

    def add(self, sets: NDArray[np.bool_]) -> int:
        """Add the sets of all servers, a (K,) mask; returns how many are new."""
        layout, before = self._layout, len(self)
        for j in range(len(layout.wait_ms)):
            own = sets[layout.start[j] : layout.start[j + 1]]
            key = (j, np.packbits(own).tobytes())
            if key in self._seen:
                continue
            self._seen.add(key)
            pairs = layout.start[j] + np.flatnonzero(own)
            if len(self) == len(self._member):
                self._member = np.concatenate([self._member, np.zeros_like(self._member)])
            self._member[len(self), layout.device[pairs]] = True
            self._server.append(j)
            self._cost.append(set_cost(layout, j, pairs)[0])
        return len(self) - before

    def add_association(self, association: Indices) -> int:
        """Add the sets of an association; returns how many are new."""
        return self.add(association[self._layout.device] == self._layout.server)

    def fitting(self, states: States) -> NDArray[np.bool_]:
        """(n,) Which columns hold no closed pair, and every forced one of their server."""
        layout = self._layout
        shape = (len(layout.wait_ms), len(layout.root_flop))
        closed, forced = np.ones(shape, dtype=bool), np.zeros(shape, dtype=bool)
        closed[layout.server, layout.device] = states == CLOSED
        forced[layout.server, layout.device] = states == FORCED
        server, member = self.server, self.member
        return np.asarray(~((member & closed[server]) | (~member & forced[server])).any(axis=1))
