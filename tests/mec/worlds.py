"""Batches of worlds for the tests."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray

from uara.mec.batch import Environment, WorldSettings
from uara.mec.channels import TraceGains
from uara.psd.profile import assumed_profile


def random_gains(slots: int = 4, devices: int = 9, servers: int = 3, seed: int = 0) -> NDArray[np.float64]:
    """(T, M, E) with a fifth of the pairs without a path."""
    rng = np.random.default_rng(seed)
    gain = 10 ** rng.uniform(-11, -7, (slots, devices, servers))
    gain[rng.random(gain.shape) < 0.2] = 0.0
    gain[:, np.arange(devices), np.arange(devices) % servers] = 1e-9
    return gain


def profile_file(folder: str) -> str:
    """A small task profile on the disk: drawing from it is fast."""
    path = f"{folder}/profile.json"
    lengths = {"code": [100, 200], "chat": [50]}
    assumed_profile({"code": 0.8, "chat": 0.6}, lengths, new_tokens=24, gamma=4).save(path)
    return path


def make_environment(
    folder: str, batch: int = 2, slots: int = 4, devices: int = 9, servers: int = 3, **settings: object
) -> Environment:
    """Worlds on random gains, in double precision."""
    gains = TraceGains(random_gains(slots, devices, servers))
    chosen = WorldSettings(profile=profile_file(folder), **settings)  # type: ignore[arg-type]
    return Environment(gains, batch, chosen, dtype=torch.float64)


def reachable(environment: Environment, seed: int = 0) -> torch.Tensor:
    """(B, M) A random usable server of each device."""
    usable = environment.state.power_gain > 0
    noise = torch.rand(usable.shape, generator=torch.Generator().manual_seed(seed))
    return torch.where(usable, noise, -1.0).argmax(2)
