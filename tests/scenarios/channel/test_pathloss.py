from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from uara.base.errors import InputError
from uara.scenarios.channel.pathloss import PathLoss, draw, gains


@given(st.integers(0, 2**40), st.integers(1, 8), st.integers(1, 30))
def test_without_shadowing_gains_follow_the_law(seed: int, servers: int, devices: int) -> None:
    drop = draw(PathLoss(shadowing_db=0.0), servers=servers, devices=devices, seed=seed)
    assert drop.power_gain.shape == (devices, servers)
    for i in range(devices):
        for j in range(servers):
            distance = np.sqrt(((drop.device_position_m[i] - drop.server_position_m[j]) ** 2).sum())
            expected_db = -41.0 - 28.0 * np.log10(distance)
            assert 10 * np.log10(drop.power_gain[i, j]) == pytest.approx(expected_db, abs=1e-9)


def test_shadowing_has_its_spread() -> None:
    calm = draw(PathLoss(shadowing_db=0.0), servers=10, devices=400, seed=3)
    rough = draw(PathLoss(shadowing_db=5.0), servers=10, devices=400, seed=3)
    np.testing.assert_array_equal(calm.device_position_m, rough.device_position_m)
    shadow_db = 10 * np.log10(rough.power_gain / calm.power_gain)
    assert shadow_db.mean() == pytest.approx(0.0, abs=4 * 5 / np.sqrt(4000))
    assert shadow_db.std() == pytest.approx(5.0, rel=0.05)


def test_positions_keep_the_settings() -> None:
    settings = PathLoss(box_m=300.0, min_distance_m=15.0, server_spacing_m=40.0, server_height_m=25.0)
    drop = draw(settings, servers=6, devices=200, seed=1)
    gaps = np.linalg.norm(drop.device_position_m[:, None, :2] - drop.server_position_m[None, :, :2], axis=-1)
    assert gaps.min() >= 15.0
    assert np.abs(drop.device_position_m[:, :2]).max() <= 150.0
    assert (drop.server_position_m[:, 2] == 25.0).all()
    assert (drop.device_position_m[:, 2] == 1.5).all()


def test_same_seed_same_drop_and_seeds_differ() -> None:
    one, same, other = (draw(PathLoss(), servers=3, devices=5, seed=seed) for seed in (1, 1, 2))
    np.testing.assert_array_equal(one.power_gain, same.power_gain)
    assert not np.array_equal(one.power_gain, other.power_gain)
    assert not np.array_equal(one.device_position_m, other.device_position_m)


def test_negative_seed_is_refused() -> None:
    with pytest.raises(InputError, match="seed"):
        draw(PathLoss(), servers=1, devices=1, seed=-1)


def test_gains_between_given_positions_are_those_of_a_drop() -> None:
    drop = draw(PathLoss(), servers=3, devices=9, seed=4)
    again = gains(PathLoss(), drop.server_position_m, drop.device_position_m, seed=4)
    np.testing.assert_array_equal(again.power_gain, drop.power_gain)


def test_nearer_than_the_law_begins_is_refused() -> None:
    servers, devices = (
        np.array([[0.0, 0.0, 0.0], [9.0, 0.0, 0.0]]),
        np.array([[5.0, 0.0, 0.0], [9.5, 0.0, 0.0]]),
    )
    with pytest.raises(InputError, match=r"device 1 stands 0\.5 m from server 1"):
        gains(PathLoss(), servers, devices, seed=1)
