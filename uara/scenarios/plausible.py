"""Values that can be computed with and were hardly meant: a speed in TFLOP/s where FLOP/s belong, and the like."""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import numpy as np

from uara.base.errors import UaraWarning
from uara.base.quantities import Floats


@dataclass(frozen=True)
class Usual:
    """Where the values of a column lie, generously, in every network that was ever meant."""

    low: float
    high: float
    unit: str
    others: Mapping[str, Callable[[float], float]] = field(default_factory=dict)
    """Other units that people have, and what turns a value in them into one in :attr:`unit`; likeliest first."""
    zero: bool = False
    """Whether 0 is usual too."""

    def outside(self, values: Floats) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
        """Indices of the values that do not lie there."""
        inside = (values >= self.low) & (values <= self.high)
        return np.flatnonzero(~(inside | (self.zero & (values == 0))))

    def meant(self, value: float) -> str:
        """What a value outside was probably meant to be, as the end of a message; empty where nothing fits."""
        for name, turn in self.others.items():
            try:
                turned = turn(value)
            except (ValueError, OverflowError):  # a logarithm of what has none, a power beyond all numbers
                continue
            if self.low <= turned <= self.high:
                return f"; in {name} it would be {turned:.4g} {self.unit}".rstrip()
        return ""


def _times(factor: float) -> Callable[[float], float]:
    return lambda value: value * factor


_SPEED = {"TFLOP/s": _times(1e12), "GFLOP/s": _times(1e9), "MFLOP/s": _times(1e6)}
_WORK = {"TFLOP": _times(1e12), "GFLOP": _times(1e9), "MFLOP": _times(1e6)}

USUAL: Mapping[str, Mapping[str, Usual]] = {
    "devices": {
        "compute_flop_per_s": Usual(1e8, 1e15, "FLOP/s", _SPEED),
        "tx_power_w": Usual(1e-4, 5.0, "W", {"dBm": lambda dbm: 10 ** (dbm / 10 - 3), "mW": _times(1e-3)}),
        "battery_fraction": Usual(0.0, 1.0, "", {"per cent": _times(1e-2)}),
        "upload_bits": Usual(8.0, 1e11, "bit", {"kbit": _times(1e3), "Mbit": _times(1e6)}),
        "device_flop": Usual(1e6, 1e18, "FLOP", _WORK),
        "server_flop": Usual(1e6, 1e20, "FLOP", _WORK),
        "battery_capacity_j": Usual(1e3, 1e7, "J", {"Wh": _times(3600.0)}),
    },
    "servers": {
        "compute_flop_per_s": Usual(1e9, 1e19, "FLOP/s", _SPEED),
        "bandwidth_hz": Usual(1e4, 2e9, "Hz", {"MHz": _times(1e6), "kHz": _times(1e3)}),
        "backlog_flop": Usual(1e6, 1e20, "FLOP", _WORK, zero=True),
    },
    "gains": {
        "power_gain": Usual(
            1e-25,
            1.0,
            "",
            {
                "dB": lambda db: 10 ** (db / 10) if db < 0 else math.nan,
                "dB of path loss": lambda db: 10 ** (-db / 10) if db > 1 else math.nan,
            },
            zero=True,
        ),
        "power_gain_db": Usual(
            -250.0,
            0.0,
            "dB",
            {"linear power gain": lambda gain: 10 * math.log10(gain), "dB of path loss": lambda db: -db},
        ),
    },
}
"""Columns by table."""


def meant(table: str, column: str, value: object) -> str:
    """What was probably meant by a value that cannot be used, as the end of a message; empty where nothing fits."""
    usual = USUAL.get(table, {}).get(column)
    return usual.meant(float(value)) if usual and isinstance(value, int | float) else ""


def warn(table: str, column: str, values: Floats, place: Callable[[int], str]) -> None:
    """Warn, once a column, of values that were hardly meant.

    Parameters
    ----------
    values
        (n,) In the unit of the column.
    place
        Where the value of an index stands, in words.
    """
    usual = USUAL.get(table, {}).get(column)
    if usual is None or not len(found := usual.outside(values)):
        return
    value = float(values[found[0]])
    unit = f" {usual.unit}".rstrip()
    rest = f" (and {len(found) - 1} more)" if len(found) > 1 else ""
    warnings.warn(
        f"{place(int(found[0]))}{rest}: {value:g}{unit} is outside the usual {usual.low:g} to {usual.high:g}{unit}"
        f"{usual.meant(value)}",
        UaraWarning,
        stacklevel=2,
    )
