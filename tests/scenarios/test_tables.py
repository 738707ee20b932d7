"""Own data in: what instances hold, round trips, and errors that say where."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from cases import instances, make_instance
from hypothesis import given, settings

import uara
from uara import InputError, Instance, Parameters, UaraWarning
from uara.p1.frames import columns, csv_files, write_csv
from uara.scenarios.channel.pathloss import PathLoss

pytestmark = pytest.mark.filterwarnings("ignore::uara.UaraWarning")

DEVICES = {
    "compute_flop_per_s": 2e12,
    "tx_power_w": 0.2,
    "upload_bits": [3e3, 2e3, 4e3],
    "device_flop": 5e10,
    "server_flop": 6e11,
}
SERVERS = {"compute_flop_per_s": 35e12, "bandwidth_hz": [2.5e6, 5e6]}
GAIN = np.array([[1e-9, 1e-10], [0.0, 2e-9], [3e-11, 0.0]])


def make(devices: Any = (), servers: Any = (), **how: Any) -> Instance:
    if not {"power_gain", "power_gain_db", "path_loss"} & set(how):
        how["power_gain"] = GAIN
    return Instance.from_arrays({**DEVICES, **dict(devices)}, {**SERVERS, **dict(servers)}, **how)


def test_single_values_ids_and_defaults_are_completed() -> None:
    made = make(parameters=Parameters(energy_weight_ms_per_j=20.0), name="mine")
    assert made.devices.id == ("device0", "device1", "device2")
    assert made.servers.id == ("server0", "server1")
    assert made.devices.tx_power_w.tolist() == [0.2] * 3
    assert made.devices.battery_fraction.tolist() == [1.0] * 3
    assert made.servers.backlog_flop.tolist() == [0.0] * 2
    assert (made.name, made.parameters.energy_weight_ms_per_j) == ("mine", 20.0)
    assert made.channel.dense(2).tolist() == GAIN.tolist()
    assert made.provenance.channel_model == "given"


def test_all_single_values_take_their_number_from_the_gains() -> None:
    made = make({"upload_bits": 3e3}, {"bandwidth_hz": 5e6})
    assert (len(made.devices), len(made.servers)) == (3, 2)


def test_gains_in_decibel_are_the_same_gains() -> None:
    with np.errstate(divide="ignore"):
        made = make(power_gain_db=10 * np.log10(GAIN))
    np.testing.assert_allclose(made.channel.dense(2), GAIN, rtol=1e-12)
    assert len(made.channel.power_gain) == 4


@settings(max_examples=30)
@given(instances())
def test_tables_lose_nothing(tmp_path_factory: Any, instance: Instance) -> None:
    path = tmp_path_factory.mktemp("tables") / "a.csv"
    write_csv(instance, path)
    found = Instance.from_csv(**csv_files(path), name=instance.name, parameters=instance.parameters)
    assert found.digest == instance.digest


def test_frames_lose_nothing_in_any_order_of_gains() -> None:
    pytest.importorskip("pandas")
    instance = make_instance(12, 3, 4)
    frames = instance.to_frames()
    shuffled = frames._replace(gains=frames.gains.sample(frac=1.0, random_state=1))
    for each in (frames, shuffled):
        assert Instance.from_frames(*each).digest == instance.digest
    indexed = frames.gains.set_index(["device", "server"])
    found = Instance.from_frames(frames.devices.set_index("id"), frames.servers.set_index("id"), indexed)
    assert found.digest == instance.digest


def test_ids_that_are_numbers_or_formulas_come_back(tmp_path: Path) -> None:
    instance = make_instance(3, 2, 1)
    odd = instance.replace(devices=instance.devices.replace(id=["7", "=sum", "-1"]))
    write_csv(odd, tmp_path / "a.csv")
    assert Instance.from_csv(**csv_files(tmp_path / "a.csv")).digest == odd.digest


def test_positions_give_the_channel_that_generate_gives() -> None:
    drawn = uara.generate(servers=3, devices=8, channel="path-loss", seed=5)
    tables = columns(drawn)
    found = Instance.from_arrays(tables["devices"], tables["servers"], seed=5)
    assert found.digest == drawn.digest
    assert found.provenance.channel_model == "path-loss"
    assert found.provenance.seed == 5
    assert Instance.from_arrays(tables["devices"], tables["servers"], seed=6).digest != drawn.digest


def test_positions_and_the_law_can_be_chosen() -> None:
    law = PathLoss(intercept_db=30.0, slope_db_per_decade=20.0, shadowing_db=0.0)
    made = make(
        {"x_m": [0.0, 30.0, 0.0], "y_m": 0.0, "z_m": 0.0},
        {"position_m": [[40, 0, 0], [0, 100, 0]]},
        path_loss=law,
    )
    expected = 10 ** (-(30 + 20 * np.log10([[40, 100], [10, np.hypot(30, 100)], [40, 100]])) / 10)
    np.testing.assert_allclose(made.channel.dense(2), expected, rtol=1e-6)
    flat = make({"position_m": [[1, 2], [3, 4], [5, 6]]}, {"x_m": [7, 8], "y_m": 9}, path_loss=law)
    assert flat.devices.position_m is not None
    assert flat.servers.position_m is not None
    assert flat.devices.position_m[:, 2].tolist() == [law.device_height_m] * 3
    assert flat.servers.position_m.tolist() == [[7, 9, law.server_height_m], [8, 9, law.server_height_m]]


@pytest.mark.parametrize(
    ("devices", "servers", "how", "problem"),
    [
        ({"tx_power": 1}, {}, {}, "devices: column tx_power: is not known; did you mean tx_power_w"),
        ({"device_flop": None}, {}, {}, "devices: column device_flop: is missing; it holds"),
        ({"tx_power_w": [0.1, -1, 1]}, {}, {}, "devices: row 1, column tx_power_w: "),
        ({"tx_power_w": -1.0}, {}, {}, "devices: column tx_power_w: "),
        ({"battery_fraction": [1, 80, 1]}, {}, {}, "row 1, column battery_fraction: .*in per cent it would be 0.8"),
        ({"tx_power_w": [0.1, 0.2]}, {}, {}, "devices: column tx_power_w: 2 entries, but there are 3 ids"),
        ({"id": ["a", "b", "a"]}, {}, {}, "devices: row 2, column id: 'a' is the id of entry 0 too"),
        ({}, {"bandwidth_hz": ["x", 1]}, {}, "servers: row 0, column bandwidth_hz: 'x' is no number"),
        ({"x_m": 1.0}, {}, {}, "devices: column y_m: is missing"),
        ({"x_m": [1, 2], "y_m": 1}, {}, {}, "devices: column x_m: 2 entries, but there are 3 rows"),
        ({"position_m": [1, 2, 3]}, {}, {}, r"devices: column position_m: has shape \(3,\)"),
        ({}, {}, {"power_gain": GAIN.T}, r"has shape \(2, 3\), but .* 3 devices and 2 servers; turn it round"),
        ({}, {}, {"power_gain": -GAIN}, "row 0, column power_gain: -1e-09 cannot be a gain"),
        ({}, {}, {"power_gain": GAIN - 95}, "row 0, column power_gain: -95 cannot be a gain; in dB it would be"),
        ({}, {}, {"power_gain": GAIN * [[1], [1], [0]]}, "gains: device device2 has no path to any server"),
        ({}, {}, {"power_gain": GAIN, "power_gain_db": GAIN}, "one column of power_gain or power_gain_db, not 2"),
        ({"upload_bits": 1e30, "tx_power_w": 1e-30}, {}, {"power_gain": GAIN * 1e-19}, "server server0: so weak"),
        ({}, {}, {"path_loss": PathLoss()}, "devices: there are no gains, and no positions"),
        ({"x_m": 0, "y_m": 0}, {}, {"path_loss": PathLoss()}, "servers: there are no gains, and no positions"),
        ({"position_m": [[0, 0, 0]] * 3}, {"position_m": [[0, 0, 0]] * 2}, {"path_loss": PathLoss()}, "0 m from"),
    ],
)  # fmt: skip
def test_errors_say_where(devices: Any, servers: Any, how: Any, problem: str) -> None:
    with pytest.raises(InputError, match=problem):
        make(devices, servers, **how)


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        ({"gains": "device,power_gain\nd0,1e-9\n"}, r"gains\.csv: column server: is missing"),
        ({"gains": "device,server,power_gain\nd0,s0,1\nd7,s0,1\n"}, "row 3, column device: 'd7' is the id"),
        ({"gains": "device,server,power_gain\nd0,s0,1\nd0,s0,1\n"}, "row 3, .*: the pair of d0 and s0 comes twice"),
        ({"gains": "device,server,power_gain\nd0,s0,\n"}, "row 2, column power_gain: is empty"),
        ({"gains": "device,server,gain\nd0,s0,1\n"}, "column gain: is not known; did you mean power_gain"),
        ({"gains": "device,server\nd0,s0\n"}, "needs one column of power_gain or power_gain_db, not 0"),
        ({"gains": "device,server,power_gain\nd0,s0,0\n"}, r"gains\.csv: device d0 has no path to any server"),
        ({"servers": "id,compute_flop_per_s,bandwidth_hz\ns0,35e12\n"}, r"servers\.csv: row 2: 2 cells, but"),
        ({"servers": "id;compute_flop_per_s\ns0;35e12\n"}, r"servers\.csv: row 1: columns must be separated by commas"),
    ],
)  # fmt: skip
def test_errors_in_files_say_which(tmp_path: Path, change: dict[str, str], problem: str) -> None:
    write_csv(make_instance(1, 1, 1), tmp_path / "a.csv")
    places = {
        name: path.rename(tmp_path / f"{name}.csv") for name, path in csv_files(tmp_path / "a.csv").items()
    }
    for name, text in change.items():
        places[name].write_text(text)
    with pytest.raises(InputError, match=problem):
        Instance.from_csv(**places)


def test_what_was_hardly_meant_is_warned_of_once_a_column() -> None:
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        make({"tx_power_w": 200.0}, {"bandwidth_hz": [2.5, 2.5]}, power_gain=np.full((3, 2), 2.0))
    assert [each.category for each in caught] == [UaraWarning] * 3
    texts = [str(each.message) for each in caught]
    assert texts[0].startswith("devices: column tx_power_w: 200 W")
    assert texts[1].startswith("servers: row 0, column bandwidth_hz (and 1 more): 2.5 Hz")
    assert texts[2].startswith("gains: row 0, column power_gain (and 5 more): 2 is outside")
