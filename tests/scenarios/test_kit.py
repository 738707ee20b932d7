"""Hardware of one's own: what tables may say, what is refused where, and what instances are equipped with."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from uara.base.errors import InputError, UaraWarning
from uara.hardware import ACCELERATORS, OWN_WORK_S, PHONES, Hardware
from uara.p1.instance import Instance
from uara.scenarios.kit import COLUMNS, Kit, equipped, named, read_kit
from uara.scenarios.recipe import generate
from uara.scenarios.sheet import Sheet

GOOD = "device,A,2e12,40000\ndevice,B,3e12,50000\nserver,C,2e13,\n"


def table(folder: Path, rows: str, head: str = ",".join(COLUMNS)) -> Path:
    path = folder / "hardware.csv"
    path.write_text(f"{head}\n{rows}")
    return path


@pytest.fixture(scope="module")
def instance() -> Instance:
    return generate(channel="path-loss", servers=5, devices=9, seed=3)


def test_a_table_is_read(tmp_path: Path) -> None:
    kit = read_kit(table(tmp_path, GOOD))
    assert [(each.model, each.compute_flop_per_s, each.battery_capacity_j) for each in kit.devices] == [
        ("A", 2e12, 4e4),
        ("B", 3e12, 5e4),
    ]
    assert [(each.model, each.battery_capacity_j) for each in kit.servers] == [("C", None)]


def test_a_kind_that_is_left_out_is_table_is(tmp_path: Path) -> None:
    assert Kit() == Kit(PHONES, ACCELERATORS)
    servers = read_kit(table(tmp_path, "server,C,2e13\n", "kind,model,compute_flop_per_s"))
    assert (servers.devices, len(servers.servers)) == (PHONES, 1)
    assert read_kit(table(tmp_path, "device,A,2e12,4e4\n")).servers == ACCELERATORS


@pytest.mark.parametrize(
    ("rows", "place", "problem"),
    [
        ("phone,A,2e12,4e4\n", "row 2, column kind", "neither device nor server"),
        ("device,,2e12,4e4\n", "row 2, column model", "is empty"),
        ("server,A,2e13,\nserver,A,3e13,\n", "row 3, column model", "a second 'A'"),
        ("server,A,0,\n", "row 2, column compute_flop_per_s", "must be above 0"),
        ("server,A,inf,\n", "row 2, column compute_flop_per_s", "finite"),
        ("server,A,fast,\n", "row 2, column compute_flop_per_s", "'fast' is no number"),
        ("device,A,2e12,\n", "row 2, column battery_capacity_j", "is empty"),
        ("device,A,2e12,-1\n", "row 2, column battery_capacity_j", "must be above 0"),
    ],
)
def test_what_cannot_be_used_is_named(tmp_path: Path, rows: str, place: str, problem: str) -> None:
    with pytest.raises(InputError, match=problem) as caught:
        read_kit(table(tmp_path, rows))
    assert caught.value.path == place
    assert caught.value.source == str(tmp_path / "hardware.csv")


@pytest.mark.parametrize(
    ("head", "problem"),
    [
        ("kind,model,speed", "column speed: is not known"),
        ("kind,model", "column compute_flop_per_s: is missing; a hardware table has kind, model"),
        ("kind,model,compute_flop_per_s", "column battery_capacity_j: is missing; devices have batteries"),
    ],
)
def test_columns_are_known_and_there(tmp_path: Path, head: str, problem: str) -> None:
    row = "device,A,2e12"[: None if head.count(",") == 2 else len("device,A")]
    with pytest.raises(InputError, match=problem):
        read_kit(table(tmp_path, row + "\n", head))


def test_units_that_were_hardly_meant_are_warned_of(tmp_path: Path) -> None:
    with pytest.warns(
        UaraWarning, match=r"row 2, column compute_flop_per_s: 20 .*; in TFLOP/s it would be 2e\+13"
    ):
        read_kit(table(tmp_path, "server,C,20,\n"))
    with pytest.warns(UaraWarning, match=r"row 3, column battery_capacity_j: 15 .*; in Wh"):
        read_kit(table(tmp_path, "server,C,2e13,\ndevice,A,2e12,15\n"))


@given(st.integers(0, 10**6))
def test_hardware_is_dealt_in_rounds_and_waiting_work_keeps_its_seconds(seed: int) -> None:
    instance = generate(channel="path-loss", servers=4, devices=6, seed=3)
    kit = Kit(PHONES[:2], (Hardware("a", "a", 1e13), Hardware("b", "b", 4e13)))
    made = equipped(instance, kit, seed=seed)
    assert made.devices.model is not None
    assert sorted(made.devices.model) == sorted([PHONES[0].model, PHONES[1].model] * 3)
    assert sorted(made.servers.compute_flop_per_s) == [1e13, 1e13, 4e13, 4e13]
    waiting_s = made.servers.backlog_flop / made.servers.compute_flop_per_s
    assert ((waiting_s >= 0) & (waiting_s <= OWN_WORK_S * (1 + 1e-6))).all()
    slower = equipped(instance, Kit(PHONES, (Hardware("c", "c", 1e12),)), seed=seed).servers
    np.testing.assert_allclose(slower.backlog_flop / 1e12, waiting_s, rtol=1e-5, atol=1e-9)
    assert made.channel is instance.channel


def test_hardware_may_be_said_one_by_one(instance: Instance) -> None:
    phones = [PHONES[2]] * 9
    made = equipped(instance, Kit(), seed=1, devices=phones)
    assert set(made.devices.compute_flop_per_s) == {PHONES[2].compute_flop_per_s}
    assert made.devices.battery_capacity_j is not None
    assert set(made.devices.battery_capacity_j) == {PHONES[2].battery_capacity_j}


def test_rows_name_hardware_by_either_name() -> None:
    sheet = Sheet("users", {"model": [PHONES[0].name, PHONES[1].model]}, "users.csv", 2)
    assert named(PHONES, sheet) == [PHONES[0], PHONES[1]]
    assert named(PHONES, Sheet("users", {"id": ["a"]}, "users.csv", 2)) is None
    wrong = Sheet("users", {"model": [PHONES[0].name, "galaxy-s32"]}, "users.csv", 2)
    with pytest.raises(InputError, match="no hardware 'galaxy-s32'; did you mean galaxy-s23") as caught:
        named(PHONES, wrong)
    assert caught.value.path == "row 3, column model"
