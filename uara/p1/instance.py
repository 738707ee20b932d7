"""An instance of P1: devices, servers, the channel between them, constants and provenance. Immutable."""

from __future__ import annotations

import dataclasses
import hashlib
from collections.abc import Callable, Mapping
from functools import cached_property
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
from numpy.typing import ArrayLike

from uara.base import files
from uara.base.columnar import (
    FloatColumn,
    IndexColumn,
    OptionalFloats,
    OptionalTexts,
    TextColumn,
    column,
    columnar,
    frozen,
)
from uara.base.columns import Columns
from uara.base.deferred import deferred
from uara.base.errors import InputError
from uara.base.provenance import Provenance
from uara.base.quantities import Floats, Indices
from uara.base.tables import Table, Tabled
from uara.p1.schema import DenseGain, DeviceColumns, InstanceFile, Parameters, ServerColumns, SparseGain

_from_arrays: Callable[..., Instance] = deferred("uara.scenarios.tables:from_arrays")
_from_frames: Callable[..., Instance] = deferred("uara.scenarios.tables:from_frames")
_from_csv: Callable[..., Instance] = deferred("uara.scenarios.tables:from_csv")
_described: Callable[[Instance], str] = deferred("uara.p1.description:page")
_to_frames = deferred("uara.p1.frames:to_frames")


@columnar
class Servers(Table):
    """Edge servers; E entries in every column. Units stand in the names (``uara.p1.schema.ServerColumns``)."""

    place: ClassVar[str] = "$.servers"
    schema: ClassVar[type[Columns]] = ServerColumns

    id: TextColumn = column()
    compute_flop_per_s: FloatColumn = column()
    bandwidth_hz: FloatColumn = column()
    backlog_flop: FloatColumn = column()
    model: OptionalTexts = column(default=None)
    position_m: OptionalFloats = column(default=None)


@columnar
class Devices(Table):
    """Mobile devices and their tasks; M entries in every column (``uara.p1.schema.DeviceColumns``)."""

    place: ClassVar[str] = "$.devices"
    schema: ClassVar[type[Columns]] = DeviceColumns

    id: TextColumn = column()
    compute_flop_per_s: FloatColumn = column()
    tx_power_w: FloatColumn = column()
    battery_fraction: FloatColumn = column()
    upload_bits: FloatColumn = column()
    device_flop: FloatColumn = column()
    server_flop: FloatColumn = column()
    task: OptionalTexts = column(default=None)
    model: OptionalTexts = column(default=None)
    position_m: OptionalFloats = column(default=None)
    battery_capacity_j: OptionalFloats = column(default=None)


@columnar
class Channel:
    """Power gains h_ij^2 of the usable pairs, device by device (compressed sparse rows).

    Parameters
    ----------
    pair_start
        (M + 1,) Device i owns the pairs ``pair_start[i]:pair_start[i + 1]``.
    pair_server
        (K,) Server of each pair, increasing within a device.
    power_gain
        (K,) Linear, positive. A pair that is not listed has no path and cannot be used.
    """

    pair_start: IndexColumn = column()
    pair_server: IndexColumn = column()
    power_gain: FloatColumn = column()

    def __post_init__(self) -> None:
        place = "$.channel"
        for name, values in self.columns().items():
            dtype = float if name == "power_gain" else np.int64
            object.__setattr__(self, name, frozen(values, dtype, f"{place}.{name}"))
        files.validate({"layout": "sparse", **self.columns()}, SparseGain, path=place)
        start, pairs = self.pair_start, len(self.pair_server)
        if len(start) < 2 or start[0] != 0 or start[-1] != pairs or (np.diff(start) < 0).any():
            raise InputError(f"must rise from 0 to the number of pairs, {pairs}", path=f"{place}.pair_start")
        if len(self.power_gain) != pairs:
            raise InputError(
                f"{len(self.power_gain)} entries, but there are {pairs} pairs", path=f"{place}.power_gain"
            )
        rising = np.diff(self.pair_server) > 0
        rising[start[1:-1][(start[1:-1] > 0) & (start[1:-1] < pairs)] - 1] = True
        if not rising.all():
            raise InputError(
                "must increase within a device", path=f"{place}.pair_server[{int(np.argmin(rising)) + 1}]"
            )
        if (np.diff(start) == 0).any():
            lonely = int(np.argmin(np.diff(start)))
            raise InputError(f"device {lonely} has no usable server", path=f"{place}.power_gain[{lonely}]")

    @classmethod
    def from_dense(cls, power_gain: ArrayLike) -> Channel:
        """From an (M, E) matrix of linear power gains, 0 where a pair has no path."""
        gain = frozen(power_gain, float, "$.channel.power_gain")
        if gain.ndim != 2 or not len(gain):
            raise InputError(f"has shape {gain.shape}: no matrix", path="$.channel.power_gain")
        files.validate({"layout": "dense", "power_gain": gain}, DenseGain, path="$.channel")
        device, server = np.nonzero(gain)
        start = np.searchsorted(device, np.arange(len(gain) + 1))
        return cls(start, server, gain[device, server])

    def columns(self) -> dict[str, Any]:
        """The three columns by name."""
        return {field.name: getattr(self, field.name) for field in dataclasses.fields(self)}

    @property
    def devices(self) -> int:
        """Number of devices M."""
        return len(self.pair_start) - 1

    @cached_property
    def pair_device(self) -> Indices:
        """(K,) Device of each pair."""
        device = np.repeat(np.arange(self.devices), np.diff(self.pair_start))
        device.flags.writeable = False
        return device

    def dense(self, servers: int) -> Floats:
        """(M, E) matrix of power gains, 0 where a pair has no path."""
        gain = np.zeros((self.devices, servers))
        gain[self.pair_device, self.pair_server] = self.power_gain
        return gain


@dataclasses.dataclass(frozen=True, eq=False)
class Instance(Tabled):
    """One slot of problem P1 (Koh and Yang, section III): data, units in the names, provenance.

    Raises
    ------
    InputError
        If the tables do not fit together, or a device has no usable server.
    """

    name: str
    servers: Servers
    devices: Devices
    channel: Channel
    parameters: Parameters = Parameters()
    provenance: Provenance = Provenance()

    kind: ClassVar[str] = "p1"
    places: ClassVar[tuple[str, ...]] = ("servers", "devices", "channel")

    def __post_init__(self) -> None:
        super().__post_init__()
        # A copy of parameters is not checked when it is made.
        files.validate(self.parameters.model_dump(), Parameters, path="$.parameters")
        if self.channel.devices != len(self.devices):
            raise InputError(
                f"rows for {self.channel.devices} devices, but there are {len(self.devices)}",
                path="$.channel.power_gain",
            )
        if (self.channel.pair_server >= len(self.servers)).any():
            pair = int(np.argmax(self.channel.pair_server >= len(self.servers)))
            raise InputError(
                f"names a server beyond the {len(self.servers)} there are",
                path=f"$.channel.pair_server[{pair}]",
            )

    def __repr__(self) -> str:
        sizes = f"{len(self.devices)} devices, {len(self.servers)} servers"
        return f"Instance {self.name!r}: {sizes}, {len(self.channel.pair_server)} usable pairs"

    def _repr_html_(self) -> str:
        return _described(self)

    @cached_property
    def digest(self) -> str:
        """SHA-256 of the problem's data: everything but the name and the provenance."""
        digest = hashlib.sha256(files.pretty_json(self.parameters).encode())
        for table in (self.servers, self.devices):
            table.feed(digest)
        for array in self.channel.columns().values():
            digest.update(array.tobytes())
        return digest.hexdigest()

    @staticmethod
    def from_arrays(
        devices: Mapping[str, Any],
        servers: Mapping[str, Any],
        *,
        power_gain: ArrayLike | None = None,
        power_gain_db: ArrayLike | None = None,
        name: str = "own",
        parameters: Parameters | None = None,
        path_loss: files.Record | None = None,
        seed: int = 1,
    ) -> Instance:
        """An instance from own arrays (``docs/own-data.md``).

        Parameters
        ----------
        devices, servers
            Columns by the names of :class:`uara.Devices` and :class:`uara.Servers`: arrays, or one value where
            a column is constant. Ids, full batteries and empty queues may be left out.
        power_gain, power_gain_db
            (M, E) Gains h_ij^2 of eq. (5), linear (0: no path) or in dB (minus infinity: no path). Where there is
            neither, they are drawn between the positions.
        path_loss
            :class:`uara.scenarios.channel.pathloss.PathLoss`, by which gains are drawn between positions.
        seed
            Of the shadowing.

        Raises
        ------
        InputError
            Names table, row (from 0) and column.

        Warns
        -----
        UaraWarning
            For values that were hardly meant, with the unit that they may be in.
        """
        return _from_arrays(
            devices,
            servers,
            power_gain=power_gain,
            power_gain_db=power_gain_db,
            name=name,
            parameters=parameters,
            path_loss=path_loss,
            seed=seed,
        )

    @staticmethod
    def from_frames(
        devices: Any,
        servers: Any,
        gains: Any = None,
        *,
        name: str = "own",
        parameters: Parameters | None = None,
        path_loss: files.Record | None = None,
        seed: int = 1,
    ) -> Instance:
        """An instance from data frames: the inverse of :meth:`to_frames`.

        Parameters
        ----------
        devices, servers
            A row each; columns as for :meth:`from_arrays`, positions as ``x_m``, ``y_m`` and, if need be, ``z_m``.
        gains
            A row for each usable pair: ``device`` and ``server`` (ids), ``power_gain`` or ``power_gain_db``.
            Drawn between the positions where left out.
        name, parameters, path_loss, seed
            As for :meth:`from_arrays`, which says what is raised and warned of too.
        """
        how = {"name": name, "parameters": parameters, "path_loss": path_loss, "seed": seed}
        return _from_frames(devices, servers, gains, **how)

    @staticmethod
    def from_csv(
        devices: str | Path,
        servers: str | Path,
        gains: str | Path | None = None,
        *,
        name: str = "own",
        parameters: Parameters | None = None,
        path_loss: files.Record | None = None,
        seed: int = 1,
    ) -> Instance:
        """An instance from CSV files with the columns of :meth:`from_frames`, as ``uara import`` makes it.

        Raises
        ------
        InputError
            Names file, row (the head is row 1) and column.
        """
        how = {"name": name, "parameters": parameters, "path_loss": path_loss, "seed": seed}
        return _from_csv(devices, servers, gains, **how)

    def to_frames(self) -> Any:
        """The tables as data frames ``devices``, ``servers`` and ``gains``: what :meth:`from_frames` takes.

        Returns
        -------
        uara.p1.frames.Frames
            A named tuple; :attr:`parameters` are not in it.

        Raises
        ------
        MissingExtra
            If pandas is not installed.
        """
        return _to_frames(self)

    @classmethod
    def from_plain(cls, data: Mapping[str, Any]) -> Instance:
        """Build an instance from the decoded content of an instance file (``uara.p1.schema.InstanceFile``)."""
        return cls.from_record(files.validate(data, InstanceFile))

    @classmethod
    def from_record(cls, record: InstanceFile) -> Instance:
        """Build an instance from the checked content of an instance file."""
        gain = record.channel
        if isinstance(gain, DenseGain):
            _check_rectangle(gain.power_gain, len(record.servers.id))
            channel = Channel.from_dense(gain.power_gain)
        else:
            channel = Channel(gain.pair_start, gain.pair_server, gain.power_gain)
        return cls(
            record.name,
            Servers(**dict(record.servers)),
            Devices(**dict(record.devices)),
            channel,
            record.parameters,
            record.provenance,
        )

    def to_plain(self) -> dict[str, Any]:
        """The content of the instance file, every column as arrays or tuples."""
        pairs = len(self.devices) * len(self.servers)
        if len(self.channel.pair_server) * 3 > pairs:
            channel: dict[str, Any] = {"layout": "dense", "power_gain": self.channel.dense(len(self.servers))}
        else:
            channel = {"layout": "sparse", **self.channel.columns()}
        return {
            **super().to_plain(),
            "parameters": self.parameters.model_dump(),
            "servers": self.servers.columns(),
            "devices": self.devices.columns(),
            "channel": channel,
        }


def _check_rectangle(rows: list[list[float]], width: int) -> None:
    for index, row in enumerate(rows):
        if len(row) != width:
            raise InputError(
                f"{len(row)} entries, but there are {width} servers", path=f"$.channel.power_gain[{index}]"
            )
