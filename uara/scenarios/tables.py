"""Own data as an instance: devices, servers, and gains or positions, from arrays, data frames or CSV files.

Columns are those of the file format (``uara.p1.schema``), positions in tables as ``x_m``, ``y_m``, ``z_m``.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

import uara
from uara.base.columns import Columns
from uara.base.digits import rounded
from uara.base.errors import InputError, in_file
from uara.base.provenance import Provenance
from uara.base.quantities import Floats
from uara.p1.coefficients import coefficients
from uara.p1.instance import Channel, Devices, Instance, Servers
from uara.p1.schema import DeviceColumns, Parameters, ServerColumns
from uara.scenarios import plausible
from uara.scenarios.channel import pathloss
from uara.scenarios.channel.pathloss import PathLoss
from uara.scenarios.recipe import MOST_PAIRS
from uara.scenarios.sheet import Sheet

AXES = ("x_m", "y_m", "z_m")
"""Columns of a position in tables."""
GAINS = ("power_gain", "power_gain_db")
"""Columns of a gain in tables, linear and in dB."""
SCHEMAS: Mapping[str, type[Columns]] = {"devices": DeviceColumns, "servers": ServerColumns}
DEFAULTS: Mapping[str, Mapping[str, float]] = {
    "devices": {"battery_fraction": 1.0},
    "servers": {"backlog_flop": 0.0},
}
"""Required columns of the file format that may be left out: full batteries, empty queues."""
_TEXT = ("id", "model", "task")
_LEAST_GAIN, _MOST_GAIN = 1e-30, 1e30


@dataclass(frozen=True)
class Making:
    """What an instance is beside its tables."""

    name: str = "own"
    parameters: Parameters | None = None
    path_loss: PathLoss | None = None
    seed: int = 1


def from_arrays(
    devices: Mapping[str, Any],
    servers: Mapping[str, Any],
    *,
    power_gain: ArrayLike | None = None,
    power_gain_db: ArrayLike | None = None,
    **making: Any,
) -> Instance:
    """See :meth:`uara.Instance.from_arrays`, which names the other options."""
    given = {"power_gain": power_gain, "power_gain_db": power_gain_db}
    gains = Sheet.of_columns("gains", given)
    return _assembled(
        Sheet.of_columns("devices", devices),
        Sheet.of_columns("servers", servers),
        gains if gains.columns else None,
        Making(**making),
    )


def from_frames(devices: Any, servers: Any, gains: Any = None, **making: Any) -> Instance:
    """See :meth:`uara.Instance.from_frames`, which names the options."""
    return _of_sheets(Sheet.of_frame, devices, servers, gains, **making)


def from_csv(
    devices: str | Path, servers: str | Path, gains: str | Path | None = None, **making: Any
) -> Instance:
    """See :meth:`uara.Instance.from_csv`, which names the options."""
    return _of_sheets(Sheet.of_file, devices, servers, gains, **making)


def _of_sheets(
    read: Callable[[str, Any], Sheet], devices: Any, servers: Any, gains: Any, **making: Any
) -> Instance:
    return _assembled(
        read("devices", devices),
        read("servers", servers),
        None if gains is None else read("gains", gains),
        Making(**making),
    )


def _assembled(devices: Sheet, servers: Sheet, gains: Sheet | None, making: Making) -> Instance:
    """The instance that the tables describe; what is wrong with them is said in their own words."""
    law = making.path_loss or PathLoss()
    rows, columns = _shape(gains)
    of_devices: Devices = _table(devices, Devices, rows, law.device_height_m)
    of_servers: Servers = _table(servers, Servers, columns, law.server_height_m)
    if gains is None:
        channel = _drawn(law, making.seed, of_devices, of_servers)
        provenance = Provenance(
            channel_model="path-loss",
            seed=making.seed,
            versions={"uara": uara.__version__, "numpy": np.__version__},
            settings=law.model_dump(exclude={"box_m", "min_distance_m", "server_spacing_m"}),
        )
    else:
        channel = _given(gains, of_devices, of_servers)
        provenance = Provenance(channel_model="given")
    parameters = making.parameters or Parameters()
    made = Instance(making.name, of_servers, of_devices, channel, parameters, provenance)
    _check_rates(made, "gains" if gains is None else gains.source)
    return made


def _check_rates(instance: Instance, source: str) -> None:
    """Refuse a pair so weak that its rate is zero, by the names of its ends."""
    try:
        coefficients(instance)
    except InputError as error:
        pair = re.findall(r"\[(\d+)\]", error.path or "")
        ends = f"device {instance.devices.id[int(pair[0])]}, server {instance.servers.id[int(pair[1])]}"
        raise InputError(error.problem, source=source, path=ends) from None


def _shape(gains: Sheet | None) -> tuple[int, int]:
    """Numbers of devices and servers that a matrix of gains stands for; 1 and 1 where there is none."""
    given = [gains.columns[name] for name in GAINS if name in gains.columns] if gains else []
    if not given or np.ndim(given[0]) != 2:
        return 1, 1
    rows: int = len(given[0])
    return rows, len(given[0][0]) if rows else 1


def _table(sheet: Sheet, record: Any, otherwise: int, height_m: float) -> Any:
    """Devices or servers: single values repeated, ids and positions completed, every value checked."""
    schema, defaults = SCHEMAS[sheet.name].model_fields, DEFAULTS[sheet.name]
    sheet.refuse_others([*schema, *AXES])
    count = sheet.count(otherwise)
    columns: dict[str, Any] = {"id": [f"{sheet.name[:-1]}{row}" for row in range(count)]}
    for name, field in schema.items():
        if name in sheet.columns and name in _TEXT:
            columns[name] = sheet.texts(name, count)
        elif name in sheet.columns and name != "position_m":
            columns[name] = _repeated(sheet, name, count)
        elif name in defaults:
            columns[name] = np.full(count, defaults[name])
        elif field.is_required() and name != "id":
            raise sheet.error(f"is missing; it holds {field.description}", name)
    position_m = _positions(sheet, count, height_m)
    if position_m is not None:
        columns["position_m"] = position_m
    try:
        made = record(**columns)
    except InputError as error:
        raise placed(error, sheet, columns) from None
    for name in plausible.USUAL[sheet.name]:
        if name in sheet.columns:
            plausible.warn(sheet.name, name, np.atleast_1d(sheet.numbers(name)), sheet.place(name))
    return made


def _repeated(sheet: Sheet, column: str, count: int) -> Floats:
    values = sheet.numbers(column)
    return np.full(count, values) if values.ndim == 0 else values


def _positions(sheet: Sheet, count: int, height_m: float) -> Floats | None:
    """(n, 3) Where the rows stand, at a height of their own or the usual one; None where nothing is said."""
    if "position_m" in sheet.columns:
        points = sheet.numbers("position_m")
        if points.ndim != 2 or points.shape[1] not in (2, 3):
            raise sheet.error(
                f"has shape {points.shape}; it must be (n, 2) or (n, 3): x, y and z", "position_m"
            )
        return np.hstack([points, np.full((len(points), 1), height_m)])[:, :3]
    if not set(AXES) & set(sheet.columns):
        return None
    sheet.need(AXES[:2], "; positions need x_m and y_m")
    height = _repeated(sheet, "z_m", count) if "z_m" in sheet.columns else np.full(count, height_m)
    axes = [_repeated(sheet, "x_m", count), _repeated(sheet, "y_m", count), height]
    for axis, values in zip(AXES, axes, strict=True):
        if values.shape != (count,):
            raise sheet.error(f"{len(values)} entries, but there are {count} rows", axis)
    return np.stack(axes, axis=1)


def placed(error: InputError, sheet: Sheet, columns: Mapping[str, Any]) -> InputError:
    """An error in the table of an instance, at its place in the table that was given."""
    found = re.match(r"\$\.\w+\.(\w+)(?:\[(\d+)\])?", error.path or "")
    if found is None:
        return error.in_source(sheet.source)
    column, row = found[1], None if found[2] is None else int(found[2])
    value = columns[column][row] if row is not None and column in plausible.USUAL[sheet.name] else None
    return sheet.error(error.problem + plausible.meant(sheet.name, column, value), column, row)


def _drawn(law: PathLoss, seed: int, devices: Devices, servers: Servers) -> Channel:
    """The channel between positions, as ``uara generate --channel path-loss`` draws it."""
    for name, table in (("devices", devices), ("servers", servers)):
        if table.position_m is None:
            problem = "there are no gains, and no positions (x_m, y_m) to draw them between"
            raise InputError(problem, source=name)
    if len(devices) * len(servers) > MOST_PAIRS:
        raise InputError(
            f"more than the {MOST_PAIRS} pairs that gains are drawn for; give them", source="gains"
        )
    with in_file("positions"):
        drop = pathloss.gains(law, np.asarray(servers.position_m), np.asarray(devices.position_m), seed=seed)
    return Channel.from_dense(rounded(drop.power_gain))


def _given(gains: Sheet, devices: Devices, servers: Servers) -> Channel:
    """The channel of a matrix, or of a table with a row for each usable pair."""
    listed = "device" in gains.columns or "server" in gains.columns
    gains.refuse_others(["device", "server", *GAINS])
    chosen = [name for name in GAINS if name in gains.columns]
    if len(chosen) != 1:
        raise InputError(f"needs one column of {' or '.join(GAINS)}, not {len(chosen)}", source=gains.source)
    values = gains.numbers(chosen[0])
    ends = _ends(gains, devices, servers) if listed else None
    if ends is None and values.shape != (len(devices), len(servers)):
        hint = "; turn it round" if values.shape == (len(servers), len(devices)) else ""
        problem = f"has shape {values.shape}, but there are {len(devices)} devices and {len(servers)} servers"
        raise gains.error(problem + hint, chosen[0])
    if ends is not None and values.shape != ends[0].shape:
        raise gains.error(f"has shape {values.shape}, but there are {len(ends[0])} devices", chosen[0])
    linear = _linear(gains, chosen[0], values)
    device, server = ends or (each.ravel() for each in np.indices(values.shape))
    return _sparse(gains, device, server, linear.ravel(), (devices, servers))


def _linear(gains: Sheet, column: str, values: Floats) -> Floats:
    """Linear gains; refused where they are negative or beyond all meaning."""
    width = values[:1].size
    with np.errstate(over="ignore"):
        linear = 10 ** (values / 10) if column == "power_gain_db" else values
    wrong = np.flatnonzero(~((linear == 0) | ((linear >= _LEAST_GAIN) & (linear <= _MOST_GAIN))))
    if len(wrong):
        value = float(values.ravel()[wrong[0]])
        hint = plausible.meant("gains", column, value)
        raise gains.error(f"{value:g} cannot be a gain{hint}", column, int(wrong[0]) // width)
    finite = np.where(np.isfinite(values), values, 0.0).ravel()  # minus infinity is no path
    plausible.warn("gains", column, finite, lambda index: gains.place(column)(index // width))
    return np.asarray(linear)


def _ends(gains: Sheet, devices: Devices, servers: Servers) -> tuple[Any, Any]:
    """(K,) Index of the device and of the server that each row names."""
    found = []
    for column, table in (("device", devices), ("server", servers)):
        if column not in gains.columns or gains.is_single(column):
            raise gains.error("is missing; gains are a row for each pair: device, server, gain", column)
        index = {name: number for number, name in enumerate(table.id)}
        names = gains.texts(column, 0)
        unknown = next((row for row, name in enumerate(names) if name not in index), None)
        if unknown is not None:
            raise gains.error(f"{names[unknown]!r} is the id of no {column}", column, unknown)
        found.append(np.array([index[name] for name in names]))
    return found[0], found[1]


def _sparse(gains: Sheet, device: Any, server: Any, gain: Floats, ends: tuple[Devices, Servers]) -> Channel:
    """The channel of listed pairs, in any order; a gain of 0 is no path."""
    devices, servers = ends
    order = np.lexsort((server, device))
    keys = (device * len(servers) + server)[order]
    twice = np.flatnonzero(np.diff(keys) == 0)
    if len(twice):
        row = int(order[twice[0] + 1])
        raise gains.error(
            f"the pair of {devices.id[device[row]]} and {servers.id[server[row]]} comes twice", "device", row
        )
    order = order[gain[order] > 0]
    start = np.searchsorted(device[order], np.arange(len(devices) + 1))
    lonely = np.flatnonzero(np.diff(start) == 0)
    if len(lonely):
        raise InputError(f"device {devices.id[lonely[0]]} has no path to any server", source=gains.source)
    return Channel(start, server[order], gain[order])
