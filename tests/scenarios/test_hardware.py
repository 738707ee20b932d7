from __future__ import annotations

from uara.scenarios.hardware import ACCELERATORS, PHONES


def test_hardware_is_that_of_table_i() -> None:
    assert [phone.model for phone in PHONES] == ["Samsung Galaxy S23", "Apple iPhone 14", "Huawei Mate 60"]
    assert [each.model for each in ACCELERATORS] == ["NVIDIA RTX 2080", "NVIDIA RTX 3090", "NVIDIA RTX 4090"]


def test_servers_outrun_phones_and_come_in_order() -> None:
    speeds = [each.compute_flop_per_s for each in ACCELERATORS]
    assert speeds == sorted(speeds)
    assert min(speeds) > max(phone.compute_flop_per_s for phone in PHONES)


def test_batteries_are_in_joules() -> None:
    """12 to 20 watt-hours."""
    assert all(12 * 3600 < phone.battery_capacity_j < 20 * 3600 for phone in PHONES)
