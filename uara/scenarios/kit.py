"""Hardware of one's own: a table of phones and GPUs, and instances equipped from it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from uara.base.digits import rounded
from uara.base.errors import meant
from uara.base.randomness import stream
from uara.hardware import ACCELERATORS, OWN_WORK_S, PHONES, Hardware
from uara.p1.instance import Instance
from uara.scenarios import plausible
from uara.scenarios.recipe import in_turn
from uara.scenarios.sheet import Sheet

COLUMNS = ("kind", "model", "compute_flop_per_s", "battery_capacity_j")
"""Columns of a hardware table; batteries are those of devices."""
_KINDS = ("device", "server")


@dataclass(frozen=True)
class Kit:
    """What devices and servers are, in turn; Table I's hardware where nothing else is said."""

    devices: tuple[Hardware, ...] = PHONES
    servers: tuple[Hardware, ...] = ACCELERATORS


def read_kit(path: str | Path) -> Kit:
    """Read a hardware table: a CSV file with a row for each model of device or server.

    Where it has no row of a kind, Table I's hardware of that kind is kept.

    Raises
    ------
    InputError
        Names row and column of what cannot be used.
    """
    sheet = Sheet.of_file("hardware", path)
    sheet.refuse_others(list(COLUMNS))
    sheet.need(COLUMNS[:3], f"; a hardware table has {', '.join(COLUMNS)}")
    kinds, models = (sheet.texts(column, 0) for column in COLUMNS[:2])
    speed = sheet.numbers("compute_flop_per_s")
    battery = _batteries(sheet, kinds)
    found: dict[str, list[Hardware]] = {kind: [] for kind in _KINDS}
    for row, (kind, model) in enumerate(zip(kinds, models, strict=True)):
        if kind not in _KINDS:
            raise sheet.error(f"{kind!r} is neither device nor server", "kind", row)
        if not model.strip() or model in (each.model for each in found[kind]):
            raise sheet.error("is empty" if not model.strip() else f"a second {model!r}", "model", row)
        _positive(sheet, f"{kind}s", "compute_flop_per_s", speed, row)
        if kind == "device":
            _positive(sheet, "devices", "battery_capacity_j", battery, row)
        capacity_j = float(battery[row]) if kind == "device" else None
        found[kind].append(Hardware(model, model, float(speed[row]), battery_capacity_j=capacity_j))
    for kind in _KINDS:
        rows = np.flatnonzero(np.array(kinds) == kind)
        _warn(sheet, f"{kind}s", "compute_flop_per_s", speed, rows)
        if kind == "device":
            _warn(sheet, "devices", "battery_capacity_j", battery, rows)
    return Kit(tuple(found["device"]) or PHONES, tuple(found["server"]) or ACCELERATORS)


def _batteries(sheet: Sheet, kinds: list[str]) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    """(n,) Batteries; a server's cell says nothing."""
    column = "battery_capacity_j"
    if "device" not in kinds:
        return np.zeros(len(kinds))
    sheet.need([column], "; devices have batteries")
    cells = sheet.texts(column, 0)
    kept = [cell if kind == "device" else "0" for kind, cell in zip(kinds, cells, strict=True)]
    return Sheet(sheet.name, {column: kept}, sheet.source, sheet.first).numbers(column)


def _positive(sheet: Sheet, table: str, column: str, values: np.ndarray, row: int) -> None:
    value = float(values[row])
    if not 0 < value < np.inf:
        hint = plausible.meant(table, column, value)
        raise sheet.error(f"must be above 0 and finite, not {value:g}{hint}", column, row)


def _warn(sheet: Sheet, table: str, column: str, values: np.ndarray, rows: np.ndarray) -> None:
    plausible.warn(table, column, values[rows], lambda index: sheet.place(column)(int(rows[index])))


def equipped(
    instance: Instance,
    kit: Kit,
    *,
    seed: int,
    devices: Sequence[Hardware] | None = None,
    servers: Sequence[Hardware] | None = None,
) -> Instance:
    """The same instance with hardware of a kit: dealt in shuffled rounds, or as given one by one.

    Waiting work keeps its length in seconds.

    Parameters
    ----------
    devices, servers
        (M,) and (E,) What each of them is.
    """
    phones = devices or in_turn(kit.devices, len(instance.devices), stream(seed, "device models"))
    machines = servers or in_turn(kit.servers, len(instance.servers), stream(seed, "server models"))
    speed = np.array([each.compute_flop_per_s for each in machines])
    waiting_s = stream(seed, "server backlogs").uniform(0, OWN_WORK_S, len(machines))
    return instance.replace(
        devices=instance.devices.replace(
            compute_flop_per_s=np.array([each.compute_flop_per_s for each in phones]),
            battery_capacity_j=np.array([each.battery_capacity_j or 0.0 for each in phones]),
            model=tuple(each.model for each in phones),
        ),
        servers=instance.servers.replace(
            compute_flop_per_s=speed,
            backlog_flop=rounded(waiting_s * speed),
            model=tuple(each.model for each in machines),
        ),
    )


def named(known: Sequence[Hardware], sheet: Sheet) -> list[Hardware] | None:
    """(n,) The hardware that each row of a table names; None where the table names none.

    Raises
    ------
    InputError
        If a row names hardware that is not known.
    """
    if "model" not in sheet.columns:
        return None
    by_name = {name: each for each in known for name in (each.name, each.model)}
    found = []
    for row, text in enumerate(sheet.texts("model", 0)):
        if text not in by_name:
            raise sheet.error(f"no hardware {text!r}{meant(text, by_name)}", "model", row)
        found.append(by_name[text])
    return found
