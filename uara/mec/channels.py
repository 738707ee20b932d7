"""Where the gains of a batch of worlds come from: a pool of drops that fades, or traces of moving devices."""

from __future__ import annotations

from typing import Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from uara.errors import InputError
from uara.mec.pool import Pool

FADING_DB = 4.0
"""Standard deviation of the fluctuation laid over a pool's gains."""
FADING_MEMORY = 0.9
"""Correlation of that fluctuation from one slot to the next."""
_WEAKEST_GAIN = 1e-12
"""-120 dB: a device needs a server at least this strong, as in generated instances."""


class Gains(Protocol):
    """A source of power gains (B, M, E), slot by slot."""

    devices: int
    servers: int

    def first(self, batch: int, generator: torch.Generator) -> Tensor:
        """Gains of slot 0."""

    def following(self, previous: Tensor, slot: int, generator: torch.Generator) -> Tensor:
        """Gains of slot ``slot``, given those of the slot before."""


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
        self._base = torch.zeros(0)

    def first(self, batch: int, generator: torch.Generator) -> Tensor:
        """Gains of slot 0; also chooses the drops of the whole episode."""
        seed = int(torch.randint(2**62, (), generator=generator, device=generator.device))
        rng = np.random.default_rng(seed)
        cut = np.stack([self._cut(rng) for _ in range(batch)])
        self._base = torch.as_tensor(cut, dtype=self._dtype, device=generator.device)
        return self._faded(self._noise(generator) * FADING_DB)

    def following(self, previous: Tensor, slot: int, generator: torch.Generator) -> Tensor:
        """The gains of the slot before, faded on."""
        ratio = torch.where(self._base > 0, previous / self._base, torch.ones_like(previous))
        step_db = FADING_DB * (1 - FADING_MEMORY**2) ** 0.5
        return self._faded(FADING_MEMORY * 10 * torch.log10(ratio) + step_db * self._noise(generator))

    def _noise(self, generator: torch.Generator) -> Tensor:
        base = self._base
        return torch.randn(base.shape, generator=generator, dtype=base.dtype, device=base.device)

    def _faded(self, level_db: Tensor) -> Tensor:
        return self._base * 10 ** (level_db / 10)

    def _cut(self, rng: np.random.Generator) -> NDArray[np.float32]:
        for _ in range(100):
            drop = self._gain[rng.integers(len(self._gain))]
            gain = drop[:, rng.choice(drop.shape[1], self.servers, replace=False)]
            reached = np.flatnonzero(gain.max(1) >= _WEAKEST_GAIN)
            if len(reached) >= min(self.devices, 20):
                again = len(reached) < self.devices
                return np.asarray(gain[rng.choice(reached, self.devices, replace=again)])
        raise InputError(f"no drop has {self.servers} servers that reach 20 devices", source="pool")


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
        self._gain = torch.as_tensor(_without_outages(np.asarray(power_gain, dtype=float)), dtype=dtype)
        _, self.devices, self.servers = power_gain.shape

    def first(self, batch: int, generator: torch.Generator) -> Tensor:
        """Gains of slot 0."""
        return self._at(0).expand(batch, -1, -1).to(generator.device)

    def following(self, previous: Tensor, slot: int, generator: torch.Generator) -> Tensor:
        """Gains of a later slot."""
        return self._at(slot).expand_as(previous).to(generator.device)

    def _at(self, slot: int) -> Tensor:
        period = max(1, 2 * (len(self._gain) - 1))
        place = slot % period
        return self._gain[min(place, period - place) if len(self._gain) > 1 else 0]


def _without_outages(gain: NDArray[np.float64]) -> NDArray[np.float64]:
    """The gains (T, M, E), those of devices without any path taken over from the nearest earlier slot."""
    reached = (gain > 0).any(2)
    if not reached.any(0).all():
        lonely = int(np.argmin(reached.any(0)))
        raise InputError(f"device {lonely} is never reached by a server", source="trace")
    slot = np.where(reached, np.arange(len(gain))[:, None], -1)
    last = np.maximum.accumulate(slot, axis=0)
    last = np.where(last >= 0, last, reached.argmax(0))
    held: NDArray[np.float64] = gain[last, np.arange(gain.shape[1])]
    return held
