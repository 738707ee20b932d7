from __future__ import annotations

import dataclasses

import pytest

from uara import hardware
from uara.hardware import ACCELERATORS, BATTERY_CAPACITY_J, GPUS, PHONES, Hardware
from uara.hetedge import catalogue
from uara.psd.hardware import PHONES as PSD_PHONES
from uara.psd.hardware import SERVERS

EVERYTHING = (*PHONES, *GPUS)
NUMBERS = [
    each.name for each in dataclasses.fields(Hardware) if each.name not in ("name", "model", "sources")
]


def test_hardware_is_that_of_table_i() -> None:
    assert [phone.model for phone in PHONES] == ["Samsung Galaxy S23", "Apple iPhone 14", "Huawei Mate 60"]
    assert [each.model for each in ACCELERATORS] == ["NVIDIA RTX 2080", "NVIDIA RTX 3090", "NVIDIA RTX 4090"]


@pytest.mark.parametrize("piece", EVERYTHING, ids=lambda each: each.name)
def test_every_number_has_its_source_and_nothing_else_has(piece: Hardware) -> None:
    said = {name for name in NUMBERS if getattr(piece, name) is not None}
    assert set(piece.sources) == said
    assert all(piece.sources.values())


def test_names_are_told_apart() -> None:
    assert (
        len({each.name for each in EVERYTHING}) == len({each.model for each in EVERYTHING}) == len(EVERYTHING)
    )


def test_servers_outrun_phones_and_come_in_order() -> None:
    speeds = [each.compute_flop_per_s for each in ACCELERATORS]
    assert speeds == sorted(speeds)
    assert min(speeds) > max(phone.compute_flop_per_s for phone in PHONES)


def test_batteries_are_in_joules() -> None:
    """12 to 20 watt-hours."""
    assert [phone.battery_capacity_j for phone in PHONES] == list(BATTERY_CAPACITY_J)
    assert all(12 * 3600 < capacity_j < 20 * 3600 for capacity_j in BATTERY_CAPACITY_J)


def test_the_other_tables_are_read_from_this_one() -> None:
    by_name = {each.name: each for each in EVERYTHING}
    for name, processor in {**PSD_PHONES, **SERVERS}.items():
        assert processor.flop_per_s == by_name[name].compute_flop_per_s
        assert processor.memory_byte_per_s == by_name[name].memory_byte_per_s
    assert list(PSD_PHONES) == [each.name for each in PHONES if each.memory_byte_per_s is not None]
    for name, node in catalogue.NODES.items():
        assert node.compute_flop_per_s == by_name[name].compute_flop_per_s
        assert node.memory_bytes == by_name[name].memory_bytes


def test_the_bands_of_memory_are_width_times_rate() -> None:
    rates = {"galaxy-s23": 64 * 8.4, "iphone-14": 64 * 4.266, "rtx-2080": 256 * 14.0, "rtx-3090": 384 * 19.5}
    for name, gbit_per_s in rates.items():
        (piece,) = (each for each in EVERYTHING if each.name == name)
        assert piece.memory_byte_per_s == pytest.approx(gbit_per_s / 8 * 1e9, rel=1e-3)


def test_ranges_of_table_i_are_the_recipes() -> None:
    from uara.mec.batch import WorldSettings
    from uara.scenarios.recipe import BATTERY, Recipe

    assert WorldSettings().tx_power_dbm_range == hardware.TX_POWER_DBM == (16.0, 24.0)
    assert WorldSettings().battery_range == BATTERY["any"] == hardware.BATTERY_FRACTION
    assert Recipe().bandwidth_mhz * 1e6 == WorldSettings().bandwidth_hz == hardware.UPLINK_BAND_HZ
