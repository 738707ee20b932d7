"""A certificate of branching: a tree of prices that proves a bound which no single set of prices reaches.

The tree is binary. A node stands for the associations in which each device uses one of the node's pairs; at
the root these are all usable pairs. A node holds prices, hence a lower bound on the objective of every
association that it stands for (``uara.p1.certificate.priced``). Its two children split it: in the first one
device uses one certain server, in the second it does not. So every association belongs to a leaf, and the
least bound of the leaves is a lower bound on P1.

With a target at hand, pairs can be dropped on the way: if a node's bound plus the reduced cost of a pair reaches
the target, every association of the node that uses the pair costs at least the target. Hence

    bound = min(target, least bound of the leaves)

is valid for ANY tree, ANY prices and ANY target: a wrong certificate proves less, never something false.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from uara.base.errors import InputError
from uara.base.files import Record, validate
from uara.base.quantities import Indices
from uara.p1.certificate import ROUNDING, Certificate, priced, refusal
from uara.p1.instance import Instance


class BranchesRecord(Record):
    """A branch certificate as files hold it."""

    kind: Literal["branches"]
    target_ms: float
    """Bound that the tree was grown for, constant part included."""
    prices: list[int]
    """Row of each node in the two price tables; nodes in pre-order."""
    device: list[int]
    """Device that splits the node; -1 at a leaf."""
    server: list[int]
    """The first child has the device at this server, the second anywhere else; -1 at a leaf."""
    compute_price: list[list[float]]
    bandwidth_price: list[list[float]]


@dataclass(frozen=True, eq=False)
class BranchCertificate:
    """A tree of prices; the columns are those of :class:`BranchesRecord`."""

    target_ms: float
    prices: Indices
    device: Indices
    server: Indices
    table: tuple[Certificate, ...]

    def __post_init__(self) -> None:
        object.__setattr__(self, "target_ms", float(self.target_ms))
        for name in ("prices", "device", "server"):
            object.__setattr__(self, name, np.array(getattr(self, name), dtype=np.int64))
        nodes = len(self.prices)
        if not (nodes == len(self.device) == len(self.server) and nodes > 0 and np.isfinite(self.target_ms)):
            raise refusal("prices, device and server must have one entry a node")
        if ((self.prices < 0) | (self.prices >= len(self.table))).any():
            raise refusal("names a row beyond the price tables", "prices")
        inner = self.device >= 0
        # In pre-order the open places never run out before the last node.
        open_places = 1 + np.cumsum(np.where(inner, 1, -1))
        if (open_places[:-1] <= 0).any() or open_places[-1] != 0:
            raise refusal("is not a binary tree in pre-order", "device")
        for name in ("device", "server"):
            if (np.minimum(getattr(self, name), 0) != np.where(inner, 0, -1)).any():
                raise refusal("must be -1 at a leaf, and an index elsewhere", name)

    @classmethod
    def from_plain(cls, plain: dict[str, Any]) -> BranchCertificate:
        """From the data of :meth:`to_plain`; raises :class:`InputError` if it is something else."""
        record = validate(plain, BranchesRecord, path="$.certificate")
        if len(record.compute_price) != len(record.bandwidth_price):
            raise InputError("must have as many rows as compute_price", path="$.certificate.bandwidth_price")
        rows = zip(record.compute_price, record.bandwidth_price, strict=True)
        table = tuple(Certificate(np.array(compute), np.array(band)) for compute, band in rows)
        return cls(
            record.target_ms,
            np.array(record.prices, dtype=np.int64),
            np.array(record.device, dtype=np.int64),
            np.array(record.server, dtype=np.int64),
            table,
        )

    def prove(self, instance: Instance) -> float:
        """The lower bound on P1's objective, in ms, that this tree proves; minus infinity if it proves nothing."""
        i, j = instance.channel.pair_device, instance.channel.pair_server
        for name, there in (("device", len(instance.devices)), ("server", len(instance.servers))):
            if (getattr(self, name) >= there).any():
                raise refusal(f"names a {name} that the instance lacks", name)
        if any(len(row.compute_price) != len(instance.servers) for row in self.table):
            raise refusal(f"must hold {len(instance.servers)} prices of each kind")
        bound_ms = self.target_ms
        waiting: list[NDArray[np.bool_]] = [np.ones(len(i), dtype=bool)]
        for node in range(len(self.prices)):
            allowed = waiting.pop()
            if len(np.unique(i[allowed])) < len(instance.devices):
                value_ms, excess_ms = np.inf, np.zeros(len(i))  # some device has no pair: nothing to bound
            else:
                row = self.table[self.prices[node]]
                value_ms, excess_ms = priced(instance, row.compute_price, row.bandwidth_price, allowed)
            if self.device[node] < 0:
                bound_ms = min(bound_ms, value_ms)
                continue
            useful = allowed & (value_ms + excess_ms * (1 - ROUNDING) < self.target_ms)
            of_device = i == self.device[node]
            at_server = of_device & (j == self.server[node])
            waiting.append(useful & ~at_server)
            waiting.append(useful & (at_server | ~of_device))
        return float(bound_ms)

    def to_plain(self) -> dict[str, Any]:
        """Plain data for JSON."""
        return {
            "kind": "branches",
            "target_ms": self.target_ms,
            "prices": self.prices.tolist(),
            "device": self.device.tolist(),
            "server": self.server.tolist(),
            "compute_price": [row.compute_price.tolist() for row in self.table],
            "bandwidth_price": [row.bandwidth_price.tolist() for row in self.table],
        }
