"""Sources of gains: cuts from a pool with fading, and traces that run back and forth."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from mec.pools import make_pool

from uara import InputError
from uara.mec.channels import FADING_DB, FADING_MEMORY, PoolGains, TraceGains


def generator(seed=0):
    return torch.Generator().manual_seed(seed)


def test_cuts_have_the_size_asked_for_and_reach_every_device():
    source = PoolGains(make_pool(), devices=25, servers=4)
    gain, mean = source.first(7, generator())
    assert gain.shape == (7, 25, 4)
    assert (gain.amax(2) > 0).all()
    assert not torch.equal(gain[0], gain[1])
    assert torch.equal(gain > 0, mean > 0)


def test_more_devices_than_a_drop_has_are_drawn_with_repetition():
    assert PoolGains(make_pool(devices=40), devices=100, servers=4).first(1, generator())[0].shape == (
        1,
        100,
        4,
    )


def test_cuts_depend_on_the_generator_alone():
    source = PoolGains(make_pool(), devices=25, servers=4)
    first, _ = source.first(2, generator(3))
    assert torch.equal(first, source.first(2, generator(3))[0])
    assert not torch.equal(first, source.first(2, generator(4))[0])


def test_fading_keeps_its_spread_and_its_memory():
    source, draw = PoolGains(make_pool(), devices=40, servers=6, dtype=torch.float64), generator()
    gain, base = source.first(60, draw)
    paths = base > 0
    levels = []
    for slot in range(1, 6):
        following = source.following(gain, base, slot, draw)
        assert torch.equal(following > 0, paths), "a pair without a path never gets one"
        levels.append([10 * torch.log10((g / base)[paths]) for g in (gain, following)])
        gain = following
    before, after = (torch.cat([pair[k] for pair in levels]).numpy() for k in (0, 1))
    assert after.std() == pytest.approx(FADING_DB, rel=0.05)
    assert np.corrcoef(before, after)[0, 1] == pytest.approx(FADING_MEMORY, abs=0.02)


def test_a_pool_too_small_is_refused():
    with pytest.raises(InputError, match="holds 6 servers"):
        PoolGains(make_pool(), devices=5, servers=7)
    silent = make_pool()
    silent.power_gain[:] = 0
    with pytest.raises(InputError, match="no drop"):
        PoolGains(silent, devices=25, servers=3).first(1, generator())


def test_a_trace_runs_back_and_forth():
    gains = np.arange(1.0, 4.0)[:, None, None] * np.ones((3, 2, 2))
    source = TraceGains(gains)
    level, mean = source.first(1, generator())
    seen = [float(level[0, 0, 0])]
    for slot in range(1, 8):
        level = source.following(level, mean, slot, generator())
        seen.append(float(level[0, 0, 0]))
    assert seen == [1, 2, 3, 2, 1, 2, 3, 2]


def test_an_outage_keeps_the_last_gains():
    gains = np.ones((3, 2, 2)) * 1e-9
    gains[1, 0] = 0.0
    source = TraceGains(gains)
    first, mean = source.first(1, generator())
    following = source.following(first, mean, 1, generator())
    np.testing.assert_array_equal(following[0, 0], gains[0, 0])


def test_two_runs_on_one_source_do_not_disturb_each_other():
    """The source keeps nothing of an episode."""

    def run(source, disturb):
        draw = generator(5)
        gain, mean = source.first(3, draw)
        for slot in range(1, 4):
            if disturb:
                source.first(4, generator(slot))
            gain = source.following(gain, mean, slot, draw)
        return gain

    source = PoolGains(make_pool(), devices=25, servers=4)
    assert torch.equal(run(source, disturb=False), run(source, disturb=True))


def test_bad_traces_are_refused():
    with pytest.raises(InputError, match="shape"):
        TraceGains(np.ones((2, 3)))
    with pytest.raises(InputError, match="device 1 is never reached"):
        TraceGains(np.array([[[1.0], [0.0]]]))
