"""The file format of P1 instances: what each key holds, its unit and its range.

The types here are the single source of the published JSON Schema (``instances/instance.schema.json``),
of the checks on files, and of the checks on arrays that a library caller hands in.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal, TypeVar

import numpy as np
from numpy.typing import NDArray
from pydantic import Field, ValidationError, ValidatorFunctionWrapHandler, WrapValidator
from pydantic_core import InitErrorDetails

from uara.base.columns import Columns, SideFile
from uara.base.files import Record, VersionOne, published_schema
from uara.base.provenance import Provenance
from uara.base.quantities import Fraction, Index, Name, NonNegative, Point, Positive

T = TypeVar("T")
_AT_A_TIME = 10_000


def _list_or_array(column: Any, check: ValidatorFunctionWrapHandler) -> Any:
    if not isinstance(column, np.ndarray) or not column.ndim:
        return check(column)
    if _extremes_pass(column, check):
        return column
    for start in range(0, len(column), _AT_A_TIME):  # the whole as a list would take five times the memory
        try:
            check(column[start : start + _AT_A_TIME].tolist())
        except ValidationError as error:
            raise _shifted(error, start) from None
    return column


def _extremes_pass(column: NDArray[Any], check: ValidatorFunctionWrapHandler) -> bool:
    """Whether all entries pass, seen from the least and the largest: what columns hold are intervals of numbers."""
    if column.dtype.kind not in "fiu" or not column.size or not np.isfinite(column).all():
        return False
    flat = column.reshape(len(column), -1)
    rows = [int(at) // flat.shape[1] for at in (np.argmin(flat), np.argmax(flat))]
    try:
        check(column[rows].tolist())
    except ValidationError:
        return False
    return True


def _shifted(error: ValidationError, start: int) -> ValidationError:
    """An error in a part of a column, at its place in the whole."""
    first = error.errors(include_url=False)[0]
    index, *rest = first["loc"] or (0,)
    place = int(index) + start, *rest
    found = InitErrorDetails(type=first["type"], loc=place, input=first["input"], ctx=first.get("ctx", {}))
    return ValidationError.from_exception_data(error.title, [found])


Column = Annotated[list[T], WrapValidator(_list_or_array)]
"""A column of numbers or points; an array is checked as the list that it stands for, and stays an array."""


class Parameters(Record):
    """Constants of P1: every one that the paper leaves in the text or in Table I."""

    sync_weight_per_ms: NonNegative = 1e-2
    """lambda of P1: weight of the squared synchronisation gap."""
    energy_weight_ms_per_j: NonNegative = 50.0
    """w of P1: milliseconds that a joule is worth."""
    device_efficiency_flop_per_j: Positive = 1e9
    """delta_CP of eq. (8): FLOP per joule."""
    uplink_energy_j_per_mhz_w: NonNegative = 2.6
    """delta_CM of eq. (8): joules per megahertz and watt."""
    noise_psd_dbm_per_hz: Annotated[float, Field(ge=-400, le=200)] = -174.0
    """N0 of eq. (5): power spectral density of the noise."""
    queue_slot_ms: Positive = 10.0
    """kappa of eq. (6): length of a queueing slot."""
    slot_ms: Positive = 1000.0
    """tau of section III.A: length of a decision slot."""


class ServerColumns(Columns):
    """Edge servers, one entry each in every column."""

    id: list[Name]
    """Unique name."""
    compute_flop_per_s: Column[Positive]
    """F_j of eq. (6): computing speed."""
    bandwidth_hz: Column[Positive]
    """W_j of eq. (5): uplink band."""
    backlog_flop: Column[NonNegative]
    """Work that waits at the server: k_j = ceil(backlog / (F_j kappa)) slots of eq. (6)."""
    model: list[str] | None = None
    """Hardware."""
    position_m: Column[Point] | None = None
    """x, y, z."""


class DeviceColumns(Columns):
    """Mobile devices and the task of each in this slot, one entry each in every column."""

    id: list[Name]
    """Unique name."""
    compute_flop_per_s: Column[Positive]
    """F_i of eq. (6): computing speed."""
    tx_power_w: Column[Positive]
    """P_i of eq. (5): transmission power."""
    battery_fraction: Column[Fraction]
    """B_i of P1: remaining battery."""
    upload_bits: Column[Positive]
    """d_i: communication load of the task."""
    device_flop: Column[Positive]
    """f_i^MD: work of the task on the device."""
    server_flop: Column[Positive]
    """f_i^ES: work of the task on the server."""
    task: list[str] | None = None
    """Kind of task: code, summary, chat, ..."""
    model: list[str] | None = None
    """Hardware."""
    position_m: Column[Point] | None = None
    """x, y, z."""
    battery_capacity_j: Column[Positive] | None = None
    """Energy of the full battery."""


class DenseGain(Columns):
    """Channel gains of all pairs."""

    layout: Literal["dense"]
    power_gain: Column[list[NonNegative]]
    """h_ij^2 of eq. (5), linear: one row a device, one column a server; 0 means no path, unusable."""


class SparseGain(Columns):
    """Channel gains of the usable pairs only, device by device (compressed rows)."""

    layout: Literal["sparse"]
    pair_start: Column[Index]
    """Device i owns pairs pair_start[i] to pair_start[i+1]; one entry more than devices."""
    pair_server: Column[Index]
    """Server of the pair, increasing within a device."""
    power_gain: Column[Positive]
    """h_ij^2 of eq. (5), linear."""


class InstanceFile(Record):
    """One slot of problem P1 (Koh and Yang, section III)."""

    schema_version: VersionOne
    kind: Literal["p1"]
    name: Name
    provenance: Provenance = Provenance()
    parameters: Parameters
    servers: ServerColumns
    devices: DeviceColumns
    channel: Annotated[DenseGain | SparseGain, Field(discriminator="layout")]
    side_file: SideFile | None = None


def json_schema() -> dict[str, Any]:
    """The published JSON Schema of instance files."""
    return published_schema(InstanceFile)
