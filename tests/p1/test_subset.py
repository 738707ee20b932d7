"""Nested instances: what they keep of their drop, and what they refuse."""

from __future__ import annotations

import numpy as np
import pytest
from cases import make_instance

import uara
from uara import InputError
from uara.p1.subset import LEAST_GAIN, subset


def test_a_subset_is_the_first_servers_and_the_devices_that_reach_them():
    drop = make_instance(60, 6, 2)
    whole = drop.channel.dense(6)
    part = subset(drop, 3, 20)
    assert (len(part.servers), len(part.devices)) == (3, 20)
    assert part.name == f"{drop.name}[e3,m20]"
    assert part.servers.bandwidth_hz.sum() == pytest.approx(drop.servers.bandwidth_hz.sum())
    assert part.servers.id == drop.servers.id[:3]
    chosen = [drop.devices.id.index(name) for name in part.devices.id]
    assert chosen == sorted(chosen)
    np.testing.assert_array_equal(part.channel.dense(3), whole[chosen][:, :3])
    np.testing.assert_array_equal(part.devices.server_flop, drop.devices.server_flop[chosen])
    skipped = set(range(chosen[-1])) - set(chosen)
    assert all(whole[i, :3].max() < LEAST_GAIN for i in skipped)


def test_subsets_are_nested():
    drop = make_instance(60, 6, 2)
    small, large = subset(drop, 4, 10), subset(drop, 4, 30)
    assert large.devices.id[:10] == small.devices.id
    assert set(subset(drop, 2, 10).servers.id) < set(small.servers.id)


def test_the_whole_drop_is_a_subset_of_itself():
    drop = make_instance(12, 3)
    assert subset(drop, 3, 12).digest == drop.digest


def test_a_subset_can_be_saved_and_solved(tmp_path):
    part = subset(make_instance(60, 6, 2), 3, 20)
    part.save(tmp_path / "part.json")
    assert uara.load(tmp_path / "part.json").digest == part.digest
    assert uara.solve(part, "tma").status == "feasible"


@pytest.mark.parametrize(
    ("servers", "devices", "message"),
    [
        (0, 5, "has 6 servers, not 0"),
        (7, 5, "has 6 servers, not 7"),
        (3, 61, "devices reach its first 3 servers, not 61"),
        (3, 0, "not 0"),
    ],
)
def test_sizes_that_a_drop_does_not_have_are_refused(servers, devices, message):
    with pytest.raises(InputError, match=message):
        subset(make_instance(60, 6, 2), servers, devices)
