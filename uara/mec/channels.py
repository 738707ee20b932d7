"""Where the gains of a batch of worlds come from: a pool of drops that fades, or traces of moving devices."""

from __future__ import annotations

from typing import Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from uara.base.errors import InputError
from uara.mec.pool import Pool
from uara.mec.slots import place_on, without_outages
from uara.p1.subset import LEAST_GAIN

FADING_DB = 4.0
"""Standard deviation of the fluctuation laid over a pool's gains."""
FADING_MEMORY = 0.9
"""Correlation of that fluctuation from one slot to the next."""


class Gains(Protocol):
    """A source of power gains (B, M, E), slot by slot. It keeps nothing of an episode: worlds may share it."""

    devices: int
    servers: int

    def first(self, batch: int, generator: torch.Generator) -> tuple[Tensor, Tensor]:
        """Gains of slot 0, and those that the whole episode fades around."""

    def following(self, previous: Tensor, mean: Tensor, slot: int, generator: torch.Generator) -> Tensor:
        """Gains of slot ``slot``, given those of the slot before and those that the episode fades around."""


class PoolGains:
    """Worlds cut from a pool: a random drop each, random servers of it, random devices that reach them.

    From slot to slot every pair fades on its own (first-order autoregressive in dB around the drop's gain).
    """

    def __init__(self, pool: Pool, devices: int, servers: int, dtype: torch.dtype = torch.float32) -> None:
        if servers > pool.settings.servers:
            raise InputError(f"holds {pool.settings.servers} servers a drop, not {servers}", source="pool")
        self.devices, self.servers = devices, servers
        self._gain = pool.power_gain
        self._dtype = dtype

    def first(self, batch: int, generator: torch.Generator) -> tuple[Tensor, Tensor]:
        """Gains of slot 0, and the drops' own, cut for the episode."""
        seed = int(torch.randint(2**62, (), generator=generator, device=generator.device))
        rng = np.random.default_rng(seed)
        cut = np.stack([self._cut(rng) for _ in range(batch)])
        mean = torch.as_tensor(cut, dtype=self._dtype, device=generator.device)
        return _faded(mean, FADING_DB * _noise(mean, generator)), mean

    def following(self, previous: Tensor, mean: Tensor, slot: int, generator: torch.Generator) -> Tensor:
        """The gains of the slot before, faded on."""
        ratio = torch.where(mean > 0, previous / mean, torch.ones_like(previous))
        step_db = FADING_DB * (1 - FADING_MEMORY**2) ** 0.5
        level_db = FADING_MEMORY * 10 * torch.log10(ratio) + step_db * _noise(mean, generator)
        return _faded(mean, level_db)

    def _cut(self, rng: np.random.Generator) -> NDArray[np.float32]:
        for _ in range(100):
            drop = self._gain[rng.integers(len(self._gain))]
            gain = drop[:, rng.choice(drop.shape[1], self.servers, replace=False)]
            reached = np.flatnonzero(gain.max(1) >= LEAST_GAIN)
            if len(reached) >= min(self.devices, 20):
                again = len(reached) < self.devices
                return np.asarray(gain[rng.choice(reached, self.devices, replace=again)])
        raise InputError(f"no drop has {self.servers} servers that reach 20 devices", source="pool")


def _noise(like: Tensor, generator: torch.Generator) -> Tensor:
    return torch.randn(like.shape, generator=generator, dtype=like.dtype, device=like.device)


def _faded(mean: Tensor, level_db: Tensor) -> Tensor:
    return mean * 10 ** (level_db / 10)


class TraceGains:
    """The same trace for every world of the batch; after its last slot it runs backwards, and so on.

    A device that no server reaches in some slot keeps the gains of the last slot in which one did.

    Parameters
    ----------
    power_gain
        (T, M, E) linear, 0 where there is no path.
    """

    def __init__(self, power_gain: NDArray[np.floating], dtype: torch.dtype = torch.float64) -> None:
        if power_gain.ndim != 3 or not len(power_gain):
            raise InputError(
                f"gains of shape {power_gain.shape}, not (slots, devices, servers)", source="trace"
            )
        self._gain = torch.as_tensor(without_outages(np.asarray(power_gain, dtype=float)), dtype=dtype)
        _, self.devices, self.servers = power_gain.shape

    def first(self, batch: int, generator: torch.Generator) -> tuple[Tensor, Tensor]:
        """Gains of slot 0, twice: nothing is drawn, so nothing fades around them."""
        gain = self._at(0).expand(batch, -1, -1).to(generator.device)
        return gain, gain

    def following(self, previous: Tensor, mean: Tensor, slot: int, generator: torch.Generator) -> Tensor:
        """Gains of a later slot."""
        return self._at(slot).expand_as(previous).to(generator.device)

    def _at(self, slot: int) -> Tensor:
        return self._gain[place_on(len(self._gain), slot)]
