"""Answers from device prices: sets that a climb found cheapest made whole, shakes where prices are undecided."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from uara.base.quantities import Floats

from ..search.incumbents import Incumbents
from ..search.neighbourhood import Neighbourhood
from .layout import Layout
from .pool import Pool
from .pricing import CLOSED, OPEN, Prices, States, deviations

_WIDE = 3.0
"""Pairs whose flip costs more than this many gaps at the server's continuous optimum are not searched."""
_SPREAD = 0.3
"""Scale, in gaps, on which a dearer pair is less likely to be drawn."""
_WARMTH = 0.01
"""Rise, in gaps, that a shake may end with."""


class Answers:
    """The search for answers near device prices.

    Parameters
    ----------
    pool
        Receives the sets of every association that a search ends in.
    """

    def __init__(self, layout: Layout, found: Incumbents, pool: Pool) -> None:
        self.layout, self.found, self.pool = layout, found, pool
        self._by_device = np.lexsort((layout.server, layout.device))
        self._near: Neighbourhood | None = None
        self._weight = self._flip = np.zeros(0)

    def look(self, layout: Layout, prices: Prices, value_ms: float, states: States | None = None) -> None:
        """Search from now on where these prices, which prove so much, leave pairs undecided."""
        if states is None:
            states = np.full(len(layout.device), OPEN, dtype=np.uint8)
        gap_ms = max(self.found.cost_ms - value_ms, 1e-9 * abs(self.found.cost_ms)) + 1e-300
        flip = deviations(layout, prices, states)[self._by_device] / gap_ms
        size = np.abs(flip)
        usable = (states != CLOSED)[self._by_device]
        self._near = self.found.near(usable & (size < _WIDE))
        self._flip, self._gap_ms = np.where(usable, np.clip(flip, -1e6, 1e6), 2e6), gap_ms
        self._weight = np.where(usable & (size < 1.0), np.exp(-size / _SPREAD), 0.0)

    def round(self, trail: list[NDArray[np.bool_]], most: int) -> None:
        """Make associations of the last passes' sets, device by device where it costs least, and search from them."""
        assert self._near is not None
        done = 0
        for sets in reversed(trail):
            if done >= most or self._near.context.expired():
                break
            end = self._near.descend(10.0 * sets[self._by_device] - self._flip)
            if end is not None:
                self.pool.add_association(end)
                done += 1

    def prefer(self, shares: Floats) -> None:
        """Search from the association that (M, E) shares prefer."""
        assert self._near is not None
        by_device = self.layout.device[self._by_device], self.layout.server[self._by_device]
        end = self._near.descend(10.0 * shares[by_device] - np.clip(self._flip, -1.0, 2e6))
        if end is not None:
            self.pool.add_association(end)

    def shake(self, patience: int) -> bool:
        """Shake the best answer until nothing better has come for so many shakes; says whether any came."""
        assert self._near is not None
        better = self._near.shake(self._weight, patience, _WARMTH * self._gap_ms)
        if better and self.found.association is not None:
            self.pool.add_association(self.found.association)
        return better
