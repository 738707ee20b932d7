from __future__ import annotations

import importlib.util
import subprocess
import sys
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import uara
from uara.base.errors import InputError
from uara.hardware import ACCELERATORS, PHONES
from uara.p1.instance import Instance
from uara.psd.profile import TaskProfile
from uara.scenarios.channel.mobility import MovingDrop, Walk
from uara.scenarios.channel.raytrace import MAP_CREDIT, map_credits
from uara.scenarios.recipe import (
    Recipe,
    generate,
    generate_trace,
    profile_sha256,
    rounded,
)

sionna = pytest.mark.skipif(importlib.util.find_spec("sionna") is None, reason="needs the extra sionna")


def plain(**options: object) -> Instance:
    """An instance without Sionna."""
    return generate(**{"channel": "path-loss", "servers": 4, "devices": 12, **options})


def saved(instance: Instance, folder: Path) -> bytes:
    instance.save(folder / "instance.json")
    return (folder / "instance.json").read_bytes()


def test_defaults_are_table_i() -> None:
    recipe = Recipe()
    assert (recipe.servers, recipe.devices, recipe.bandwidth_mhz) == (8, 90, 10.0)
    instance = plain(servers=8, devices=90)
    assert instance.name == "e8_m90"
    power_dbm = 10 * np.log10(instance.devices.tx_power_w * 1e3)
    assert power_dbm.min() >= 16
    assert power_dbm.max() <= 24
    assert power_dbm.max() - power_dbm.min() > 6
    battery = instance.devices.battery_fraction
    assert 0.05 <= battery.min() < 0.2
    assert 0.9 < battery.max() <= 1
    np.testing.assert_allclose(instance.servers.bandwidth_hz, 10e6 / 8)
    assert instance.parameters == uara.Parameters()


@given(st.integers(1, 12), st.integers(1, 40), st.integers(0, 2**40))
@settings(max_examples=20, deadline=None)
def test_hardware_comes_in_equal_parts(servers: int, devices: int, seed: int) -> None:
    instance = plain(servers=servers, devices=devices, seed=seed, box_m=1000.0)
    for models, known in ((instance.servers.model, ACCELERATORS), (instance.devices.model, PHONES)):
        counts = Counter(models)
        assert set(counts) <= {each.model for each in known}
        assert max(counts.values()) - min(counts.get(each.model, 0) for each in known) <= 1
    speed = {each.model: each.compute_flop_per_s for each in (*ACCELERATORS, *PHONES)}
    assert [
        speed[model] for model in instance.servers.model or ()
    ] == instance.servers.compute_flop_per_s.tolist()
    assert [
        speed[model] for model in instance.devices.model or ()
    ] == instance.devices.compute_flop_per_s.tolist()


def test_backlogs_are_zero_to_ten_queueing_slots() -> None:
    servers = plain(servers=60, devices=1, box_m=2000.0).servers
    slots = np.ceil(servers.backlog_flop / (servers.compute_flop_per_s * 0.010))
    assert set(slots) <= set(range(11))
    assert len(set(slots)) > 5


def test_tasks_are_drawn_from_the_profile() -> None:
    instance = plain(devices=300, box_m=1000.0)
    profile = TaskProfile.load("gpt2_gpt2-xl")
    assert set(instance.devices.task or ()) == set(profile.tasks)
    least = 0.15 * 300
    assert min(Counter(instance.devices.task).values()) > least
    source = instance.provenance
    assert (source.task_profile, source.acceptance) == (profile.name, profile.provenance.acceptance)
    assert source.task_profile_sha256 == profile_sha256(profile)


def test_profile_hash_sees_content_alone() -> None:
    profile = TaskProfile.load("gpt2_gpt2-xl")
    plainer = TaskProfile.model_validate(profile.model_dump(exclude_defaults=True))
    assert profile_sha256(plainer) == profile_sha256(profile)
    longer = profile.decoding.model_copy(update={"gamma": profile.decoding.gamma + 1})
    assert profile_sha256(profile.model_copy(update={"decoding": longer})) != profile_sha256(profile)


def test_server_load_is_the_offered_work() -> None:
    instance = plain()
    work_s = instance.devices.server_flop.sum() / instance.servers.compute_flop_per_s.sum()
    assert instance.provenance.settings["server_load_per_slot"] == pytest.approx(work_s, rel=1e-3)


@pytest.mark.parametrize(("servers", "devices"), [(8, 180), (4, 90), (20, 180), (4, 30)])
def test_queues_of_table_i_are_stable_on_average(servers: int, devices: int) -> None:
    load = plain(servers=servers, devices=devices).provenance.settings["server_load_per_slot"]
    assert isinstance(load, float)
    assert load < 0.9


def test_payload_changes_the_uplink_alone() -> None:
    small, large = plain(), plain(payload="full-logits")
    assert (large.devices.upload_bits > 1000 * small.devices.upload_bits).all()
    np.testing.assert_array_equal(small.devices.server_flop, large.devices.server_flop)
    assert large.provenance.settings["payload"] == "full-logits"
    assert small.provenance.settings["payload"] in ("tokens", "probabilities")


@pytest.mark.parametrize(("battery", "low", "high"), [("low", 0.05, 0.2), ("high", 0.8, 1.0)])
def test_battery_ranges(battery: str, low: float, high: float) -> None:
    fraction = plain(devices=60, battery=battery).devices.battery_fraction
    assert low <= fraction.min() <= fraction.max() <= high


def test_more_pairs_than_memory_holds_are_refused() -> None:
    with pytest.raises(InputError, match="10000000000 pairs"):
        plain(servers=100_000, devices=100_000)


def test_one_strong_server() -> None:
    servers = plain(servers=5, server_mix="one-strong").servers
    assert servers.model == ("NVIDIA RTX 4090", *["NVIDIA RTX 2080"] * 4)


def test_other_options() -> None:
    instance = plain(bandwidth_mhz=0.2, energy_weight_ms_per_j=100.0, name="narrow")
    assert instance.name == "narrow"
    assert instance.servers.bandwidth_hz.sum() == pytest.approx(0.2e6)
    assert instance.parameters.energy_weight_ms_per_j == 100.0


def test_options_do_not_shift_each_others_draws() -> None:
    base = plain()
    for option in ({"battery": "low"}, {"server_mix": "one-strong"}, {"payload": "full-logits"}):
        other = plain(**option)
        np.testing.assert_array_equal(base.devices.position_m, other.devices.position_m)
        np.testing.assert_array_equal(base.devices.tx_power_w, other.devices.tx_power_w)
        np.testing.assert_array_equal(base.devices.server_flop, other.devices.server_flop)


def test_more_devices_begin_with_the_same_ones() -> None:
    few, many = plain(devices=12).devices, plain(devices=30).devices
    for name, column in few.columns().items():
        np.testing.assert_array_equal(column, getattr(many, name)[:12])


def test_a_recipe_and_options_meet() -> None:
    recipe = Recipe(channel="path-loss", servers=3, devices=7, seed=5)
    assert generate(recipe).digest == generate(channel="path-loss", servers=3, devices=7, seed=5).digest
    assert len(generate(recipe, devices=2).devices) == 2
    assert recipe.devices == 7


@pytest.mark.parametrize(
    ("options", "place"),
    [
        ({"servers": 0}, "recipe.servers"),
        ({"devices": -1}, "recipe.devices"),
        ({"channel": "telepathy"}, "recipe.channel"),
        ({"battery": "flat"}, "recipe.battery"),
        ({"payload": "poems"}, "recipe.payload"),
        ({"bandwidth_mhz": float("nan")}, "recipe.bandwidth_mhz"),
        ({"bandwidth_mhz": 0.0}, "recipe.bandwidth_mhz"),
        ({"energy_weight_ms_per_j": -1.0}, "recipe.energy_weight_ms_per_j"),
        ({"seed": -1}, "recipe.seed"),
        ({"colour": "red"}, "recipe.colour"),
    ],
)
def test_bad_options_are_named(options: dict[str, object], place: str) -> None:
    with pytest.raises(InputError) as caught:
        plain(**options)
    assert caught.value.path == place


def test_unknown_profile_is_refused() -> None:
    with pytest.raises(InputError, match="no profile 'gpt5'"):
        plain(profile="gpt5")


def test_the_profile_is_read_before_minutes_are_spent_on_a_channel(monkeypatch: pytest.MonkeyPatch) -> None:
    def never(*_: object, **__: object) -> None:
        raise AssertionError("the channel was drawn")

    monkeypatch.setattr("uara.scenarios.recipe.raytrace.draw", never)
    monkeypatch.setattr("uara.scenarios.channel.mobility.draw_traced", never)
    with pytest.raises(InputError, match="no profile 'gpt5'"):
        generate(profile="gpt5")
    with pytest.raises(InputError, match="no profile 'gpt5'"):
        generate_trace(profile="gpt5")


def test_impossible_box_is_refused() -> None:
    with pytest.raises(InputError, match="no room"):
        plain(servers=30, box_m=50.0)


def test_file_is_the_same_byte_for_byte_in_another_process(tmp_path: Path) -> None:
    here = saved(plain(seed=11), tmp_path)
    code = "import sys, uara; uara.generate(channel='path-loss', servers=4, devices=12, seed=11).save(sys.argv[1])"
    other = tmp_path / "other.json"
    subprocess.run([sys.executable, "-c", code, str(other)], check=True)
    assert other.read_bytes() == here
    assert saved(plain(seed=12), tmp_path) != here


def test_file_is_read_back_as_it_was(tmp_path: Path) -> None:
    instance = plain()
    saved(instance, tmp_path)
    again = Instance.load(tmp_path / "instance.json")
    assert again.digest == instance.digest
    assert again.provenance == instance.provenance


def test_command_in_the_provenance_says_what_differs() -> None:
    recipe = Recipe(servers=4, devices=30, battery="low", energy_weight_ms_per_j=100.0, rays_per_server=500)
    assert recipe.command("x") == (
        "uara generate --servers 4 --devices 30 --channel sionna-rt --scene etoile --seed 1 --battery low "
        "--energy-weight 100 --rays 500 -o x.json"
    )
    assert "--scene" not in Recipe(channel="path-loss").command("x")


@given(st.lists(st.floats(1e-300, 1e300) | st.floats(-1e300, -1e-300), max_size=20), st.integers(1, 12))
def test_rounding_keeps_its_digits(values: list[float], digits: int) -> None:
    array = np.array(values)
    result = rounded(array, digits)
    np.testing.assert_allclose(result, array, rtol=0.5 * 10.0 ** (1 - digits) * (1 + 1e-9))
    np.testing.assert_array_equal(rounded(result, digits), result)


def test_rounding_keeps_zero_and_shape() -> None:
    assert rounded(np.zeros((2, 3))).tolist() == np.zeros((2, 3)).tolist()


@pytest.mark.parametrize(
    ("channel", "scene", "credits"),
    [
        ("sionna-rt", "etoile", [MAP_CREDIT]),
        ("sionna-rt", "simple_street_canyon", []),
        ("sionna-rt", "my/town.xml", []),
        ("path-loss", "etoile", []),
    ],
)
def test_only_mapped_scenes_are_credited(channel: str, scene: str, credits: list[str]) -> None:
    assert map_credits(channel, scene) == credits


@pytest.mark.integration
@sionna
def test_ray_traced_instance_says_where_it_comes_from() -> None:
    options = {"scene": "simple_street_canyon", "box_m": 100.0, "rays_per_server": 200, "max_depth": 1}
    source = generate(servers=2, devices=5, seed=3, **options).provenance
    assert (source.channel_model, source.scene) == ("sionna-rt", "simple_street_canyon")
    assert source.settings["rays_per_server"] == 200
    assert {"sionna-rt", "llvm", "numpy", "uara"} <= set(source.versions)
    assert source.credits == []
    assert "--rays 200" in source.command


def test_a_walk_by_path_loss_begins_with_the_instance() -> None:
    options = {"channel": "path-loss", "servers": 3, "devices": 7, "seed": 5}
    trace = generate_trace(walk=Walk(slots=4), **options)
    still = generate(**options)
    np.testing.assert_array_equal(trace.instance.channel.power_gain, still.channel.power_gain)
    assert len(trace) == 4
    assert "--slots 4" in trace.instance.provenance.command


@pytest.mark.integration
@sionna
def test_a_trace_is_an_instance_whose_channel_moves(tmp_path: Path) -> None:
    options = {"scene": "simple_street_canyon", "box_m": 100.0, "rays_per_server": 200, "max_depth": 1}
    walk = Walk(slots=3, speed_m_per_s=2.0)
    one, two = (
        generate_trace(walk=walk, servers=2, devices=4, seed=3, name="w", **options) for _ in range(2)
    )
    assert one.power_gain.shape == (3, 4, 2)
    assert (one.slot_s, one.speed_m_per_s) == (1.0, 2.0)
    assert "--slots 3 --speed 2 -o w.json" in one.instance.provenance.command
    np.testing.assert_allclose(one.at(0).channel.power_gain, one.instance.channel.power_gain, rtol=1e-6)
    for trace, name in ((one, "one"), (two, "two")):
        (tmp_path / name).mkdir()
        trace.save(tmp_path / name / "w.json")
    files = [
        {file.name: file.read_bytes() for file in (tmp_path / name).iterdir()} for name in ("one", "two")
    ]
    assert len(files[0]) == 2
    assert files[0] == files[1]


def test_more_pairs_of_walkers_than_memory_holds_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    def never(*arguments: object, **options: object) -> None:
        raise AssertionError

    monkeypatch.setattr("uara.scenarios.channel.mobility.draw_umi", never)
    with pytest.raises(InputError, match="pairs of a device and a server"):
        generate_trace(channel="sionna-umi", servers=10_000, devices=10_000)


def standing_still(settings: object, walk: Walk, *, servers: int, devices: int, seed: int) -> MovingDrop:
    """A walk without a simulator."""
    shape = (walk.slots, devices)
    return MovingDrop(
        np.zeros((servers, 3)), np.zeros((*shape, 3)), np.full((*shape, servers), 1e-9), {"versions": {}}
    )


def test_the_length_of_a_slot_is_the_walks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("uara.scenarios.channel.mobility.draw_umi", standing_still)
    short = generate_trace(walk=Walk(slots=3, slot_s=0.1), channel="sionna-umi", servers=2, devices=4)
    assert (short.slot_s, short.instance.parameters.slot_ms) == (0.1, 100.0)
    plain = generate_trace(walk=Walk(slots=3), channel="sionna-umi", servers=2, devices=4)
    assert plain.instance.parameters.slot_ms == 1000.0
    load = [each.instance.provenance.settings["server_load_per_slot"] for each in (short, plain)]
    assert load[0] == pytest.approx(10 * load[1], rel=1e-3)  # type: ignore[operator]


def test_the_command_of_a_trace_says_how_it_walks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("uara.scenarios.channel.mobility.draw_umi", standing_still)
    size = {"channel": "sionna-umi", "servers": 2, "devices": 4}
    plain = generate_trace(walk=Walk(slots=3), **size)  # type: ignore[arg-type]
    assert plain.instance.provenance.command.endswith("--slots 3 --speed 1.5 -o e2_m4_t3.json")
    other = generate_trace(walk=Walk(slots=3, slot_s=0.1, wander_deg=5.0), **size)  # type: ignore[arg-type]
    assert "--slots 3 --speed 1.5 --slot-s 0.1 --wander-deg 5 -o" in other.instance.provenance.command
