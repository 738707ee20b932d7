"""An instance as tables: devices, servers and gains, as data frames and as CSV files."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from uara.base import sheets
from uara.base.errors import InputError
from uara.base.extras import needs
from uara.base.files import check_output, is_stream
from uara.base.tables import Table
from uara.p1.instance import Instance

if TYPE_CHECKING:
    import pandas as pd

NAMES = ("devices", "servers", "gains")


class Frames(NamedTuple):
    """An instance as data frames; what ``Instance.from_frames`` takes."""

    devices: pd.DataFrame
    servers: pd.DataFrame
    gains: pd.DataFrame


def columns(instance: Instance) -> dict[str, dict[str, list[Any]]]:
    """The columns of each table, positions as ``x_m``, ``y_m``, ``z_m``, a row of gains for each usable pair."""
    devices, servers, channel = instance.devices.id, instance.servers.id, instance.channel
    return {
        "devices": _flat(instance.devices),
        "servers": _flat(instance.servers),
        "gains": {
            "device": [devices[i] for i in channel.pair_device],
            "server": [servers[j] for j in channel.pair_server],
            "power_gain": channel.power_gain.tolist(),
        },
    }


def _flat(table: Table) -> dict[str, list[Any]]:
    found: dict[str, list[Any]] = {}
    for name, column in table.columns().items():
        if name == "position_m":
            found |= {f"{axis}_m": column[:, index].tolist() for index, axis in enumerate("xyz")}
        else:
            found[name] = list(column) if name in table.text else column.tolist()
    return found


def to_frames(instance: Instance) -> Frames:
    """See :meth:`uara.Instance.to_frames`."""
    pandas = needs("pandas", extra="bench")
    return Frames(**{name: pandas.DataFrame(table) for name, table in columns(instance).items()})


def csv_files(path: Path) -> dict[str, Path]:
    """The three files of a name: ``NAME_devices.csv``, ``NAME_servers.csv``, ``NAME_gains.csv``."""
    return {name: path.with_name(f"{path.stem}_{name}.csv") for name in NAMES}


def check_csv(instance: Instance, path: Path, inputs: Collection[Path] = ()) -> None:
    """Refuse, before any work, files that must not be written; see :func:`uara.base.files.check_output`."""
    if is_stream(path):
        raise InputError("three files cannot go into one stream; name a file", source=str(path))
    check_output(path, suffixes=(".csv",), inputs=inputs)
    for name, file in csv_files(path).items():
        check_output(file, suffixes=(".csv",), inputs=inputs, kind=",".join(columns(instance)[name]))


def write_csv(instance: Instance, path: Path) -> list[Path]:
    """Write the three tables; numbers come back from them bit by bit."""
    places = csv_files(path)
    for name, table in columns(instance).items():
        sheets.write(places[name], list(table), zip(*table.values(), strict=True))
    return list(places.values())
