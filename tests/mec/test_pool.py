"""Pool files, and the simulators behind them."""

from __future__ import annotations

import json

import numpy as np
import pytest
from mec.pools import make_pool

from uara import InputError, files
from uara.mec import pool as module
from uara.mec.pool import Pool, PoolSettings, build_pool


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
    with pytest.raises(InputError, match="not a pool"):
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
    with pytest.raises(InputError, match="do not match the settings"):
        Pool.load(path)


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
