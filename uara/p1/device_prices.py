"""A certificate of device prices: a tree of rows of prices that proves a lower bound on P1, nearly exact.

A node stands for the associations that use its allowed pairs alone and give each server j between lo_j and hi_j
devices; at the root all usable pairs are allowed, lo = 0 and hi is the number of devices. Its row holds a price
pi_i per device, nu_j per server, and a list of band prices mu >= 0 per server. For ANY such numbers

    g = sum_i pi_i + sum_j v_j + sum_j (lo_j nu_j where nu_j > 0, else hi_j nu_j)
    v_j = min over S of  t(S)^2 / F_j + max over mu of [ sum over i in S of (b_ij(mu) - pi_i - nu_j) - mu ]

is at most the controllable cost of every association of the node. S runs over the sets of devices that are allowed
at j and hold those devices that are allowed nowhere else; t(S) is the sum of s_i = sqrt(f_i), and
b_ij(mu) = wait_j + psi_ij(mu) as in :mod:`uara.p1.certificate`.

With a target at hand a node names pairs to drop. Pair (i, j) may go if g rises to the target once i must be at j:
by the rise of v_j when i is in S, and of every other v_j' when i is not. Then a node is split: one device is at some
of its servers, or at the others; a server has at most a devices, or more. Or it goes on as one child with another row.
A node is closed where g reaches the target, or where a device has no pair left. So

    bound = min(target, least g of the leaves)

is valid for ANY tree, rows and target; a claimed drop that does not hold is not made. ``docs/proofs.md`` has
the proofs.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Annotated, Any, Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from uara.base.files import Record, VersionOne, validate
from uara.base.quantities import Floats
from uara.p1.certificate import Numbers, least_band_cost, numbers_of, refusal
from uara.p1.instance import Instance
from uara.p1.least_set import Items, Start, least_cost, relaxed

Index = Annotated[int, Field(ge=0)]
Price = Annotated[float, Field(ge=0)]

MOST_BAND_COSTS = 20_000_000
"""Most band costs that a certificate may ask for, one for each pair and each band price of its server."""


class DeviceSplit(Record):
    """The first child has the device at one of these servers, the second at another."""

    device: Index
    servers: list[Index]


class CountSplit(Record):
    """The first child gives the server at most this many devices, the second more."""

    server: Index
    most: Index


class Node(Record):
    """A node of the tree; nodes are listed in pre-order."""

    row: Index
    """Row of prices."""
    drop: list[Annotated[list[Index], Field(min_length=2, max_length=2)]] = []
    """Device and server of each pair that the target and this row exclude."""
    split: DeviceSplit | CountSplit | Literal["again"] | None = None
    """None at a leaf; ``again``: one child, without the dropped pairs."""


class Row(Record):
    """Prices in ms."""

    device_price: list[float]
    """(M,) pi_i."""
    count_price: list[float]
    """(E,) nu_j."""
    band: Index
    """Which of the certificate's ``band_prices`` go with them."""


class DevicePricesRecord(Record):
    """The certificate as files hold it."""

    kind: Literal["device-prices"]
    version: VersionOne
    target_ms: float
    """Bound on the controllable part of the objective that the tree was grown for."""
    nodes: Annotated[list[Node], Field(min_length=1)]
    rows: Annotated[list[Row], Field(min_length=1)]
    band_prices: Annotated[list[list[Annotated[list[Price], Field(min_length=1)]]], Field(min_length=1)]
    """Sets of band prices: per server one or more mu_j in ms."""


@dataclass(frozen=True, eq=False)
class DevicePrices:
    """The certificate; :class:`DevicePricesRecord` says what its parts mean."""

    record: DevicePricesRecord

    def __post_init__(self) -> None:
        nodes, rows, bands = self.record.nodes, self.record.rows, self.record.band_prices
        if any(node.row >= len(rows) for node in nodes):
            raise refusal("names a row that is not there", "nodes")
        if any(row.band >= len(bands) for row in rows):
            raise refusal("names band prices that are not there", "rows")
        children = [0 if node.split is None else 1 if node.split == "again" else 2 for node in nodes]
        # In pre-order the open places never run out before the last node.
        open_places = 1 + np.cumsum(np.array(children) - 1)
        if (open_places[:-1] <= 0).any() or open_places[-1] != 0:
            raise refusal("is not a tree in pre-order", "nodes")

    @classmethod
    def from_plain(cls, plain: dict[str, Any]) -> DevicePrices:
        """From the data of :meth:`to_plain`; raises :class:`InputError` if it is something else."""
        return cls(validate(plain, DevicePricesRecord, path="$.certificate"))

    def to_plain(self) -> dict[str, Any]:
        """Plain data for JSON."""
        return self.record.model_dump(mode="json")

    def prove(self, instance: Instance) -> float:
        """The lower bound on P1's objective, in ms, that this tree proves; -inf where it proves nothing.

        Raises
        ------
        InputError
            If it is for another number of devices or servers.
        """
        with np.errstate(all="ignore"):
            numbers = numbers_of(instance)
            bound_ms = _Walk(self.record, numbers, instance).bound_ms()
            total_ms = float(numbers.constant_ms) + bound_ms
        return total_ms if math.isfinite(bound_ms) and math.isfinite(total_ms) else -math.inf


class Region(NamedTuple):
    """The associations that a node stands for; None in the place of one: there are none."""

    allowed: NDArray[np.bool_]
    """(K,)"""
    low: Floats
    high: Floats
    """(E,) Limits of the servers' counts."""


class _Walk:
    """One walk through a tree, for one instance."""

    def __init__(self, record: DevicePricesRecord, numbers: Numbers, instance: Instance) -> None:
        self.record, self.numbers = record, numbers
        self.device, self.server = instance.channel.pair_device, instance.channel.pair_server
        self.devices, self.servers = len(instance.devices), len(instance.servers)
        self.place = {
            pair: k for k, pair in enumerate(zip(self.device.tolist(), self.server.tolist(), strict=True))
        }
        for row in record.rows:
            if len(row.device_price) != self.devices or len(row.count_price) != self.servers:
                raise refusal(
                    f"must hold {self.devices} device prices and {self.servers} count prices", "rows"
                )
        if any(len(bands) != self.servers for bands in record.band_prices):
            raise refusal(f"must be for {self.servers} servers", "band_prices")
        for node in record.nodes:
            split = node.split
            if isinstance(split, DeviceSplit) and split.device >= self.devices:
                raise refusal("splits by a device that is not there", "nodes")
            if isinstance(split, CountSplit) and split.server >= self.servers:
                raise refusal("splits by a server that is not there", "nodes")
        self._costs: dict[int, list[Floats]] = {}
        self._own = [np.flatnonzero(self.server == j) for j in range(self.servers)]
        held = sum(
            len(bands[j]) * len(own) for bands in record.band_prices for j, own in enumerate(self._own)
        )
        if held > MOST_BAND_COSTS:
            raise refusal(f"take {held} band costs, and {MOST_BAND_COSTS} are the most", "band_prices")

    def bound_ms(self) -> float:
        """The least bound of the leaves, and at most the target."""
        bound_ms = self.record.target_ms
        everything = np.ones(len(self.device), dtype=bool)
        root = Region(everything, np.zeros(self.servers), np.full(self.servers, float(self.devices)))
        waiting: list[Region | None] = [root]
        for node in self.record.nodes:
            region, value_ms = waiting.pop(), math.inf
            if region is not None:
                evaluated = _Evaluation(self, self.record.rows[node.row], region)
                value_ms = evaluated.value_ms
                if value_ms >= self.record.target_ms:
                    region = None
                elif node.drop:
                    region = self._without(region, evaluated, node.drop)
            if node.split is None:
                if region is not None:
                    bound_ms = min(bound_ms, value_ms)
            else:
                waiting.extend(reversed(self._children(region, node)))
        return bound_ms

    def costs(self, band: int) -> list[Floats]:
        """Per server the (G, n) costs wait + psi of its pairs at each of its band prices."""
        if band not in self._costs:
            self._costs[band] = [
                np.array([self._cost(own, price) for price in self.record.band_prices[band][j]])
                for j, own in enumerate(self._own)
            ]
        return self._costs[band]

    def _cost(self, own: NDArray[np.int64], price: float) -> Floats:
        numbers = self.numbers
        psi = least_band_cost(
            numbers.local_ms[self.device[own]],
            numbers.uplink_ms[own],
            numbers.band_cost_ms[own] + price,
            numbers.sync_weight_per_ms,
        )
        return np.asarray(numbers.wait_ms[self.server[own]] + psi)

    def _without(self, region: Region, evaluated: _Evaluation, drop: list[list[int]]) -> Region | None:
        """The region without those of the named pairs that the target excludes; None if nothing is left."""
        allowed = region.allowed.copy()
        for device, server in drop:
            k = self.place.get((device, server))
            if k is not None and region.allowed[k] and evaluated.reaches(k, self.record.target_ms):
                allowed[k] = False
        return self._some(region._replace(allowed=allowed))

    def _some(self, region: Region) -> Region | None:
        """The region; None if a device has no pair."""
        counts = np.bincount(self.device[region.allowed], minlength=self.devices)
        return region if (counts > 0).all() else None

    def _children(self, region: Region | None, node: Node) -> list[Region | None]:
        split = node.split
        if split == "again":
            return [region]
        if region is None:
            return [None, None]
        if isinstance(split, DeviceSplit):
            own = self.device == split.device
            named = own & np.isin(self.server, split.servers)
            parts = (region.allowed & (named | ~own), region.allowed & ~named)
            return [self._some(region._replace(allowed=part)) for part in parts]
        assert isinstance(split, CountSplit)
        low, high = region.low.copy(), region.high.copy()
        high[split.server] = min(high[split.server], split.most)
        low[split.server] = max(low[split.server], split.most + 1)
        return [region._replace(high=high), region._replace(low=low)]


class _Evaluation:
    """A region at a row of prices: its bound, and what forcing pairs adds to it."""

    def __init__(self, walk: _Walk, row: Row, region: Region) -> None:
        self.walk = walk
        pi, nu = np.array(row.device_price), np.array(row.count_price)
        costs = walk.costs(row.band)
        counts = np.bincount(walk.device[region.allowed], minlength=walk.devices)
        self.allowed = region.allowed
        only = region.allowed & (counts[walk.device] == 1)
        self.items: list[Items] = []
        # Of each pair that may be taken or left, among its server's.
        self.place = np.full(len(walk.device), -1)
        for j, own in enumerate(walk._own):
            r = costs[j] - pi[walk.device[own]] - nu[j]
            s = walk.numbers.root_flop[walk.device[own]]
            free, sure = region.allowed[own] & ~only[own], only[own]
            self.place[own[free]] = np.arange(np.count_nonzero(free))
            c0 = r[:, sure].sum(axis=1) - np.array(walk.record.band_prices[row.band][j])
            flop = float(walk.numbers.flop_per_ms[j])
            self.items.append(Items(s[free], r[:, free], flop, float(s[sure].sum()), c0))
        self.least = [least_cost(items) for items in self.items]
        limits = np.where(nu > 0, region.low * nu, region.high * nu)
        rounding = 2.0**-50 * (np.abs(pi).sum() + np.abs(limits).sum() + np.abs(self.least).sum())
        value_ms = _sum([*pi.tolist(), *limits.tolist(), *self.least, -float(rounding)])
        self.value_ms = value_ms
        self._starts: dict[int, Start] = {}
        self._left: dict[tuple[int, int], float] = {}

    def reaches(self, k: int, target_ms: float) -> bool:
        """Whether the bound reaches the target if the device of pair k must use it."""
        i, j, place = self.walk.device[k], int(self.walk.server[k]), int(self.place[k])
        if place < 0 or not math.isfinite(self.value_ms):
            return False
        wanted = target_ms - self.value_ms
        if self._quick(j, place, inside=True) >= wanted:
            return True
        rise = least_cost(self.items[j].with_item(place), self._cut(j, wanted)) - self.least[j]
        others = np.flatnonzero(self.allowed & (self.walk.device == i))
        for other in others[others != k]:
            if rise >= wanted:
                return True
            rise += self._rise_without(int(self.walk.server[other]), int(self.place[other]), wanted)
        return bool(rise >= wanted)

    def _rise_without(self, j: int, place: int, wanted: float) -> float:
        """By how much the least of server j rises at least without an item, up to what is wanted."""
        if self._start(j).h[place] >= 0 and self._quick(j, place, inside=True) > 0:
            return 0.0  # the least is without the item
        if self._quick(j, place, inside=False) >= wanted:
            return wanted
        if (j, place) not in self._left:
            items = self.items[j].without_item(place)
            self._left[j, place] = max(0.0, least_cost(items, self._cut(j, wanted)) - self.least[j])
        return self._left[j, place]

    def _cut(self, j: int, wanted: float) -> float:
        """Where a search for a rise may end: past what is wanted by more than rounding takes off."""
        return self.least[j] + 1.01 * wanted + 1e-9 * abs(self.least[j])

    def _quick(self, j: int, place: int, *, inside: bool) -> float:
        """What the continuous optimum alone proves of that rise; not above 0 if it proves nothing."""
        start = self._start(j)
        if (start.h[place] >= 0) != inside:
            return 0.0
        magnitude = abs(start.base) + float(np.abs(start.h).sum()) + start.price**2 * self.items[j].flop
        rounding = (len(start.h) + 16) * 2.0**-52 * magnitude
        return float(start.base + abs(start.h[place]) - rounding - self.least[j])

    def _start(self, j: int) -> Start:
        if j not in self._starts:
            self._starts[j] = relaxed(self.items[j])
        return self._starts[j]


def _sum(terms: list[float]) -> float:
    """Their exact sum, rounded once; -inf unless all are finite."""
    return math.fsum(terms) if all(map(math.isfinite, terms)) else -math.inf
