"""Trace files."""

from __future__ import annotations

import json
from pathlib import Path

import jsonschema
import numpy as np
import pytest
from cases import make_instance
from mec.worlds import random_gains

from uara import InputError, Provenance
from uara.mec.pool import PoolSettings
from uara.scenarios.trace import MobilityTrace, json_schema

INSTANCES = Path(__file__).parents[2] / "instances"
SHIPPED = {"walk_etoile": "sionna-rt", "walk_umi": "sionna-umi", "walk_e20": "sionna-rt"}
SIZES = {"walk_e20": (20, 180, 20)}
"""Slots, devices and servers, where they are not 60, 90 and 8."""


@pytest.fixture
def trace():
    instance = make_instance(9, 3)
    rng = np.random.default_rng(1)
    return MobilityTrace(instance, random_gains(5), rng.uniform(0, 100, (5, 9, 3)), 1.0, 1.5)


def test_a_trace_survives_its_file(trace, tmp_path):
    trace.save(tmp_path / "walk.json")
    read = MobilityTrace.load(tmp_path / "walk.json")
    np.testing.assert_array_equal(read.power_gain, trace.power_gain)
    np.testing.assert_array_equal(read.device_position_m, trace.device_position_m)
    assert read.instance.digest == trace.instance.digest
    assert (read.slot_s, read.speed_m_per_s, len(read), read.name) == (1.0, 1.5, 5, trace.name)


def test_the_same_trace_gives_the_same_bytes(trace, tmp_path):
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        trace.save(tmp_path / name / "walk.json")
    assert (tmp_path / "a" / "walk.json").read_bytes() == (tmp_path / "b" / "walk.json").read_bytes()
    first, second = (next((tmp_path / name).glob("walk.*.npz")) for name in ("a", "b"))
    assert first.name == second.name
    assert first.read_bytes() == second.read_bytes()


def test_saving_again_leaves_one_side_file(trace, tmp_path):
    path = tmp_path / "walk.json"
    trace.save(path)
    MobilityTrace(**{**vars(trace), "power_gain": trace.power_gain * 2}).save(path)
    assert len(list(tmp_path.glob("walk.*.npz"))) == 1
    np.testing.assert_array_equal(MobilityTrace.load(path).power_gain, trace.power_gain * 2)


def test_a_slot_is_an_instance_with_that_slots_gains(trace):
    slot = trace.at(3)
    np.testing.assert_array_equal(slot.channel.dense(3), trace.power_gain[3])
    np.testing.assert_array_equal(slot.devices.position_m, trace.device_position_m[3])
    np.testing.assert_array_equal(slot.devices.server_flop, trace.instance.devices.server_flop)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"power_gain": np.ones((5, 8, 3))}, r"power_gain.*shape"),
        ({"power_gain": -np.ones((5, 9, 3))}, "not negative"),
        ({"power_gain": np.full((5, 9, 3), np.nan)}, "finite"),
        ({"slot_s": 0.1}, r"slot_s: is 0\.1 s, but the instance's slot_ms is 1000"),
        ({"device_position_m": np.ones((4, 9, 3))}, r"device_position_m.*shape"),
    ],
)
def test_arrays_that_do_not_fit_are_refused(trace, change, message):
    parts = {**vars(trace), **change}
    with pytest.raises(InputError, match=message):
        MobilityTrace(**parts)


def test_the_payload_is_what_the_provenance_says(trace):
    assert trace.payload is None
    for said, read in (("full-logits", "full-logits"), ("pigeons", None), (3, None)):
        provenance = Provenance(settings={"payload": said})
        changed = MobilityTrace(**{**vars(trace), "instance": trace.instance.replace(provenance=provenance)})
        assert changed.payload == read


def test_a_damaged_file_gets_one_clear_error(trace, tmp_path):
    path = tmp_path / "walk.json"
    trace.save(path)
    data = json.loads(path.read_text())
    for key, value, message in (
        ("slots", 4, r"\$\.power_gain: .* more than the 108 entries"),
        ("slots", 6, r"\$\.slots: says 6, but there are 5"),
        ("schema_version", 2, r"\$\.schema_version"),
        ("slot_s", -1.0, r"\$\.slot_s"),
        ("side_file", {"name": "../x.npz", "sha256": "0" * 64}, r"\$\.side_file\.name"),
    ):
        path.write_text(json.dumps({**data, key: value}))
        with pytest.raises(InputError, match=message):
            MobilityTrace.load(path)
    path.write_text(json.dumps(data))
    next(tmp_path.glob("walk.*.npz")).write_bytes(b"other")
    with pytest.raises(InputError, match="SHA-256"):
        MobilityTrace.load(path)


def test_saved_files_match_the_schema_and_damaged_ones_do_not(trace, tmp_path):
    validator = jsonschema.Draft202012Validator(json_schema())
    trace.save(tmp_path / "walk.json")
    data = json.loads((tmp_path / "walk.json").read_text())
    validator.validate(data)
    for change in ({"slots": 0}, {"kind": "p1"}, {"slot_s": -1.0}, {"colour": 1}, {"instance": {}}):
        assert not validator.is_valid({**data, **change})


def test_the_published_schema_is_the_current_one():
    """``uara schema trace > instances/trace.schema.json`` makes it again."""
    assert json.loads((INSTANCES / "trace.schema.json").read_text()) == json_schema()


def test_the_shipped_traces_are_all_known():
    assert {path.stem for path in (INSTANCES / "traces").glob("*.json")} == set(SHIPPED)


@pytest.mark.parametrize("name", SHIPPED)
def test_shipped_traces_say_where_they_come_from(name):
    path = INSTANCES / "traces" / f"{name}.json"
    jsonschema.Draft202012Validator(json_schema()).validate(json.loads(path.read_text()))
    trace = MobilityTrace.load(path)
    slots, devices, servers = SIZES.get(name, (60, 90, 8))
    assert trace.power_gain.shape == (slots, devices, servers)
    source = trace.instance.provenance
    assert source.channel_model == SHIPPED[name]
    words = f"--channel {SHIPPED[name]} --seed {source.seed} --slots {slots} --speed 1.5 -o {name}.json"
    assert source.command.startswith(f"uara generate --servers {servers} --devices {devices} ")
    assert source.command.replace("--scene etoile ", "").endswith(words)
    assert (source.settings["slots"], source.settings["slot_s"]) == (slots, trace.slot_s)


@pytest.mark.parametrize("name", SHIPPED)
def test_shipped_traces_were_never_trained_on(name):
    pool = PoolSettings()
    seeds = range(pool.seed, pool.seed + pool.drops)
    seed = MobilityTrace.load(INSTANCES / "traces" / f"{name}.json").instance.provenance.seed
    assert seed is not None
    assert seed not in seeds
