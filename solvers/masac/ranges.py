"""What a policy was trained or tested on, and the warning where an instance lies outside."""

from __future__ import annotations

import warnings
from collections.abc import Mapping

import numpy as np

from uara.base.errors import UaraWarning
from uara.p1.coefficients import coefficients
from uara.p1.instance import Instance

Ranges = Mapping[str, tuple[float, float]]


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
