"""Devices and servers along a space-filling curve: neighbours in the plane become neighbours in memory.

Compiled passes over a large network wait for memory; in this order they find what they need near by. The problem is
the same, and what is found is given back in its own order.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from uara.base.quantities import Floats, Indices
from uara.p1.coefficients import Coefficients, coefficients, reordered
from uara.p1.instance import Instance

LARGE_PAIRS = 50_000
"""Pairs from which the other order pays."""
_BITS = 16
_KEPT = "_along_curve"


class Ordered(NamedTuple):
    """A problem whose devices and servers are counted in another order."""

    numbers: Coefficients
    device: Indices
    """(M,) The device that is counted as the i-th."""
    server: Indices
    """(E,) The server that is counted as the j-th."""

    def inside(self, association: Indices) -> Indices:
        """(M,) An association of the problem, in this order."""
        place = np.empty(len(self.server), dtype=np.int64)
        place[self.server] = np.arange(len(place))
        return place[np.asarray(association)[self.device]]

    def outside(self, association: Indices) -> Indices:
        """(M,) An association in this order, in the problem's own."""
        own = np.empty(len(self.device), dtype=np.int64)
        own[self.device] = self.server[association]
        return own

    def pairs_of(self, own: Coefficients) -> Indices:
        """(K,) The candidate in this order of each of the problem's own."""
        servers = len(self.server)
        keys = self.device[self.numbers.device] * servers + self.server[self.numbers.server]
        order = np.argsort(keys)
        return np.asarray(order[np.searchsorted(keys[order], own.device * servers + own.server)])

    def prices_inside(self, prices: Floats) -> Floats:
        """(2E,) Prices of the problem's servers in this order."""
        return np.concatenate([half[self.server] for half in np.split(prices, 2)])

    def prices_outside(self, prices: Floats) -> Floats:
        """(2E,) The inverse of :meth:`prices_inside`."""
        own = np.empty(len(prices))
        servers = len(self.server)
        own[self.server], own[servers + self.server] = np.split(prices, 2)
        return own


def along_curve(instance: Instance) -> Ordered:
    """The problem in the order of a Morton curve (kept with it); its own where that does not pay."""
    kept = instance.__dict__.get(_KEPT)
    if kept is None:
        kept = _along_curve(instance)
        instance.__dict__[_KEPT] = kept
    return kept


def _along_curve(instance: Instance) -> Ordered:
    numbers = coefficients(instance)
    places = instance.servers.position_m, instance.devices.position_m
    if len(numbers.server) < LARGE_PAIRS or places[0] is None or places[1] is None:
        return Ordered(numbers, np.arange(numbers.devices), np.arange(numbers.servers))
    both = np.concatenate([each[:, :2] for each in places])  # type: ignore[index]
    low, high = both.min(0), both.max(0)
    server, device = (
        np.argsort(morton((each[:, :2] - low) / np.maximum(high - low, 1e-9)), kind="stable")  # type: ignore[index]
        for each in places
    )
    return Ordered(reordered(numbers, device, server), device, server)


def morton(points: Floats) -> Indices:
    """(n,) Places on the Morton curve of points (n, 2) of the unit square."""
    cells = np.clip(points * (2**_BITS - 1), 0, 2**_BITS - 1).astype(np.int64)
    place = np.zeros(len(cells), dtype=np.int64)
    for bit in range(_BITS):
        for axis in (0, 1):
            place |= ((cells[:, axis] >> bit) & 1) << (2 * bit + axis)
    return place
