"""What the simulator and the batched worlds agree on: time on a trace, batteries, the servers' own work."""

from __future__ import annotations

import numpy as np

from uara.base.errors import InputError
from uara.base.quantities import Floats
from uara.hardware import BATTERY_CAPACITY_J
from uara.p1.instance import Devices

BATTERY_FLOOR = 0.01
"""B_i never falls below: P1 divides by it. A device at the floor is on its charger."""


def place_on(slots: int, slot: int) -> int:
    """Place of a slot on a trace of so many slots: after the last one it runs backwards, and so on."""
    period = max(1, 2 * (slots - 1))
    return min(slot % period, period - slot % period) if slots > 1 else 0


def without_outages(gain: Floats) -> Floats:
    """The gains (T, M, E); a device without any path keeps those of the nearest earlier slot with one.

    Before its first path it has those of the slot of that path.

    Raises
    ------
    InputError
        If no server ever reaches some device.
    """
    reached = (gain > 0).any(2)
    if not reached.any(0).all():
        lonely = int(np.argmin(reached.any(0)))
        raise InputError(f"device {lonely} is never reached by a server", source="trace")
    last = np.maximum.accumulate(np.where(reached, np.arange(len(gain))[:, None], -1), axis=0)
    last = np.where(last >= 0, last, reached.argmax(0))
    held: Floats = gain[last, np.arange(gain.shape[1])]
    return held


def battery_capacity_j(devices: Devices) -> Floats:
    """(M,) Energy of the full batteries; the catalogue's mean where the instance does not say."""
    if devices.battery_capacity_j is not None:
        return devices.battery_capacity_j
    return np.full(len(devices), float(np.mean(BATTERY_CAPACITY_J)))
