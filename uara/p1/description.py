"""An instance of P1 in words and as a map."""

from __future__ import annotations

import html
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from uara.base import pictures
from uara.base.errors import InputError, printable
from uara.base.extras import needs
from uara.base.quantities import Floats
from uara.base.sentences import counted, spread
from uara.p1.coefficients import best_snr_db, coefficients, queue_slots
from uara.p1.decision import Allocation
from uara.p1.instance import Instance
from uara.p1.model import evaluate

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

MOST_NAMES = 12
"""Servers whose names find room below their bars; more are numbered."""


def describe(instance: Instance) -> list[str]:
    """What the instance holds, a line each, for people."""
    devices, servers = instance.devices, instance.servers
    given, made = instance.parameters, instance.provenance
    numbers = coefficients(instance)
    pairs, usable = len(devices) * len(servers), len(instance.channel.pair_server)
    lines = [
        f"{instance.name}: {len(devices)} devices, {len(servers)} edge servers{made.origin}",
        f"usable pairs: {usable} of {pairs} ({100 * usable / pairs:.0f} %)",
        f"SNR of the best server: {spread(best_snr_db(instance), 'dB')}",
        f"servers: {counted(servers.model)}; {spread(servers.compute_flop_per_s / 1e12, 'TFLOP/s')}; "
        f"band {spread(servers.bandwidth_hz / 1e6, 'MHz')}; queue {spread(queue_slots(instance), 'slots')}",
        f"devices: {counted(devices.model)}; power {spread(devices.tx_power_w * 1e3, 'mW')}; "
        f"battery {spread(devices.battery_fraction * 100, '%')}",
        f"tasks: {counted(devices.task)}; upload {spread(devices.upload_bits / 1e3, 'kbit')}; "
        f"device {spread(devices.device_flop / 1e9, 'GFLOP')}; server {spread(devices.server_flop / 1e9, 'GFLOP')}",
        f"drafting on the device takes {spread(numbers.local_ms, 'ms')}; "
        f"uplink with a whole band {spread(numbers.uplink_ms, 'ms')}",
        f"weights: lambda {given.sync_weight_per_ms:g} per ms, w {given.energy_weight_ms_per_j:g} ms per J",
        f"constant part of the objective: {numbers.constant_ms:,.1f} ms",
    ]
    return [*lines, *made.lines()]


def page(instance: Instance) -> str:
    """What :func:`describe` says, as HTML for a notebook."""
    head, *lines = [html.escape(printable(line)) for line in describe(instance)]
    return f"<b>{head}</b><ul>{''.join(f'<li>{line}</li>' for line in lines)}</ul>"


def draw_map(
    instance: Instance,
    path: str | Path | None = None,
    allocation: Allocation | None = None,
    *,
    ax: Axes | None = None,
) -> Axes:
    """Draw servers and devices in the plane; with an allocation, its lines and the load of each server.

    Parameters
    ----------
    path
        A .png, .svg or .pdf file. Without one a notebook shows the picture.
    ax
        Axes to draw the map alone into.

    Returns
    -------
    Axes
        Of the map.

    Raises
    ------
    MissingExtra
        If matplotlib is not installed.
    InputError
        If the instance holds no positions.
    """
    needs("matplotlib.figure", extra="plot")
    if instance.devices.position_m is None or instance.servers.position_m is None:
        raise InputError("holds no positions to draw", source=instance.name, path="$.devices.position_m")
    size = (11, 6.5) if allocation else (7, 6.5)
    shape: dict[str, Any] = {"ncols": 2, "width_ratios": (3, 2)} if allocation else {}
    with pictures.panels(path, ax, size, credit=instance.provenance.credits, **shape) as (places, *others):
        _draw_places(places, instance, allocation)
        for loads in others:
            _draw_loads(loads, instance, allocation)  # type: ignore[arg-type]
    return places


def answer_pictures(instance: Instance) -> dict[str, Callable[[Instance, Allocation], Figure]]:
    """The pictures of an answer in a report, each on its own: a map where there are positions, and the loads."""
    placed = instance.devices.position_m is not None and instance.servers.position_m is not None
    maps = {"Map: devices, servers, association": association_map} if placed else {}
    return {**maps, "Load of each server": load_bars}


def association_map(instance: Instance, allocation: Allocation) -> Figure:
    """Devices and servers in the plane, a line from each device to its server."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(6, 5.6))
    _draw_places(figure.add_axes((0.11, 0.08, 0.87, 0.87)), instance, allocation)
    return figure


def load_bars(instance: Instance, allocation: Allocation) -> Figure:
    """What each server is asked for, and how long its devices wait."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(5, 5.6))
    _draw_loads(figure.add_axes((0, 0, 1, 1)), instance, allocation)
    return figure


def _draw_places(axes: Axes, instance: Instance, allocation: Allocation | None) -> None:
    device, server = instance.devices.position_m, instance.servers.position_m
    if device is None or server is None:
        return
    axes.grid(visible=False)
    if allocation is None:
        axes.scatter(device[:, 0], device[:, 1], s=14, color="0.35", zorder=2, label="device")
    else:
        _draw_links(axes, instance, allocation, device, server)
    for index, ((x, y), colour) in enumerate(
        zip(server[:, :2], server_colours(len(instance.servers)), strict=True)
    ):
        name = printable(instance.servers.id[index])
        label = "_" if index else "server"
        (mark,) = axes.plot(x, y, "^", ms=10, mfc=colour, mec="k", mew=1, zorder=3, ls="", label=label)
        pictures.mark(mark, notes=[name])
        axes.annotate(name, (x, y), (5, 5), textcoords="offset points", fontsize=8)
    axes.set(xlabel="x [m]", ylabel="y [m]", aspect="equal", title=printable(instance.name))
    axes.legend(loc="upper right", fontsize=8)


def _draw_links(
    axes: Axes, instance: Instance, allocation: Allocation, device: Floats, server: Floats
) -> None:
    """The devices of each server, and a line from each of them to it; positions in m, (M, 3) and (E, 3)."""
    for j, colour in enumerate(server_colours(len(server))):
        own = np.flatnonzero(allocation.association == j)
        if not own.size:
            continue
        ends = np.full((own.size, 3, 2), np.nan)  # a line ends at the third point, which is nowhere
        ends[:, 0], ends[:, 1] = device[own, :2], server[j, :2]
        axes.plot(*ends.reshape(-1, 2).T, color=colour, lw=0.7, alpha=0.6, zorder=1)
        (dots,) = axes.plot(*device[own, :2].T, "o", ms=3.7, mew=0, color=colour, zorder=2)
        names = [f"{instance.devices.id[i]} at {instance.servers.id[j]}" for i in own]
        pictures.mark(dots, notes=names)
    axes.plot([], [], "o", ms=3.7, color="0.35", label="device")


def _draw_loads(axes: Axes, instance: Instance, allocation: Allocation) -> None:
    numbers, count = coefficients(instance), len(instance.servers)
    chosen = allocation.association
    pair = np.maximum(numbers.pairs_of(chosen), 0)
    latency_ms = evaluate(instance, allocation).device_latency_ms
    served = np.bincount(chosen, minlength=count).astype(float)

    def total(values: Floats) -> Floats:
        return np.asarray(np.bincount(chosen, values, count), dtype=float)

    rows: list[tuple[str, Floats]] = [
        ("devices", served),
        ("band used [%]", 100 * total(allocation.bandwidth)),
        ("compute asked [s]", total(numbers.work[pair]) / numbers.work_per_ms / 1e3),
        ("uplink asked [s]", total(numbers.uplink_ms[pair]) / 1e3),
        ("mean latency [s]", total(latency_ms) / np.maximum(served, 1) / 1e3),
    ]
    axes.axis("off")
    names = [printable(name) for name in instance.servers.id] if count <= MOST_NAMES else range(count)
    for row, (title, values) in enumerate(rows):
        part: Any = axes.inset_axes((0.12, 1 - (row + 1) / len(rows) + 0.03, 0.86, 0.7 / len(rows)))
        part.grid(visible=False)
        bars = part.bar(np.arange(count), values, color=server_colours(count), edgecolor="k", linewidth=0.4)
        for bar, server, value in zip(bars, instance.servers.id, values, strict=True):
            pictures.mark(bar, notes=[f"{server}: {value:.4g} {title}"])
        part.set_title(title, fontsize=8, loc="left", pad=2)
        part.set_xticks(np.arange(count), names if row == len(rows) - 1 else [""] * count)
        part.tick_params(labelsize=7)


def server_colours(count: int) -> Any:
    """(E, 4) One colour a server, the same in every picture."""
    from matplotlib import colormaps

    return colormaps["tab20" if count <= 20 else "hsv"](
        np.arange(count) / max(count, 20 if count <= 20 else 1)
    )
