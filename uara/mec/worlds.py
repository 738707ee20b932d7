"""The slotted world as pure functions on tensors: a batch of worlds of one size steps at once, on CPU or CUDA.

Every tensor's first axis is the batch B; M devices, E servers. Times are in milliseconds.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, fields, replace
from typing import Any, Self

import torch
from torch import Tensor

from uara.mec.slots import BATTERY_FLOOR
from uara.p1.schema import Parameters


@dataclass(frozen=True)
class Tensors:
    """Base of the records of tensors below."""

    def to(self, device: str | torch.device) -> Self:
        """The same on another device."""
        return self.map(lambda tensor: tensor.to(device))

    def map(self, function: Any) -> Self:
        """Apply a function to every tensor."""
        return type(self)(**{field.name: function(getattr(self, field.name)) for field in fields(self)})

    def __getitem__(self, index: Any) -> Self:
        """Some worlds of the batch."""
        return self.map(lambda tensor: tensor[index])


@dataclass(frozen=True)
class Fleet(Tensors):
    """What does not change from slot to slot."""

    device_flop_per_s: Tensor
    """(B, M) F_i."""
    tx_power_w: Tensor
    """(B, M) P_i."""
    battery_capacity_j: Tensor
    """(B, M) Energy of the full battery."""
    server_flop_per_s: Tensor
    """(B, E) F_j."""
    bandwidth_hz: Tensor
    """(B, E) W_j."""
    energy_weight_ms_per_j: Tensor
    """(B,) w."""


@dataclass(frozen=True)
class State(Tensors):
    """What changes from slot to slot."""

    power_gain: Tensor
    """(B, M, E) h_ij^2; 0 where there is no path."""
    mean_gain: Tensor
    """(B, M, E) What the gains of this episode fade around."""
    battery_fraction: Tensor
    """(B, M) B_i."""
    backlog_flop: Tensor
    """(B, E) Work that waits at each server."""
    upload_bits: Tensor
    """(B, M) d_i."""
    device_flop: Tensor
    """(B, M) f_i^MD."""
    server_flop: Tensor
    """(B, M) f_i^ES."""


@dataclass(frozen=True)
class Slot(Tensors):
    """P1 of one slot in numbers, as :class:`uara.p1.dense.Dense`, but batched and in PyTorch."""

    uplink_ms: Tensor
    """(B, M, E) c_ij; infinite where there is no path."""
    band_cost_ms: Tensor
    """(B, M, E) a_ij."""
    local_ms: Tensor
    """(B, M) D_i^MD."""
    server_flop: Tensor
    """(B, M) f_i^ES."""
    flop_per_ms: Tensor
    """(B, E) F_j."""
    wait_ms: Tensor
    """(B, E) k_j kappa."""
    battery_fraction: Tensor
    """(B, M) B_i."""
    sync_weight_per_ms: Tensor
    """(B,) lambda."""


@dataclass(frozen=True)
class StepOutcome(Tensors):
    """What a decision costs, device by device."""

    cost_ms: Tensor
    """(B, M) Controllable part of P1's objective; its sum over the devices is the slot's."""
    latency_ms: Tensor
    """(B, M) max(D_i, c_ij / y_ij) + D_ij^ES."""
    energy_j: Tensor
    """(B, M) E_i^CP + E_i^CM."""


def slot_of(fleet: Fleet, state: State, given: Parameters) -> Slot:
    """P1's coefficients: eqs. (5)-(8), term by term as in :mod:`uara.p1.coefficients`."""
    noise_w = 10 ** (given.noise_psd_dbm_per_hz / 10) * 1e-3 * fleet.bandwidth_hz[:, None, :]
    ratio = state.power_gain * fleet.tx_power_w[:, :, None] / noise_w
    rate_bit_per_s = fleet.bandwidth_hz[:, None, :] * torch.log1p(ratio) / math.log(2)
    per_joule = fleet.energy_weight_ms_per_j[:, None] * fleet.tx_power_w / state.battery_fraction
    band_mhz = fleet.bandwidth_hz[:, None, :] / 1e6
    slots = torch.ceil(state.backlog_flop / (fleet.server_flop_per_s * given.queue_slot_ms / 1e3))
    return Slot(
        uplink_ms=state.upload_bits[:, :, None] / rate_bit_per_s * 1e3,
        band_cost_ms=per_joule[:, :, None] * given.uplink_energy_j_per_mhz_w * band_mhz,
        local_ms=state.device_flop / fleet.device_flop_per_s * 1e3,
        server_flop=state.server_flop,
        flop_per_ms=fleet.server_flop_per_s / 1e3,
        wait_ms=slots * given.queue_slot_ms,
        battery_fraction=state.battery_fraction,
        sync_weight_per_ms=torch.full_like(fleet.energy_weight_ms_per_j, given.sync_weight_per_ms),
    )


def served(pairs: Tensor, association: Tensor) -> Tensor:
    """(B, M) The entry of each device's own server, from (B, M, E)."""
    return pairs.gather(2, association[:, :, None])[:, :, 0]


def at_server(values: Tensor, association: Tensor) -> Tensor:
    """(B, M) The value of each device's server, from (B, E)."""
    return values.gather(1, association)


def sum_by_server(values: Tensor, association: Tensor, servers: int) -> Tensor:
    """(B, E) Sums of (B, M) over the devices of each server."""
    zero = torch.zeros(values.shape[0], servers, dtype=values.dtype, device=values.device)
    return zero.scatter_add(1, association, values)


def shares(
    band_weight: Tensor, compute_weight: Tensor, association: Tensor, servers: int
) -> tuple[Tensor, Tensor]:
    """Y and Z (B, M) from the weights (B, M) of the served pairs, renormalised over each server's devices.

    A band weight is the share that is wanted, and is scaled down only where a server's wishes exceed its
    band: above y = c/D both terms of P1 grow, so an optimal server may leave band idle. Compute is shared
    out whole. The budgets (4) and (7) hold for all positive weights.
    """
    wanted = sum_by_server(band_weight, association, servers).clamp(min=1.0)
    total = sum_by_server(compute_weight, association, servers)
    return band_weight / at_server(wanted, association), compute_weight / at_server(total, association)


def outcome(
    fleet: Fleet,
    state: State,
    slot: Slot,
    given: Parameters,
    association: Tensor,
    band: Tensor,
    compute: Tensor,
) -> StepOutcome:
    """Score shares (B, M) under an association (B, M); differentiable in the shares."""
    uplink_ms = served(slot.uplink_ms, association) / band
    remote_ms = at_server(slot.wait_ms, association) + slot.server_flop / (
        compute * at_server(slot.flop_per_ms, association)
    )
    band_mhz = band * at_server(fleet.bandwidth_hz, association) / 1e6
    sending_j = given.uplink_energy_j_per_mhz_w * band_mhz * fleet.tx_power_w
    return StepOutcome(
        cost_ms=device_costs(slot, association, band, compute),
        latency_ms=torch.maximum(slot.local_ms, uplink_ms) + remote_ms,
        energy_j=state.device_flop / given.device_efficiency_flop_per_j + sending_j,
    )


def device_costs(slot: Slot, association: Tensor, band: Tensor, compute: Tensor) -> Tensor:
    """(B, M) Controllable part of P1's objective, device by device."""
    return sum(cost_terms(slot, association, band, compute), torch.zeros_like(band))


def cost_terms(
    slot: Slot, association: Tensor, band: Tensor, compute: Tensor
) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Its terms, (B, M) each: queue, server compute, synchronisation, uplink energy."""
    gap_ms = slot.local_ms - served(slot.uplink_ms, association) / band
    return (
        at_server(slot.wait_ms, association),
        slot.server_flop / (compute * at_server(slot.flop_per_ms, association)),
        slot.sync_weight_per_ms[:, None] * gap_ms**2,
        served(slot.band_cost_ms, association) * band,
    )


def advance(fleet: Fleet, state: State, given: Parameters, association: Tensor, energy_j: Tensor) -> State:
    """Batteries and queues at the end of the slot; gains and tasks are the next slot's to draw.

    A battery falls by E_i of its capacity. A server works off F_j tau of what waited and what came.
    """
    came = sum_by_server(state.server_flop, association, state.backlog_flop.shape[1])
    done = fleet.server_flop_per_s * (given.slot_ms / 1e3)
    battery = state.battery_fraction - energy_j / fleet.battery_capacity_j
    return replace(
        state,
        battery_fraction=battery.clamp(min=BATTERY_FLOOR),
        backlog_flop=(state.backlog_flop + came - done).clamp(min=0.0),
    )


def constant_costs(fleet: Fleet, state: State, given: Parameters) -> Tensor:
    """(B, M) D_i^MD + w E_i^CP / B_i: the part of P1's objective that no decision touches."""
    computing_j = state.device_flop / given.device_efficiency_flop_per_j
    weight = fleet.energy_weight_ms_per_j[:, None] / state.battery_fraction
    return state.device_flop / fleet.device_flop_per_s * 1e3 + weight * computing_j


def uniform_costs(slot: Slot, association: Tensor) -> Tensor:
    """(B, M) Controllable costs where every server shares band and compute equally among its devices."""
    ones = torch.ones_like(slot.local_ms)
    band, compute = shares(ones, ones, association, slot.flop_per_ms.shape[1])
    return device_costs(slot, association, band, compute)


def random_uniform_cost(slot: Slot, generator: torch.Generator, draws: int = 4) -> Tensor:
    """(B,) Controllable objective of the paper's Random baseline with uniform shares, mean of some draws."""
    usable = torch.isfinite(slot.uplink_ms)
    batch, devices, servers = usable.shape
    flat = usable.reshape(-1, servers).to(slot.local_ms.dtype)
    picks = torch.multinomial(flat, draws, replacement=True, generator=generator)
    parts = picks.reshape(batch, devices, draws).unbind(2)
    return torch.stack([uniform_costs(slot, pick).sum(1) for pick in parts]).mean(0)
