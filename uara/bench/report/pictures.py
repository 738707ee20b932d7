"""Pictures of an answer to P1: the map with association lines, and what each server is asked for."""

from __future__ import annotations

import numpy as np

from uara.bench.report.svg import Scale, colour, escape, picture, text, tick_label
from uara.p1.coefficients import coefficients
from uara.p1.decision import Allocation
from uara.p1.instance import Instance
from uara.p1.model import evaluate

SIDE = 420.0


def pictures(instance: Instance, allocation: Allocation) -> dict[str, str]:
    """Titles and SVG."""
    found = {"Load of each server": load_bars(instance, allocation)}
    if instance.devices.position_m is not None and instance.servers.position_m is not None:
        found = {"Map: devices, servers, association": association_map(instance, allocation), **found}
    return found


def association_map(instance: Instance, allocation: Allocation) -> str:
    """Devices and servers in the plane, a line from each device to its server."""
    devices, servers = instance.devices.position_m, instance.servers.position_m
    if devices is None or servers is None:
        return ""
    both = np.vstack([devices[:, :2], servers[:, :2]])
    low, wide = both.min(axis=0), float(np.ptp(both, axis=0).max()) or 1.0
    x_scale = Scale(low[0] - 0.05 * wide, low[0] + 1.05 * wide, 0, SIDE)
    y_scale = Scale(low[1] - 0.05 * wide, low[1] + 1.05 * wide, SIDE, 0)
    at_device = [(x_scale(x), y_scale(y)) for x, y in devices[:, :2]]
    at_server = [(x_scale(x), y_scale(y)) for x, y in servers[:, :2]]
    body = []
    for i, j in enumerate(allocation.association):
        (x1, y1), (x2, y2) = at_device[i], at_server[j]
        own = f'style="--own:{colour(int(j))}"'
        note = escape(f"{instance.devices.id[i]} at {instance.servers.id[j]}")
        body.append(f'<path d="M{x1:.1f},{y1:.1f}L{x2:.1f},{y2:.1f}" class="link" {own}/>')
        body.append(f'<circle cx="{x1:.1f}" cy="{y1:.1f}" r="3" {own}><title>{note}</title></circle>')
    for j, (x, y) in enumerate(at_server):
        note = escape(instance.servers.id[j])
        body.append(
            f'<path d="M{x:.1f},{y - 8:.1f}l7,13h-14z" class="server" style="--own:{colour(j)}">'
            f"<title>{note}</title></path>"
        )
        body.append(text(x + 9, y + 4, instance.servers.id[j], anchor="start"))
    body.append(_ruler(wide, x_scale))
    title = f"Map of {instance.name}"
    return picture(body, title, SIDE, SIDE + 16)


def _ruler(wide: float, scale: Scale) -> str:
    length = 10.0 ** np.floor(np.log10(wide / 2))
    end = scale(scale.low + length) + 8
    mark = f'<path d="M8,{SIDE + 4}H{end:.1f}" class="frame"/>'
    return mark + text(end + 4, SIDE + 8, f"{tick_label(float(length))} m", anchor="start")


def load_bars(instance: Instance, allocation: Allocation) -> str:
    """Devices, compute asked for, band shared out and mean latency of each server."""
    numbers, count = coefficients(instance), len(instance.servers)
    chosen = allocation.association
    pair = np.maximum(numbers.pairs_of(chosen), 0)
    number = np.bincount(chosen, minlength=count)
    latency = evaluate(instance, allocation).device_latency_ms
    rows = [
        ("devices", number.astype(float)),
        ("compute [s]", np.bincount(chosen, numbers.work[pair], count) / numbers.work_per_ms / 1e3),
        ("band [%]", 100 * np.bincount(chosen, allocation.bandwidth, count)),
        ("latency [s]", np.bincount(chosen, latency, count) / np.maximum(number, 1) / 1e3),
    ]
    body, tall = [], 84.0
    left, wide = 84.0, SIDE - 92.0
    for row, (name, values) in enumerate(rows):
        foot = tall * (row + 1) - 14
        largest = float(values.max()) or 1.0
        body.append(text(left - 8, foot - 24, name, anchor="end"))
        body.append(text(left - 8, foot - 10, f"≤ {largest:.3g}", anchor="end"))
        body.append(f'<path d="M{left},{foot}h{wide}" class="frame"/>')
        for j, value in enumerate(values):
            high = 62 * value / largest
            note = escape(f"{instance.servers.id[j]}: {value:.4g} {name}")
            body.append(
                f'<rect x="{left + (j + 0.15) * wide / count:.1f}" y="{foot - high:.1f}" '
                f'width="{0.7 * wide / count:.1f}" height="{high:.1f}" style="--own:{colour(j)}">'
                f"<title>{note}</title></rect>"
            )
    for j, name in enumerate(instance.servers.id):
        if count <= 12:
            body.append(
                text(
                    left + (j + 0.5) * wide / count,
                    tall * len(rows),
                    str(j),
                    anchor="middle",
                    extra=f'aria-label="{escape(name)}"',
                )
            )
    return picture(body, f"Loads of {instance.name}", SIDE, tall * len(rows) + 8)
