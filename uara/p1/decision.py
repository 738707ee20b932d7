"""Decisions of P1: an association and its shares, as data, and refused where they do not fit their instance."""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np

from uara.base.columnar import ColumnarDecision, FloatColumn, IndexColumn, column, columnar, freeze_fields
from uara.base.errors import InputError
from uara.base.files import Record
from uara.base.quantities import Index
from uara.p1.coefficients import coefficients
from uara.p1.instance import Instance


class AllocationRecord(Record):
    """An allocation as files hold it."""

    association: list[Index]
    bandwidth: list[float]
    compute: list[float]


@columnar
class Allocation(ColumnarDecision):
    """A decision of P1: association X, bandwidth shares Y and compute shares Z.

    Parameters
    ----------
    association
        (M,) Index of the server that serves each device.
    bandwidth
        (M,) y_ij of that server's band, in (0, 1].
    compute
        (M,) z_ij of that server's compute, in (0, 1].
    """

    record: ClassVar[type[Record]] = AllocationRecord

    association: IndexColumn = column()
    bandwidth: FloatColumn = column()
    compute: FloatColumn = column()

    def __post_init__(self) -> None:
        types = {"association": np.int64, "bandwidth": np.float64, "compute": np.float64}
        freeze_fields(self, types, source="allocation")
        lengths = {name: len(getattr(self, name)) for name in types}
        if len(set(lengths.values())) != 1:
            raise InputError(f"lengths differ: {lengths}", source="allocation")


def parse_decision(instance: Instance, plain: dict[str, Any]) -> Allocation:
    """An allocation for an instance from the plain data of a solution file."""
    allocation = Allocation.from_plain(plain)
    if len(allocation.association) != len(instance.devices):
        raise InputError(
            f"{len(allocation.association)} entries, but there are {len(instance.devices)} devices",
            path="$.decision.association",
        )
    return allocation


def check_start(instance: Instance, start: object) -> None:
    """Refuse a start that names what is not there: solvers index by it in compiled code, without checks.

    Its shares may break their budgets; a solver that goes on from it looks at the association.

    Raises
    ------
    InputError
        For another number of devices, a server that is none, or a pair without a path.
    """
    if not isinstance(start, Allocation):
        raise InputError(f"is {type(start).__name__}, not an Allocation", source="start")
    devices, association = instance.devices.id, start.association
    if len(association) != len(devices):
        raise InputError(
            f"is for {len(association)} devices, but {instance.name} has {len(devices)}", source="start"
        )
    lost = np.flatnonzero(coefficients(instance).pairs_of(association) < 0)
    if len(lost):
        server, count = int(association[lost[0]]), len(instance.servers)
        reason = "has no path to it" if 0 <= server < count else f"the servers are 0 to {count - 1}"
        raise InputError(f"puts device {devices[lost[0]]} on server {server}: {reason}", source="start")
