from __future__ import annotations

import pytest

from uara.base.sentences import counted, spread


@pytest.mark.parametrize(
    ("values", "unit", "text"),
    [
        ([3, 1, 2], "ms", "1 / 2 / 3 ms"),
        ([0.123456, 0.123456], "dB", "0.1235 dB"),
        ([1.0], "", "1"),
        ([1e6, 2e6], "Hz", "1e+06 / 1.5e+06 / 2e+06 Hz"),
    ],
)
def test_values_are_said_by_their_range(values: list[float], unit: str, text: str) -> None:
    assert spread(values, unit) == text


def test_names_are_counted_in_their_order() -> None:
    assert counted(["b", "a", "b"]) == "1 x a, 2 x b"
    assert counted(None) == counted(()) == "unnamed"
