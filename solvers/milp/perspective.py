"""The perspective relaxation of P1 by tangents: its rows, for whichever solver takes them.

Per pair: x (the device uses the server), v = y / y_max with y_max = min(1, c/D), and e, which is at least the
synchronisation cost; per server: t, the sum of the roots ``s_i`` of the work it is given, and q, at least
``t^2 / F``. Both costs are convex, so that their tangents lie below them:

    q >= (2 tau t - tau^2) / F          for any tau,
    e >= g(v0) x + g'(v0) (v - v0 x)    for any v0 in (0, 1], with g(v) = lambda (D - c / (v y_max))^2.

The second is the perspective ``x g(v / x)`` cut by its tangents (Frangioni and Gentile, Mathematical Programming
106, 2006). With one tangent per pair and server at the optimal prices the relaxation already has the value of
the price bound; further tangents are added where answers lie, so that nothing is approximated at the end.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from uara.base.quantities import Floats, Indices
from uara.p1.coefficients import Coefficients

STEEPEST_MS = 1e12
"""Largest slope of a tangent."""
LARGEST_CAP = 2.0**30
"""Largest cost of an answer, in the unit of the relaxation."""


class Rows(NamedTuple):
    """Linear rows ``lower <= sum value * column <= upper`` in compressed form."""

    lower: Floats
    upper: Floats
    start: Indices
    column: Indices
    value: Floats

    def moderate(self) -> Rows:
        """Those whose coefficients HiGHS takes: a tangent less is a weaker relaxation, and still one."""
        if not len(self.lower):
            return self
        keep = np.maximum.reduceat(np.abs(self.value), self.start[:-1]) <= 2 * STEEPEST_MS
        each, size = np.repeat(keep, np.diff(self.start)), np.diff(self.start)[keep]
        start = np.concatenate([[0], np.cumsum(size)])
        return Rows(self.lower[keep], self.upper[keep], start, self.column[each], self.value[each])


@dataclass(frozen=True, eq=False)
class Perspective:
    """Columns and rows of the relaxation over some pairs.

    Columns: x, v and e of the K pairs (``0:K``, ``K:2K``, ``2K:3K``), then t and q of the E servers.
    """

    numbers: Coefficients
    cap_ms: float
    """Cost of some association: no answer of interest costs more, which keeps the tangents' numbers small."""
    unit_ms: float = 1.0
    """What ``numbers`` and ``cap_ms`` count as one millisecond."""

    @classmethod
    def scaled(cls, numbers: Coefficients, cap_ms: float) -> Perspective:
        """In a unit in which ``cap_ms`` is not large: HiGHS takes no coefficients that are far apart."""
        unit_ms = float(2.0 ** np.ceil(np.log2(max(1.0, cap_ms / LARGEST_CAP))))
        times = ("uplink_ms", "band_cost_ms", "local_ms", "wait_ms")
        rates = ("work_per_ms", "sync_weight_per_ms")
        changed = {name: getattr(numbers, name) / unit_ms for name in times}
        changed |= {name: getattr(numbers, name) * unit_ms for name in rates}
        return cls(numbers.changed(**changed), cap_ms / unit_ms, unit_ms)

    @property
    def count(self) -> int:
        """K, the number of pairs."""
        return len(self.numbers.server)

    @property
    def servers(self) -> int:
        """E, the number of servers."""
        return self.numbers.servers

    @property
    def device(self) -> Indices:
        """(K,) Device of each pair."""
        return self.numbers.device

    @property
    def widest(self) -> Floats:
        """(K,) y_max: no larger share of the band is of use."""
        return np.asarray(np.minimum(1.0, self.numbers.uplink_ms / self.numbers.local_ms))

    @property
    def hopeless(self) -> NDArray[np.bool_]:
        """(K,) Pairs whose synchronisation costs more than ``cap_ms`` even with the whole band."""
        gap_ms = self.numbers.uplink_ms / self.widest - self.numbers.local_ms
        return np.asarray(self.numbers.sync_weight_per_ms * gap_ms**2 > self.cap_ms)

    @property
    def narrowest(self) -> Floats:
        """(K,) The least v that tangents are placed at.

        There synchronisation alone costs ``cap_ms``, or the tangent is as steep as HiGHS takes coefficients:
        tangents hold wherever they touch, and no answer of interest lies further left.
        """
        if self.numbers.sync_weight_per_ms <= 0:
            return np.ones(self.count)
        shortest_ms = self.numbers.uplink_ms / self.widest
        longest_ms = self.numbers.local_ms + np.sqrt(self.cap_ms / self.numbers.sync_weight_per_ms)
        steep = np.cbrt(2.0 * self.numbers.sync_weight_per_ms * shortest_ms**2 / STEEPEST_MS)
        return np.asarray(np.clip(np.maximum(shortest_ms / longest_ms, steep), 0.0, 1.0))

    def costs(self) -> Floats:
        """Objective coefficient of each column, in the unit; what is out of all proportion is taken for less."""
        ones = np.ones(self.count)
        costs = np.concatenate(
            [
                self.numbers.wait_ms,
                self.numbers.band_cost_ms * self.widest,
                ones,
                np.zeros(self.servers),
                np.ones(self.servers),
            ]
        )
        return np.asarray(np.minimum(costs, STEEPEST_MS))

    def bounds(self) -> tuple[Floats, Floats]:
        """Lower and upper bound of each column."""
        upper = np.full(3 * self.count + 2 * self.servers, np.inf)
        upper[: self.count] = np.where(self.hopeless, 0.0, 1.0)
        upper[self.count : 2 * self.count] = 1.0
        return np.zeros(len(upper)), upper

    def structure(self) -> list[Rows]:
        """Association, band budgets, v <= x, and the definition of t."""
        count, servers, numbers = self.count, self.servers, self.numbers
        devices, order, begin = numbers.devices, numbers.by_server, numbers.server_start
        every = np.arange(count)
        association = Rows(np.ones(devices), np.ones(devices), numbers.start, every, np.ones(count))
        band = Rows(np.full(servers, -np.inf), np.ones(servers), begin, count + order, self.widest[order])
        linked = Rows(
            np.full(count, -np.inf),
            np.zeros(count),
            2 * np.arange(count + 1),
            np.stack([count + every, every], axis=1).ravel(),
            np.tile([1.0, -1.0], count),
        )
        column = np.insert(order, begin[1:], 3 * count + np.arange(servers))
        value = np.insert(-numbers.root_work[order], begin[1:], 1.0)
        loads = Rows(np.zeros(servers), np.zeros(servers), begin + np.arange(servers + 1), column, value)
        return [association, band, linked, loads]

    def compute_tangents(self, server: Indices, load: Floats) -> Rows:
        """(n,) tangents of t^2 / F at these loads (in the kernels' units)."""
        flop = self.numbers.work_per_ms[server]
        first = 3 * self.count + server
        return Rows(
            -(load**2) / flop,
            np.full(len(server), np.inf),
            2 * np.arange(len(server) + 1),
            np.stack([first + self.servers, first], axis=1).ravel(),
            np.stack([np.ones(len(server)), -2.0 * load / flop], axis=1).ravel(),
        )

    def band_tangents(self, pair: Indices, v: Floats) -> Rows:
        """Tangents of the perspective of the synchronisation cost at these (n,) v; none for hopeless pairs."""
        of_use = ~self.hopeless[pair]
        pair, v = pair[of_use], v[of_use]
        v = np.clip(v, self.narrowest[pair], 1.0)
        value, slope = self.synchronisation(pair, v)
        return Rows(
            np.zeros(len(pair)),
            np.full(len(pair), np.inf),
            3 * np.arange(len(pair) + 1),
            np.stack([2 * self.count + pair, pair, self.count + pair], axis=1).ravel(),
            np.stack([np.ones(len(pair)), slope * v - value, -slope], axis=1).ravel(),
        )

    def synchronisation(self, pair: Indices, v: Floats) -> tuple[Floats, Floats]:
        """Cost g(v) in ms of some pairs, and its derivative."""
        widest, weight = self.widest[pair], self.numbers.sync_weight_per_ms
        sending_ms = self.numbers.uplink_ms[pair] / (v * widest)
        gap_ms = self.numbers.local_ms[pair] - sending_ms
        return weight * gap_ms**2, 2.0 * weight * gap_ms * sending_ms / v

    def first_tangents(self, prices: Floats) -> list[Rows]:
        """Tangents at the prices' own loads and shares, and a few around them; prices in ms."""
        from ..dual.kernel import priced

        prices = prices / self.unit_ms
        cost, share, bend, inverse = (np.zeros(self.count) for _ in range(4))
        priced(
            self.numbers, prices, cost, share, bend, inverse, np.zeros(self.numbers.devices, dtype=np.int64)
        )
        loads = prices[: self.servers] * self.numbers.work_per_ms / 2.0
        every, each = np.arange(self.servers), np.arange(self.count)
        found = [self.compute_tangents(every, loads * factor) for factor in (1.0, 0.98, 1.02)]
        if self.numbers.sync_weight_per_ms > 0:
            v = share / self.widest
            found += [self.band_tangents(each, np.minimum(1.0, v * factor)) for factor in (1.0, 0.6, 1.5)]
        return found

    def tangents_at(self, association: Indices, shares: Floats) -> list[Rows]:
        """Tangents that make the relaxation exact at an association with these (M,) optimal shares."""
        mine = self.numbers.server == association[self.device]
        pair = np.flatnonzero(mine)
        device = self.device[pair]
        loads = np.zeros(self.servers)
        np.add.at(loads, association[device], self.numbers.root_work[pair])
        used = np.flatnonzero(loads)
        found = [self.compute_tangents(used, loads[used])]
        if self.numbers.sync_weight_per_ms > 0:
            found.append(self.band_tangents(pair, shares[device] / self.widest[pair]))
        return found

    def violated(self, column: Floats, tolerance: float = 1e-6) -> list[Rows]:
        """Tangents at a point of the relaxation that cut it off."""
        count = self.count
        x, v, e = column[:count], column[count : 2 * count], column[2 * count : 3 * count]
        load, paid = column[3 * count : 3 * count + self.servers], column[3 * count + self.servers :]
        true = load**2 / self.numbers.work_per_ms
        server = np.flatnonzero(true > paid * (1 + tolerance) + 1e-9)
        found = [self.compute_tangents(server, load[server])] if len(server) else []
        pair = np.flatnonzero((x > 1e-6) & (self.numbers.sync_weight_per_ms > 0))
        at = np.clip(v[pair] / x[pair], self.narrowest[pair], 1.0)
        value, _ = self.synchronisation(pair, at)
        short = x[pair] * value > e[pair] * (1 + tolerance) + 1e-7
        if short.any():
            found.append(self.band_tangents(pair[short], at[short]))
        return found
