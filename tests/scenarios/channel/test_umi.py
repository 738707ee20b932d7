"""The 38.901 channel as a caller sees it. Every call is a process that loads PyTorch, so results are shared."""

from __future__ import annotations

import functools
import importlib.util
from pathlib import Path

import numpy as np
import pytest

from uara.base.errors import InputError, MissingExtra
from uara.scenarios.channel.drop import Drop
from uara.scenarios.channel.positions import nearest_distance_m
from uara.scenarios.channel.umi import UrbanMicro, draw, gains

if importlib.util.find_spec("sionna") is None or importlib.util.find_spec("torch") is None:
    pytest.skip("needs the extra sionna", allow_module_level=True)


@functools.cache
def crowd() -> Drop:
    return draw(UrbanMicro(), servers=6, devices=200, seed=3)


@pytest.mark.integration
def test_everyone_stands_where_the_settings_say() -> None:
    drop = crowd()
    assert np.abs(drop.device_position_m[:, :2]).max() <= 200
    assert nearest_distance_m(drop.device_position_m, drop.server_position_m).min() >= 10
    assert (drop.device_position_m[:, 2] == 1.5).all()
    assert (drop.server_position_m[:, 2] == 10.0).all()
    assert drop.power_gain.shape == (200, 6)


@pytest.mark.integration
def test_every_device_has_a_server() -> None:
    drop = crowd()
    assert (drop.power_gain > 0).all()
    assert drop.power_gain.max(1).min() >= 1e-12


@pytest.mark.integration
def test_gains_follow_the_path_loss_of_38_901() -> None:
    """Table 7.4.1-1, UMi street canyon below the break point: a pair is between LOS and NLOS law, give or take
    shadowing (4 and 7.8 dB) and fading."""
    drop = crowd()
    distance_m = np.linalg.norm(drop.device_position_m[:, None] - drop.server_position_m[None], axis=-1)
    gain_db = 10 * np.log10(drop.power_gain)
    los_db = -(32.4 + 21 * np.log10(distance_m) + 20 * np.log10(3.5))
    nlos_db = -(35.3 * np.log10(distance_m) + 22.4 + 21.3 * np.log10(3.5))
    assert (gain_db < los_db + 20).mean() > 0.999
    assert (gain_db > nlos_db - 40).mean() > 0.999
    # Near pairs are mostly in line of sight (7.4.2: all within 18 m), far ones mostly not.
    near, far = distance_m < 25, distance_m > 150
    assert np.median(gain_db[near] - los_db[near]) == pytest.approx(0, abs=3)
    assert np.median(gain_db[far] - nlos_db[far]) == pytest.approx(0, abs=4)


@pytest.mark.slow
def test_neighbours_hear_alike() -> None:
    """Spatial consistency: half a metre apart the channel is nearly the same, far apart it is another."""
    rng = np.random.default_rng(0)
    here = np.c_[rng.uniform(-150, 150, (40, 2)), np.full(40, 1.5)]
    beside = here + np.array([0.5, 0.0, 0.0])
    servers = np.array([[0.0, 190.0, 10.0], [190.0, 0.0, 10.0]])
    drop = gains(UrbanMicro(), servers, np.concatenate([here, beside]), seed=5)
    gain_db = 10 * np.log10(drop.power_gain)
    near = np.abs(gain_db[:40] - gain_db[40:])
    shuffled = np.abs(gain_db[:40] - np.roll(gain_db[40:], 7, axis=0))
    assert np.median(near) < 0.5 * np.median(shuffled)


@pytest.mark.integration
def test_same_seed_same_bits() -> None:
    again = draw(UrbanMicro(), servers=6, devices=200, seed=3)
    assert again.power_gain.tobytes() == crowd().power_gain.tobytes()
    assert again.device_position_m.tobytes() == crowd().device_position_m.tobytes()


@pytest.mark.slow
def test_seeds_differ_and_the_channel_is_drawn_apart_from_the_positions() -> None:
    drop = crowd()
    other = gains(UrbanMicro(), drop.server_position_m, drop.device_position_m, seed=4)
    difference_db = 10 * np.log10(other.power_gain / drop.power_gain)
    assert (np.abs(difference_db) > 1e-3).mean() > 0.99
    assert 1 < np.abs(difference_db).mean() < 20


def test_too_near_is_refused() -> None:
    with pytest.raises(InputError, match=r"device 1 is 5 m from a server; 38\.901 UMi needs 10 m"):
        gains(UrbanMicro(), np.array([[0.0, 0, 10]]), np.array([[20.0, 0, 1.5], [3.0, 4.0, 1.5]]), seed=0)


@pytest.mark.slow
def test_a_threshold_that_nobody_reaches_is_refused() -> None:
    with pytest.raises(InputError, match=r"only 0 of \d+ positions in the box"):
        draw(UrbanMicro(min_best_gain_db=0.0), servers=1, devices=1, seed=0)


def test_negative_seed_is_refused() -> None:
    with pytest.raises(InputError, match="seed"):
        draw(UrbanMicro(), servers=1, devices=1, seed=-1)


def test_missing_sionna_names_the_extra(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    blocked = tmp_path / "torch"
    blocked.mkdir()
    (blocked / "__init__.py").write_text(
        "raise ModuleNotFoundError(\"No module named 'torch'\", name='torch')\n"
    )
    monkeypatch.syspath_prepend(str(tmp_path))
    with pytest.raises(MissingExtra, match=r"torch is not installed.*uara\[sionna\]"):
        draw(UrbanMicro(), servers=1, devices=1, seed=0)
