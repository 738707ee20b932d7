from __future__ import annotations

import math
import warnings

import numpy as np
import pytest
from cases import make_instance

from uara.base.errors import UaraWarning
from uara.p1.frames import columns
from uara.scenarios.plausible import USUAL, meant, warn


def place(row: int) -> str:
    return f"table: row {row}"


@pytest.mark.parametrize(
    ("table", "column", "value", "unit"),
    [
        ("servers", "compute_flop_per_s", 35.0, "in TFLOP/s it would be 3.5e+13 FLOP/s"),
        ("servers", "compute_flop_per_s", 35_600.0, "in TFLOP/s it would be 3.56e+16 FLOP/s"),
        ("devices", "compute_flop_per_s", 2_000.0, "in GFLOP/s it would be 2e+12 FLOP/s"),
        ("servers", "bandwidth_hz", 2.5, "in MHz it would be 2.5e+06 Hz"),
        ("servers", "bandwidth_hz", 2_500.0, "in kHz it would be 2.5e+06 Hz"),
        ("devices", "tx_power_w", 200.0, "in mW it would be 0.2 W"),
        ("devices", "tx_power_w", 23.0, "in dBm it would be 0.1995 W"),
        ("devices", "battery_capacity_j", 15.0, "in Wh it would be 5.4e+04 J"),
        ("gains", "power_gain", 95.0, "in dB of path loss it would be 3.162e-10"),
        ("gains", "power_gain_db", 95.0, "in dB of path loss it would be -95 dB"),
        ("gains", "power_gain_db", 1e-9, "in linear power gain it would be -90 dB"),
    ],
)
def test_a_value_in_another_unit_is_warned_of(table: str, column: str, value: float, unit: str) -> None:
    usual = USUAL[table][column]
    fine = math.sqrt(usual.low * usual.high) if usual.low > 0 else (usual.low + usual.high) / 2
    with pytest.warns(UaraWarning, match=r"^table: row 1 \(and 1 more\)") as caught:
        warn(table, column, np.array([fine, value, value]), place)
    assert str(caught[0].message).endswith(unit)


def test_one_warning_a_column_and_none_for_what_is_usual() -> None:
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        for table, found in columns(make_instance(40, 5, 3)).items():
            for name in USUAL[table].keys() & found.keys():
                warn(table, name, np.array(found[name]), place)
        warn("servers", "backlog_flop", np.zeros(3), place)
        warn("servers", "no_such_column", np.zeros(3), place)
    assert caught == []


def test_what_fits_no_unit_is_warned_of_without_a_guess() -> None:
    with pytest.warns(UaraWarning, match=r"row 0: 1e-28 is outside the usual 1e-25 to 1$"):
        warn("gains", "power_gain", np.array([1e-28]), place)


def test_hints_for_values_that_are_refused() -> None:
    assert meant("devices", "battery_fraction", 80.0) == "; in per cent it would be 0.8"
    assert meant("gains", "power_gain", -95.0) == "; in dB it would be 3.162e-10"
    assert meant("devices", "tx_power_w", "much") == meant("devices", "id", 3.0) == meant("x", "y", 1.0) == ""
    assert meant("gains", "power_gain_db", -1e5) == "", "no logarithm, and no unit"
