"""Pool files, and the simulators behind them."""

from __future__ import annotations

import json

import numpy as np
import pytest
from mec.pools import make_pool

from uara import InputError
from uara.base import files
from uara.mec import pool as module
from uara.mec.pool import Pool, PoolSettings, build_pool, obtain_pool
from uara.scenarios.channel import raytrace, umi
from uara.scenarios.channel.drop import Drop

SMALL = PoolSettings(traced_drops=3, umi_drops=2, servers=3, devices=8, seed=5)


@pytest.fixture
def simulator(monkeypatch):
    """Stand-ins for the simulators; returns what they were asked for, and dies when told to."""
    asked, deadly = [], set()

    def draw(kind):
        def drawn(settings, *, servers, devices, seed):
            if seed in deadly:
                raise KeyboardInterrupt
            asked.append((getattr(settings, "scene", kind), seed))
            rng = np.random.default_rng(seed)
            positions = np.zeros((servers, 3)), np.zeros((devices, 3))
            return Drop(*positions, rng.uniform(0, 1e-9, (devices, servers)), {"versions": {kind: "1"}})

        return drawn

    monkeypatch.setattr(raytrace, "draw", draw("rt"))
    monkeypatch.setattr(umi, "draw", draw("umi"))
    return asked, deadly


def test_a_pool_survives_its_file(tmp_path):
    made = make_pool()
    made.save(tmp_path / "pool.npz")
    read = Pool.load(tmp_path / "pool.npz")
    np.testing.assert_array_equal(read.power_gain, made.power_gain)
    assert read.settings == made.settings
    assert read.facts == made.facts
    assert read.power_gain.dtype == np.float32


def test_other_files_are_refused_by_name(tmp_path):
    path = tmp_path / "pool.npz"
    with pytest.raises(InputError, match=r"pool\.npz.*no such file"):
        Pool.load(path)
    path.write_bytes(b"PK not an archive")
    with pytest.raises(InputError, match=r"pool\.npz.*not an array archive"):
        Pool.load(path)
    path.write_bytes(files.arrays_to_bytes({"power_gain": np.ones((1, 2, 3))}))
    with pytest.raises(InputError, match=r"has no array .header"):
        Pool.load(path)


def test_version_and_shape_are_checked(tmp_path):
    path, made = tmp_path / "pool.npz", make_pool()
    header = {"version": 99, "settings": made.settings.model_dump(), "facts": {}}

    def write():
        text = np.frombuffer(json.dumps(header).encode(), np.uint8)
        path.write_bytes(files.arrays_to_bytes({"power_gain": made.power_gain, "header": text}))

    write()
    with pytest.raises(InputError, match="version 99"):
        Pool.load(path)
    header["version"] = module.POOL_VERSION
    header["settings"]["servers"] = 7
    write()
    with pytest.raises(InputError, match="does not match the settings"):
        Pool.load(path)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda header: [header], r"pool\.npz: \$\.header"),
        (lambda header: "text", r"pool\.npz: \$\.header"),
        (lambda header: {"version": 1, "settings": header["settings"]}, r"\$\.header\.facts"),
        (lambda header: {"version": 1, "facts": {}}, r"\$\.header\.settings"),
        (lambda header: {**header, "facts": None}, r"\$\.header\.facts"),
        (lambda header: {**header, "settings": {"servers": "six"}}, r"\$\.header\.settings\.servers"),
    ],
)
def test_damaged_headers_are_refused(tmp_path, change, message):
    made = make_pool()
    header = {"version": module.POOL_VERSION, "settings": made.settings.model_dump(), "facts": made.facts}
    text = np.frombuffer(json.dumps(change(header)).encode(), np.uint8)
    path = tmp_path / "pool.npz"
    path.write_bytes(files.arrays_to_bytes({"power_gain": made.power_gain, "header": text}))
    with pytest.raises(InputError, match=message):
        Pool.load(path)


@pytest.mark.parametrize("bad", [np.nan, np.inf, -1e-9])
def test_unusable_gains_are_refused(tmp_path, bad):
    made = make_pool()
    made.power_gain[2, 3, 1] = bad
    made.save(tmp_path / "pool.npz")
    with pytest.raises(InputError, match=r"pool\.npz: \$\.power_gain: must hold finite"):
        Pool.load(tmp_path / "pool.npz")


def test_missing_drops_are_noticed(tmp_path):
    made = make_pool()
    Pool(made.power_gain[:-1], made.settings, made.facts).save(tmp_path / "pool.npz")
    with pytest.raises(InputError, match="does not match the settings"):
        Pool.load(tmp_path / "pool.npz")


def test_training_and_validation_share_no_drop():
    pool = make_pool(drops=10)
    seen, unseen = pool.split(0.2)
    assert len(seen.power_gain) == 8
    assert len(unseen.power_gain) == 2
    for drop in unseen.power_gain:
        assert not any(np.array_equal(drop, other) for other in seen.power_gain)
    with pytest.raises(InputError, match="too few"):
        make_pool(drops=1).split(0.2)


def test_drops_take_the_scenes_in_turn_and_a_seed_each(simulator):
    built = build_pool(SMALL)
    assert simulator[0] == [("etoile", 5), ("munich", 6), ("etoile", 7), ("umi", 8), ("umi", 9)]
    assert (
        built.facts["models"]
        == ["sionna-rt etoile", "sionna-rt munich", "sionna-rt etoile"] + ["sionna-umi"] * 2
    )
    assert built.facts["versions"] == {"rt": "1", "umi": "1"}
    assert built.power_gain.shape == (5, 8, 3)
    assert built.power_gain.dtype == np.float32


def test_a_simulation_that_was_cut_off_goes_on(tmp_path, simulator):
    asked, deadly = simulator
    deadly.add(8)
    path, lines = tmp_path / "pool.npz", []
    with pytest.raises(KeyboardInterrupt):
        obtain_pool(path, SMALL, lines.append)
    assert not path.exists()
    deadly.clear()
    del asked[:]
    found = obtain_pool(path, SMALL, lines.append)
    assert asked == [("umi", 8), ("umi", 9)], "what was done is not done again"
    assert [each.name for each in tmp_path.iterdir()] == ["pool.npz"]
    build_pool(SMALL).save(tmp_path / "straight.npz")
    assert path.read_bytes() == (tmp_path / "straight.npz").read_bytes()
    assert "5 drops" in lines[0]
    assert lines[-1] == "drop 5 of 5"
    del asked[:]
    again = obtain_pool(path, SMALL, lines.append)
    np.testing.assert_array_equal(again.power_gain, found.power_gain)
    assert not asked


def test_drops_of_other_settings_are_not_mixed_in(tmp_path, simulator):
    simulator[1].add(7)
    path = tmp_path / "pool.npz"
    with pytest.raises(KeyboardInterrupt):
        obtain_pool(path, SMALL, lambda line: None)
    other = SMALL.model_copy(update={"devices": 9})
    with pytest.raises(InputError, match=r"pool\.npz\.parts.*made with other settings"):
        obtain_pool(path, other, lambda line: None)


def test_a_folder_that_cannot_be_written_is_noticed_before_the_simulation(tmp_path, simulator):
    (tmp_path / "file").write_text("")
    with pytest.raises(InputError, match=r"pool\.npz: cannot be written"):
        obtain_pool(tmp_path / "file" / "pool.npz", SMALL, lambda line: None)
    assert not simulator[0]


def test_others_files_beside_the_drops_stay(tmp_path, simulator):
    (tmp_path / "pool.npz.parts").mkdir()
    (tmp_path / "pool.npz.parts" / "mine.txt").write_text("kept")
    obtain_pool(tmp_path / "pool.npz", SMALL, lambda line: None)
    assert [each.name for each in (tmp_path / "pool.npz.parts").iterdir()] == ["mine.txt"]


def test_an_empty_pool_is_refused():
    with pytest.raises(InputError, match="at least one drop"):
        build_pool(PoolSettings(traced_drops=0, umi_drops=0))


@pytest.mark.slow
def test_both_channel_models_are_simulated():
    pytest.importorskip("sionna.rt")
    settings = PoolSettings(traced_drops=1, umi_drops=1, servers=3, devices=8, seed=5)
    seen = []
    built = build_pool(settings, lambda done, total: seen.append((done, total)))
    assert seen == [(1, 2), (2, 2)]
    assert built.facts["models"] == ["sionna-rt etoile", "sionna-umi"]
    assert built.power_gain.shape == (2, 8, 3)
    assert (built.power_gain.max(2) > 1e-13).all()
