"""A batch of slotted worlds with their randomness: reset, observe, step (section III.A of the paper)."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Annotated

import numpy as np
import torch
from numpy.typing import NDArray
from pydantic import Field
from torch import Tensor

from uara.base.errors import InputError
from uara.base.files import Record
from uara.base.quantities import Fraction, NonNegative, Positive
from uara.base.randomness import derived_seed, stream
from uara.hardware import (
    ACCELERATORS,
    BATTERY_CAPACITY_J,
    BATTERY_FRACTION,
    ENERGY_WEIGHT_MS_PER_J,
    OWN_WORK_S,
    PHONES,
    TX_POWER_DBM,
    UPLINK_BAND_HZ,
)
from uara.mec.channels import Gains, TraceGains
from uara.mec.slots import battery_capacity_j
from uara.mec.worlds import (
    Fleet,
    Slot,
    State,
    StepOutcome,
    advance,
    constant_costs,
    outcome,
    random_uniform_cost,
    slot_of,
    uniform_costs,
)
from uara.p1.schema import Parameters
from uara.psd.payload import Payload
from uara.psd.profile import TaskProfile
from uara.scenarios.trace import MobilityTrace

TASK_TABLE = 3000
"""Tasks drawn from the profile once; worlds resample them slot by slot."""


class WorldSettings(Record):
    """Distributions that a world's devices, servers and tasks are drawn from."""

    profile: str = "gpt2_gpt2-xl"
    """Task profile: a shipped one by name, or a .json file."""
    battery_range: tuple[Fraction, Fraction] = BATTERY_FRACTION
    """B_i at the start."""
    tx_power_dbm_range: tuple[float, float] = TX_POWER_DBM
    """P_i (Table I)."""
    energy_weight_range: tuple[NonNegative, NonNegative] = ENERGY_WEIGHT_MS_PER_J
    """w of each world, in ms per joule (Table I)."""
    payload_factor_range: tuple[Positive, Positive] = (1.0, 1.0)
    """Factor on d_i of each world, log-uniform: bulkier payloads make band scarce."""
    work_factor_range: tuple[Positive, Positive] = (1.0, 1.0)
    """Factor on d_i, f_i^MD and f_i^ES of each world, log-uniform: longer or shorter outputs."""
    server_factor_range: tuple[Positive, Positive] = (1.0, 1.0)
    """Factor on F_j of each world, log-uniform."""
    device_factor_range: tuple[Positive, Positive] = (1.0, 1.0)
    """Factor on F_i of each world, log-uniform."""
    energy_factor_range: tuple[Positive, Positive] = (1.0, 1.0)
    """Factor on w of each world, log-uniform."""
    sync_weight_range: tuple[Positive, Positive] | None = None
    """lambda of each world in 1/ms, log-uniform; P1's own where left out."""
    load_spread: Annotated[float, Field(ge=0, le=5)] = 0.0
    """Each device's tasks are multiplied by log-normal factors; their log's deviation is uniform up to this."""
    gain_spread_range: tuple[Positive, Positive] = (1.0, 1.0)
    """Factor on the spread of each world's gains in dB around its strongest one: other path loss."""
    plain: Annotated[float, Field(ge=0, le=1)] = 0.5
    """Part of the worlds whose factors are 1."""
    own_work_s: NonNegative = OWN_WORK_S
    """A server has uniformly 0 to this many seconds of work of its own at the start of each slot."""
    bandwidth_hz: Positive = UPLINK_BAND_HZ
    """W, divided equally among the servers."""


@lru_cache(maxsize=4)
def task_table(profile: str, payload: Payload | None = None) -> NDArray[np.float64]:
    """(n, 3) d_i, f_i^MD and f_i^ES of tasks of a profile, drawn once for all worlds."""
    tasks = TaskProfile.load(profile).draw_tasks(TASK_TABLE, stream(0, "mec task table"), payload=payload)
    return np.stack([tasks["upload_bits"], tasks["device_flop"], tasks["server_flop"]], axis=1)


@dataclass(frozen=True)
class Feedback:
    """What a step returns.

    Attributes
    ----------
    outcome
        Costs, latencies and energies, device by device.
    uniform_ms : (B, M)
        Controllable costs under uniform shares, for the same association.
    constant_ms : (B, M)
        The part of the objective that no decision touches.
    random_ms : (B,)
        Controllable objective of the paper's Random baseline: random association, uniform shares.
    """

    outcome: StepOutcome
    uniform_ms: Tensor
    constant_ms: Tensor
    random_ms: Tensor


class Environment:
    """A batch of worlds of one size. All randomness comes from the seed of :meth:`reset`.

    Parameters
    ----------
    gains
        Source of the channel gains; it fixes M and E.
    batch
        Number of worlds.
    settings, given
        What is drawn, and P1's constants; the defaults where left out.
    device
        Where the tensors live.
    """

    def __init__(
        self,
        gains: Gains,
        batch: int,
        settings: WorldSettings | None = None,
        given: Parameters | None = None,
        *,
        device: str = "cpu",
        dtype: torch.dtype = torch.float32,
    ) -> None:
        self.gains, self.batch = gains, batch
        self.settings, self.given = settings or WorldSettings(), given or Parameters()
        self.devices, self.servers = gains.devices, gains.servers
        self._dtype = dtype
        self._generator = torch.Generator(device=device)
        self._tasks = torch.zeros(0)
        self._trace: MobilityTrace | None = None
        self._payload_factor = self._work_factor = torch.ones(batch, 1, device=device, dtype=dtype)
        self._gain_spread = self._payload_factor
        self._sync_weight: Tensor | None = None
        self.slot_number = 0
        self.fleet: Fleet
        self.state: State

    @classmethod
    def from_trace(
        cls,
        trace: MobilityTrace,
        batch: int = 1,
        settings: WorldSettings | None = None,
        *,
        device: str = "cpu",
        dtype: torch.dtype = torch.float32,
    ) -> Environment:
        """The worlds of a trace: its devices, servers, batteries, queues, constants and slot length.

        Slot 0 is the trace's instance in every world; the seed draws the tasks and the servers' own work
        of the slots after it, as in :func:`uara.mec.simulate.simulate`.

        Parameters
        ----------
        settings
            Its ``profile`` and ``own_work_s`` may differ from the defaults.

        Raises
        ------
        InputError
            If other settings differ from the defaults: the trace says them.
        """
        chosen = settings or WorldSettings()
        if chosen != WorldSettings(profile=chosen.profile, own_work_s=chosen.own_work_s):
            raise InputError("beside a trace only profile and own_work_s can be chosen", source="settings")
        given = trace.instance.parameters
        made = cls(TraceGains(trace.power_gain, dtype), batch, chosen, given, device=device, dtype=dtype)
        made._trace = trace
        return made

    def reset(self, seed: int) -> Slot:
        """Draw new worlds; the same seed gives the same worlds, and the same run under the same decisions."""
        self._generator.manual_seed(derived_seed(seed, "mec", self.devices, self.servers))
        if not len(self._tasks):
            payload = None if self._trace is None else self._trace.payload
            self._tasks = self._tensor(task_table(self.settings.profile, payload))
        self.slot_number = 0
        if self._trace is None:
            self._draw(seed)
        else:
            self._take(self._trace)
        return self.observe()

    def _draw(self, seed: int) -> None:
        """Random devices and servers, with their first slot."""
        self.fleet = self._fleet(stream(seed, "mec fleet", self.devices, self.servers))
        low, high = self.settings.battery_range
        battery = low + (high - low) * self._uniform(self.batch, self.devices)
        nothing = torch.zeros_like(battery)
        idle = torch.zeros_like(self.fleet.server_flop_per_s)
        gain, mean = self._spread_out(*self.gains.first(self.batch, self._generator))
        self.state = self._with_arrivals(State(gain, mean, battery, idle, nothing, nothing, nothing))

    def _take(self, trace: MobilityTrace) -> None:
        """The trace's devices and servers, with its first slot."""

        def same(values: NDArray[np.float64]) -> Tensor:
            return self._tensor(values.copy()).expand(self.batch, -1)

        devices, servers = trace.instance.devices, trace.instance.servers
        self.fleet = Fleet(
            device_flop_per_s=same(devices.compute_flop_per_s),
            tx_power_w=same(devices.tx_power_w),
            battery_capacity_j=same(battery_capacity_j(devices)),
            server_flop_per_s=same(servers.compute_flop_per_s),
            bandwidth_hz=same(servers.bandwidth_hz),
            energy_weight_ms_per_j=self._tensor(np.full(self.batch, self.given.energy_weight_ms_per_j)),
        )
        self.state = State(
            *self.gains.first(self.batch, self._generator),
            battery_fraction=same(devices.battery_fraction),
            backlog_flop=same(servers.backlog_flop),
            upload_bits=same(devices.upload_bits),
            device_flop=same(devices.device_flop),
            server_flop=same(devices.server_flop),
        )

    def observe(self) -> Slot:
        """P1 of the present slot."""
        slot = slot_of(self.fleet, self.state, self.given)
        return slot if self._sync_weight is None else replace(slot, sync_weight_per_ms=self._sync_weight)

    def step(self, association: Tensor, band: Tensor, compute: Tensor) -> tuple[Slot, Feedback]:
        """Carry out a decision (B, M each), and go on to the next slot."""
        slot = self.observe()
        result = outcome(self.fleet, self.state, slot, self.given, association, band, compute)
        feedback = Feedback(
            result,
            uniform_costs(slot, association),
            constant_costs(self.fleet, self.state, self.given),
            random_uniform_cost(slot, self._generator),
        )
        rested = advance(self.fleet, self.state, self.given, association, result.energy_j)
        self.slot_number += 1
        gain = self.gains.following(
            self.state.power_gain, self.state.mean_gain, self.slot_number, self._generator
        )
        self.state = self._with_arrivals(replace(rested, power_gain=gain))
        return self.observe(), feedback

    def _with_arrivals(self, state: State) -> State:
        """The next slot's tasks, one a device, and the servers' own new work."""
        shape = (self.batch, self.devices)
        pick = torch.randint(
            len(self._tasks), shape, generator=self._generator, device=self._generator.device
        )
        bits, device_flop, server_flop = self._tasks[pick].unbind(2)
        own_s = self.settings.own_work_s * self._uniform(self.batch, self.servers)
        return replace(
            state,
            backlog_flop=state.backlog_flop + own_s * self.fleet.server_flop_per_s,
            upload_bits=bits * self._work_factor * self._payload_factor,
            device_flop=device_flop * self._work_factor,
            server_flop=server_flop * self._work_factor,
        )

    def _fleet(self, rng: np.random.Generator) -> Fleet:
        settings, shape = self.settings, (self.batch, self.devices)
        phone = rng.integers(len(PHONES), size=shape)
        accelerator = rng.integers(len(ACCELERATORS), size=(self.batch, self.servers))
        power_dbm = rng.uniform(*settings.tx_power_dbm_range, shape)
        changed = rng.random((self.batch, 1)) >= settings.plain
        self._payload_factor = self._factor(rng, settings.payload_factor_range, changed)
        self._work_factor = self._factor(rng, settings.work_factor_range, changed)
        server_factor, device_factor, energy_factor = self._wider(rng.spawn(1)[0], changed, shape)
        return Fleet(
            device_flop_per_s=device_factor
            * self._tensor(np.array([each.compute_flop_per_s for each in PHONES])[phone]),
            tx_power_w=self._tensor(10 ** ((power_dbm - 30) / 10)),
            battery_capacity_j=self._tensor(np.array(BATTERY_CAPACITY_J)[phone]),
            server_flop_per_s=server_factor
            * self._tensor(np.array([each.compute_flop_per_s for each in ACCELERATORS])[accelerator]),
            bandwidth_hz=self._tensor(
                np.full((self.batch, self.servers), settings.bandwidth_hz / self.servers)
            ),
            energy_weight_ms_per_j=energy_factor[:, 0]
            * self._tensor(rng.uniform(*settings.energy_weight_range, self.batch)),
        )

    def _wider(
        self, rng: np.random.Generator, changed: NDArray[np.bool_], shape: tuple[int, int]
    ) -> tuple[Tensor, Tensor, Tensor]:
        """Draw what a wider range adds, with numbers of its own; (B, 1) factors on F_j, F_i and w."""
        settings = self.settings
        self._gain_spread = self._factor(rng, settings.gain_spread_range, changed)
        if settings.load_spread:
            spread = settings.load_spread * rng.random((self.batch, 1)) * changed
            self._payload_factor = self._payload_factor * self._tensor(
                np.exp(spread * rng.normal(size=shape))
            )
            self._work_factor = self._work_factor * self._tensor(np.exp(spread * rng.normal(size=shape)))
        if settings.sync_weight_range is not None:
            own = np.zeros((self.batch, 1)) + self.given.sync_weight_per_ms
            drawn = self._factor(rng, settings.sync_weight_range, changed)
            self._sync_weight = torch.where(
                self._tensor(changed.astype(float)) > 0, drawn, self._tensor(own)
            )[:, 0]
        ranges = settings.server_factor_range, settings.device_factor_range, settings.energy_factor_range
        first, second, third = (self._factor(rng, each, changed) for each in ranges)
        return first, second, third

    def _spread_out(self, gain: Tensor, mean: Tensor) -> tuple[Tensor, Tensor]:
        """The gains, and what they fade around, with another spread."""
        if self.settings.gain_spread_range == (1.0, 1.0):
            return gain, mean
        most, power = mean.amax((1, 2), keepdim=True), self._gain_spread[:, :, None]
        wide = torch.where(mean > 0, most * (mean / most) ** power, 0.0)
        return torch.where(mean > 0, wide * gain / mean, 0.0), wide

    def _factor(
        self, rng: np.random.Generator, bounds: tuple[float, float], changed: NDArray[np.bool_]
    ) -> Tensor:
        """(B, 1) Log-uniform factors of the changed worlds, 1 for the others."""
        drawn = np.exp(rng.uniform(np.log(bounds[0]), np.log(bounds[1]), (self.batch, 1)))
        return self._tensor(np.where(changed, drawn, 1.0))

    def _uniform(self, *shape: int) -> Tensor:
        return torch.rand(shape, generator=self._generator, dtype=self._dtype, device=self._generator.device)

    def _tensor(self, values: NDArray[np.float64]) -> Tensor:
        return torch.as_tensor(values, dtype=self._dtype, device=self._generator.device)
