"""Pools by name, and from files."""

from __future__ import annotations

import numpy as np
import pytest
from mec.pools import make_pool

from uara import InputError
from uara.mec.pool import held_out
from uara.mec.pools import HELD_OUT_PART, POOLS, names, open_pool


def test_pools_by_name():
    train, aside = open_pool("urban-train"), open_pool("urban-held-out")
    assert len(train.power_gain) + len(aside.power_gain) == len(open_pool("urban").power_gain)
    assert {"urban", "urban-train", "urban-held-out"} <= set(names())
    with pytest.raises(InputError, match=r"there is no pool .urbane"):
        open_pool("urbane")


def test_every_name_opens_and_its_parts_share_no_drop():
    for path in POOLS.glob("*.npz"):
        whole, train, aside = (open_pool(path.stem + part) for part in ("", "-train", "-held-out"))
        kept = held_out(len(whole.power_gain), HELD_OUT_PART)
        np.testing.assert_array_equal(train.power_gain, whole.power_gain[~kept])
        np.testing.assert_array_equal(aside.power_gain, whole.power_gain[kept])
    assert len(names()) == 3 * len(list(POOLS.glob("*.npz")))


def test_a_file_is_a_pool_too(tmp_path):
    pool = make_pool(drops=2)
    pool.save(tmp_path / "own.npz")
    np.testing.assert_array_equal(open_pool(str(tmp_path / "own.npz")).power_gain, pool.power_gain)
    with pytest.raises(InputError, match="no such file"):
        open_pool(str(tmp_path / "none.npz"))
