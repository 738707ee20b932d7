"""A small synthetic pool of drops."""

from __future__ import annotations

import numpy as np

from uara.mec.pool import Pool, PoolSettings


def make_pool(drops: int = 6, devices: int = 40, servers: int = 6, seed: int = 0) -> Pool:
    """Gains without a simulator; a third of the pairs have no path."""
    rng = np.random.default_rng(seed)
    gain = 10 ** rng.uniform(-12.5, -7, (drops, devices, servers))
    gain[rng.random(gain.shape) < 0.33] = 0.0
    settings = PoolSettings(traced_drops=drops, umi_drops=0, devices=devices, servers=servers)
    return Pool(gain.astype(np.float32), settings, {"models": ["synthetic"] * drops, "versions": {}})
