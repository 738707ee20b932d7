"""Traces: an instance, and how its channel changes from slot to slot. Files with a schema and provenance."""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from uara.base import arrays, files, side_file
from uara.base.columns import SideFile
from uara.base.errors import InputError, in_file
from uara.base.files import Record, VersionOne
from uara.base.quantities import Name, Positive
from uara.p1.instance import Channel, Instance
from uara.p1.schema import InstanceFile
from uara.psd.payload import PAYLOADS, Payload

TRACE_VERSION = 1
KIND = "p1-trace"


class TraceFile(Record):
    """What a trace file holds; the gains of all slots are in the ``.npz`` beside it."""

    schema_version: VersionOne
    kind: Literal["p1-trace"]
    name: Name
    slots: Annotated[int, Field(ge=1, le=10**6)]
    """T."""
    slot_s: Positive
    """Time from one slot to the next; the instance's ``slot_ms`` says the same."""
    speed_m_per_s: Annotated[float, Field(ge=0)]
    """Speed of the devices."""
    instance: InstanceFile
    """Slot 0: devices, servers, constants, provenance."""
    side_file: SideFile
    """Holds ``power_gain`` (T, M, E), linear, 0 where there is no path, and ``device_position_m`` (T, M, 3)."""


def json_schema() -> dict[str, Any]:
    """The published JSON Schema of trace files (``instances/trace.schema.json``)."""
    return files.published_schema(TraceFile)


@dataclass(frozen=True, eq=False)
class MobilityTrace:
    """Channel gains of moving devices.

    Attributes
    ----------
    instance
        Slot 0, with the provenance of the whole trace.
    power_gain : (T, M, E)
        h_ij^2, linear; 0 where there is no path.
    device_position_m : (T, M, 3)
        Where the devices are.
    slot_s, speed_m_per_s
        Time between slots, which is the instance's ``slot_ms``, and the devices' speed.
    """

    instance: Instance
    power_gain: NDArray[np.float64]
    device_position_m: NDArray[np.float64]
    slot_s: float
    speed_m_per_s: float

    def __post_init__(self) -> None:
        slots = len(self.power_gain) if self.power_gain.ndim else 0
        wanted = {
            "power_gain": (slots, len(self.instance.devices), len(self.instance.servers)),
            "device_position_m": (slots, len(self.instance.devices), 3),
        }
        for name, shape in wanted.items():
            array = getattr(self, name)
            if slots < 1 or array.shape != shape:
                raise InputError(f"has shape {array.shape}, not {shape}", path=f"$.{name}")
            if not np.isfinite(array).all() or (name == "power_gain" and (array < 0).any()):
                raise InputError("must be finite, and gains not negative", path=f"$.{name}")
        slot_ms = self.instance.parameters.slot_ms
        if not math.isclose(slot_ms, self.slot_s * 1e3, rel_tol=1e-9):
            raise InputError(
                f"is {self.slot_s:g} s, but the instance's slot_ms is {slot_ms:g}", path="$.slot_s"
            )

    @property
    def name(self) -> str:
        """Name of the trace."""
        return self.instance.name

    @property
    def payload(self) -> Payload | None:
        """What each draft token puts on the uplink, where the provenance says it."""
        return next(
            (each for each in PAYLOADS if each == self.instance.provenance.settings.get("payload")), None
        )

    def __len__(self) -> int:
        """Number of slots T."""
        return len(self.power_gain)

    def at(self, slot: int) -> Instance:
        """Slot ``slot`` as an instance with slot 0's devices, tasks and queues.

        Raises
        ------
        InputError
            If a device reaches no server in that slot.
        """
        channel = Channel.from_dense(self.power_gain[slot])
        devices = self.instance.devices.replace(position_m=self.device_position_m[slot])
        return self.instance.replace(name=f"{self.name}@{slot}", channel=channel, devices=devices)

    def save(self, path: str | Path) -> None:
        """Write the trace and its side file; see :func:`uara.base.side_file.write`."""
        side_file.write(
            Path(path),
            {
                "schema_version": TRACE_VERSION,
                "kind": KIND,
                "name": self.name,
                "slots": len(self),
                "slot_s": self.slot_s,
                "speed_m_per_s": self.speed_m_per_s,
                "instance": _plain(self.instance.to_plain()),
            },
            {"power_gain": self.power_gain, "device_position_m": self.device_position_m},
        )

    @classmethod
    def load(cls, path: str | Path) -> MobilityTrace:
        """Read a trace file and its side file.

        Raises
        ------
        InputError
            One error that names the file, the key path and what is wrong there.
        """
        path = Path(path)
        record = files.read_json(path, TraceFile)
        side = side_file.locate(path, record.side_file.name)
        with in_file(path):
            instance = Instance.from_record(record.instance)
            rows = record.slots * len(instance.devices)
            with arrays.opened(side, record.side_file.sha256) as archive:
                gain = archive.read("power_gain", rows * len(instance.servers), "$.power_gain")
                position_m = archive.read("device_position_m", 3 * rows, "$.device_position_m")
            trace = cls(
                instance, gain.astype(float), position_m.astype(float), record.slot_s, record.speed_m_per_s
            )
            if len(trace) != record.slots:
                raise InputError(f"says {record.slots}, but there are {len(trace)}", path="$.slots")
        return trace


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, np.ndarray):
        return value.tolist()
    if isinstance(value, tuple):
        return [_plain(item) for item in value]
    return value
