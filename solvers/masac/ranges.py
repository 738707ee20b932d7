"""What a policy was trained or tested on, and the warning where an instance lies outside."""

from __future__ import annotations

import math
import warnings
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from uara.base.errors import UaraWarning
from uara.p1.coefficients import coefficients
from uara.p1.instance import Instance

if TYPE_CHECKING:
    from uara.mec.batch import WorldSettings
    from uara.mec.worlds import Slot

Ranges = Mapping[str, Sequence[float]]


def measures(instance: Instance) -> dict[str, float]:
    """What ranges are given of: sizes, lambda and w, and medians over devices and pairs in ms."""
    numbers, given = coefficients(instance), instance.parameters
    service_ms = numbers.work / numbers.work_per_ms[numbers.server]
    return {
        "devices": float(numbers.devices),
        "servers": float(numbers.servers),
        "sync_weight_per_ms": given.sync_weight_per_ms,
        "energy_weight_ms_per_j": given.energy_weight_ms_per_j,
        "local_ms": float(np.median(numbers.local_ms)),
        "uplink_ms": float(np.median(numbers.uplink_ms)),
        "service_ms": float(np.median(service_ms)),
    }


def trained_ranges(slots: Sequence[Slot], worlds: WorldSettings) -> dict[str, list[float]]:
    """What :func:`measures` would say at the least and at the most of these batches of training worlds."""
    found: dict[str, list[float]] = {}
    for slot in slots:
        batch, devices, servers = slot.uplink_ms.shape
        can = slot.uplink_ms.isfinite()
        service = slot.server_flop[:, :, None] / slot.flop_per_ms[:, None, :]
        for world in range(batch):
            for name, values in (
                ("local_ms", slot.local_ms[world]),
                ("uplink_ms", slot.uplink_ms[world][can[world]]),
                ("service_ms", service[world][can[world]]),
            ):
                found.setdefault(name, []).append(float(values.median()))
        found.setdefault("devices", []).append(float(devices))
        found.setdefault("servers", []).append(float(servers))
        found.setdefault("sync_weight_per_ms", []).extend(map(float, slot.sync_weight_per_ms.double()))
    low, high = worlds.energy_weight_range
    least, most = worlds.energy_factor_range
    found["energy_weight_ms_per_j"] = [low * min(least, 1.0), high * max(most, 1.0)]
    return {name: [_rounded(min(values), down=True), _rounded(max(values))] for name, values in found.items()}


def _rounded(value: float, *, down: bool = False) -> float:
    """Two digits, away from the middle."""
    if not value:
        return 0.0
    unit = 10.0 ** (math.floor(math.log10(abs(value))) - 1)
    return float(
        f"{(math.floor if down else math.ceil)(value / unit * (1 + (1 if down else -1) * 1e-6)) * unit:.6g}"
    )


def outside(ranges: Ranges, instance: Instance) -> list[str]:
    """What lies outside, in words: the value, and the range. Empty where all is inside or no range is known."""
    found = measures(instance) if ranges else {}
    return [
        f"{name} {found[name]:g} (not {low:g} to {high:g})"
        for name, (low, high) in ranges.items()
        if name in found and not low <= found[name] <= high
    ]


def warn_outside(ranges: Ranges, instance: Instance) -> None:
    """Say in one line what of an instance the policy has never seen.

    Warns
    -----
    UaraWarning
        If something lies outside the ranges.
    """
    if beyond := outside(ranges, instance):
        text = f"{instance.name}: outside what the policy was trained on: {', '.join(beyond)}"
        warnings.warn(text, UaraWarning, stacklevel=2)
