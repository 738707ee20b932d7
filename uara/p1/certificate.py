"""Checking answers with nothing but NumPy: the lower bound of a certificate, and the objective.

This file shares no code with the solvers and is written to be read, not to be fast. The bound
(derivation in ``docs/model.md``, section 3): for ANY prices p >= 0 of compute and mu >= 0 of band,

    sum_i min_j [ wait_j + p_j s_i + psi_ij(mu_j) ] - sum_j ( p_j^2 F_j / 4 + mu_j )  +  constant
    s_i = sqrt(f_i^ES),   psi_ij(mu) = min over 0 < y <= 1 of  lambda (D_i - c_ij / y)^2 + (a_ij + mu) y

is at most the objective of every feasible allocation of P1, whatever the prices are.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, Literal, Protocol

import numpy as np
from numpy.typing import ArrayLike, NDArray

from uara.base.columnar import FloatColumn, column, columnar
from uara.base.errors import InputError
from uara.base.files import Record, validate
from uara.base.quantities import Floats
from uara.p1.instance import Instance
from uara.p1.queueing import whole_slots
from uara.p1.rounding import exact_gap_ms, lost_gaps, working_weight

ROUNDING = 2.0**-48
"""Part of a sum of doubles by which rounding may have moved it: sixteen times their last place."""


_BLOCK = 8192


class Proof(Protocol):
    """What proves a lower bound on P1: prices, or a tree of them (:mod:`uara.p1.branches`)."""

    def prove(self, instance: Instance) -> float:
        """The bound, in ms, constant part included; minus infinity where nothing is proven."""

    def to_plain(self) -> dict[str, Any]:
        """Plain data for JSON."""


class PricesRecord(Record):
    """A certificate as files hold it."""

    kind: Literal["prices"]
    compute_price: list[float]
    bandwidth_price: list[float]


def refusal(problem: str, path: str | None = None) -> InputError:
    """What is wrong with a certificate, or with a part of it."""
    return InputError(problem, source="certificate", path=path)


@columnar
class Certificate:
    """Prices that prove a lower bound: 2 E numbers.

    Parameters
    ----------
    compute_price
        (E,) p_j in ms per square root of a FLOP: congestion price of the compute of each server.
    bandwidth_price
        (E,) mu_j in ms: price of the whole band of each server.
    """

    compute_price: FloatColumn = column()
    bandwidth_price: FloatColumn = column()

    def __post_init__(self) -> None:
        for name in ("compute_price", "bandwidth_price"):
            prices = np.array(getattr(self, name), dtype=float)
            if prices.ndim != 1 or not np.isfinite(prices).all() or (prices < 0).any():
                raise refusal("must be finite prices of at least 0", name)
            prices.flags.writeable = False
            object.__setattr__(self, name, prices)
        if len(self.compute_price) != len(self.bandwidth_price):
            raise refusal("must have one entry a server, as compute_price", name)

    @classmethod
    def from_plain(cls, plain: dict[str, Any]) -> Certificate:
        """From the data of :meth:`to_plain`; raises :class:`InputError` if it is something else."""
        record = validate(plain, PricesRecord, path="$.certificate")
        return cls(record.compute_price, record.bandwidth_price)

    def prove(self, instance: Instance) -> float:
        """The lower bound on P1's objective, in ms, that these prices prove."""
        return priced(instance, self.compute_price, self.bandwidth_price)[0]

    def to_plain(self) -> dict[str, Any]:
        """Plain data for JSON."""
        return {
            "kind": "prices",
            "compute_price": self.compute_price.tolist(),
            "bandwidth_price": self.bandwidth_price.tolist(),
        }


@dataclass(frozen=True, eq=False)
class Numbers:
    """What bounds need of an instance, computed here and not by the solvers; milliseconds."""

    constant_ms: float
    """The part of the objective that no decision touches."""
    local_ms: Floats
    root_flop: Floats
    """(M,) D_i, and s_i = sqrt(f_i)."""
    wait_ms: Floats
    flop_per_ms: Floats
    """(E,)"""
    uplink_ms: Floats
    band_cost_ms: Floats
    """(K,) c_ij and a_ij."""
    sync_weight_per_ms: float
    """lambda, or less: see :func:`uara.p1.rounding.working_weight`."""


def numbers_of(instance: Instance) -> Numbers:
    """Quantities of each device, each server and each usable pair."""
    servers, devices, given = instance.servers, instance.devices, instance.parameters
    local_ms = devices.device_flop / devices.compute_flop_per_s * 1e3
    computing_j = devices.device_flop / given.device_efficiency_flop_per_j
    constant_ms = np.sum(local_ms + given.energy_weight_ms_per_j * computing_j / devices.battery_fraction)
    slots = whole_slots(servers.backlog_flop, servers.compute_flop_per_s, given.queue_slot_ms)

    i, j = instance.channel.pair_device, instance.channel.pair_server
    noise_w = 10 ** (given.noise_psd_dbm_per_hz / 10) / 1e3 * servers.bandwidth_hz[j]
    signal_to_noise = instance.channel.power_gain * devices.tx_power_w[i] / noise_w
    rate_bit_per_s = servers.bandwidth_hz[j] * np.log1p(signal_to_noise) / np.log(2)
    band_energy_j = given.uplink_energy_j_per_mhz_w * servers.bandwidth_hz[j] / 1e6 * devices.tx_power_w[i]
    flop_per_ms = servers.compute_flop_per_s / 1e3
    uplink_ms = devices.upload_bits[i] / rate_bit_per_s * 1e3
    return Numbers(
        constant_ms=float(constant_ms),
        local_ms=local_ms,
        root_flop=np.sqrt(devices.server_flop),
        wait_ms=slots * given.queue_slot_ms,
        flop_per_ms=flop_per_ms,
        uplink_ms=uplink_ms,
        band_cost_ms=given.energy_weight_ms_per_j * band_energy_j / devices.battery_fraction[i],
        sync_weight_per_ms=working_weight(
            given.sync_weight_per_ms, local_ms, uplink_ms, devices.server_flop, flop_per_ms
        ),
    )


@np.errstate(all="ignore")
def priced(
    instance: Instance, price: Floats, band_price: Floats, allowed: NDArray[np.bool_] | None = None
) -> tuple[float, Floats]:
    """The bound at some prices when devices may use the allowed pairs alone.

    Parameters
    ----------
    price, band_price
        (E,) p_j and mu_j of at least 0.
    allowed
        (K,) Which of the instance's pairs may be used; each device has one at least. All by default.

    Returns
    -------
    bound_ms
        A lower bound on P1's objective, constant part included, less what rounding may have added; minus
        infinity where the numbers leave double precision.
    excess_ms
        (K,) By how much a pair costs its device more than its cheapest pair: the bound rises by this much
        if the device must use the pair. Infinite for a pair that is not allowed.
    """
    servers, devices = instance.servers, instance.devices
    if len(price) != len(servers) or len(band_price) != len(servers):
        raise refusal(f"must hold {len(servers)} prices of each kind")
    listed = np.arange(len(instance.channel.pair_server)) if allowed is None else np.flatnonzero(allowed)

    numbers = numbers_of(instance)
    i, j = instance.channel.pair_device[listed], instance.channel.pair_server[listed]

    # What the best server would cost each device at these prices.
    band_cost_ms = numbers.band_cost_ms[listed] + band_price[j]
    band_ms = np.empty(len(listed))
    # What one pair costs hangs on no other; a block stays in the cache.
    for first in range(0, len(listed), _BLOCK):
        part = slice(first, first + _BLOCK)
        band_ms[part] = least_band_cost(
            numbers.local_ms[i[part]],
            numbers.uplink_ms[listed[part]],
            band_cost_ms[part],
            numbers.sync_weight_per_ms,
        )
    pair_ms = numbers.wait_ms[j] + price[j] * numbers.root_flop[i] + band_ms
    cheapest_ms = np.full(len(devices), np.inf)
    np.minimum.at(cheapest_ms, i, pair_ms)
    excess_ms = np.full(len(instance.channel.pair_server), np.inf)
    excess_ms[listed] = pair_ms - cheapest_ms[i]

    rent_ms = price**2 * numbers.flop_per_ms / 4 + band_price
    cost_ms, rents_ms = numbers.constant_ms + np.sum(cheapest_ms), np.sum(rent_ms)
    bound_ms = float(cost_ms - rents_ms - ROUNDING * (cost_ms + rents_ms))
    if not np.isfinite(bound_ms):
        return -np.inf, np.zeros_like(excess_ms)
    return bound_ms, excess_ms


@np.errstate(all="ignore")
def least_band_cost(local_ms: Floats, uplink_ms: Floats, cost_ms: Floats, sync_weight: float) -> Floats:
    """psi: the minimum over 0 < y <= 1 of ``sync_weight (local - uplink / y)^2 + cost y``, pair by pair.

    The minimum lies at y <= most = min(1, uplink / local), where the function h is convex: it is nowhere below
    its tangents. So ANY y gives the lower bound h(y) + min(-h'(y) y, h'(y) (most - y)); bisection finds a good y.
    Where a number leaves double precision, 0 is the bound.
    """
    if sync_weight == 0:
        return np.zeros_like(cost_ms)  # the infimum, as y goes to 0

    def slope_at(y: Floats) -> Floats:
        return np.asarray(2 * sync_weight * (local_ms - uplink_ms / y) * uplink_ms / y**2 + cost_ms)

    most = high = np.minimum(1.0, uplink_ms / local_ms)
    # Where the derivative at y vanishes, u = 1/y solves u^2 (u - D/c) = cost / (2 lambda c^2), so that
    # u <= D/c + cbrt(cost / (2 lambda c^2)).
    low = 1.0 / (local_ms / uplink_ms + np.cbrt(cost_ms / (2 * sync_weight * uplink_ms**2)))
    low = np.minimum(low, high)
    for _ in range(100):
        y = (low + high) / 2
        slope = slope_at(y)
        low, high = np.where(slope < 0, y, low), np.where(slope < 0, high, y)
    value = sync_weight * (local_ms - uplink_ms / high) ** 2 + cost_ms * high
    slope = slope_at(high)
    value = (value + np.minimum(-slope * high, slope * (most - high))) * (1 - 1e-12)
    return np.where(np.isfinite(value), np.maximum(value, 0.0), 0.0)


@np.errstate(all="ignore")
def objective_parts(
    instance: Instance, association: ArrayLike, bandwidth: ArrayLike, compute: ArrayLike
) -> tuple[float, float, list[str]]:
    """P1's objective in ms, device by device in plain Python, in two parts, and the constraints that are broken.

    The first part is what no decision touches, the second the rest, each summed on its own. The second is infinite if
    constraints are broken; an objective that leaves double precision is one of them.
    """
    servers, devices, given = instance.servers, instance.devices, instance.parameters
    channel = instance.channel
    slots = whole_slots(servers.backlog_flop, servers.compute_flop_per_s, given.queue_slot_ms)
    chosen, share_y, share_z = (np.asarray(values).tolist() for values in (association, bandwidth, compute))
    broken: list[str] = []
    used_y, used_z = [0.0] * len(servers), [0.0] * len(servers)
    constant_ms: list[float] = []
    controllable_ms: list[float] = []
    for i, (j, y, z) in enumerate(zip(chosen, share_y, share_z, strict=True)):
        name = devices.id[i]
        local_ms = devices.device_flop[i] / devices.compute_flop_per_s[i] * 1e3
        computing_j = devices.device_flop[i] / given.device_efficiency_flop_per_j
        weight = given.energy_weight_ms_per_j / devices.battery_fraction[i]
        constant_ms.append(float(local_ms + weight * computing_j))
        first, last = channel.pair_start[i], channel.pair_start[i + 1]
        pair = first + int(np.searchsorted(channel.pair_server[first:last], j))
        if pair == last or channel.pair_server[pair] != j:
            broken.append(f"(3) {name} has no usable server")
            continue
        if not (0 < y <= 1 + 1e-9 and 0 < z <= 1 + 1e-9):
            broken.append(f"(4), (7) a share of {name} is not in (0, 1]")
            continue
        used_y[j] += y
        used_z[j] += z
        noise_w = 10 ** (given.noise_psd_dbm_per_hz / 10) / 1e3 * servers.bandwidth_hz[j]
        spectral = np.log1p(channel.power_gain[pair] * devices.tx_power_w[i] / noise_w) / np.log(2)
        uplink_ms = devices.upload_bits[i] / (y * servers.bandwidth_hz[j] * spectral) * 1e3
        speed = servers.compute_flop_per_s[j]
        remote_ms = slots[j] * given.queue_slot_ms + devices.server_flop[i] / (z * speed) * 1e3
        sending_j = (
            given.uplink_energy_j_per_mhz_w * y * servers.bandwidth_hz[j] / 1e6 * devices.tx_power_w[i]
        )
        gap_ms = local_ms - uplink_ms if given.sync_weight_per_ms > 0 else 0.0
        own_ms = float(remote_ms + given.sync_weight_per_ms * gap_ms**2 + weight * sending_j)
        if len(lost_gaps(given.sync_weight_per_ms, *np.array([[local_ms], [uplink_ms], [own_ms]]))):
            gap_ms = exact_gap_ms(instance, i, pair, y)
            own_ms = float(remote_ms + given.sync_weight_per_ms * gap_ms**2 + weight * sending_j)
        if not math.isfinite(own_ms):
            broken.append(f"{name} adds no finite number to the objective")
        controllable_ms.append(own_ms)
    for j, (used_of_y, used_of_z) in enumerate(zip(used_y, used_z, strict=True)):
        if used_of_y > 1 + 1e-9:
            broken.append(f"(4) the band of {servers.id[j]} is shared out to {used_of_y}")
        if used_of_z > 1 + 1e-9:
            broken.append(f"(7) the compute of {servers.id[j]} is shared out to {used_of_z}")
    if not broken and not math.isfinite(sum(controllable_ms)):
        broken.append("the objective is not finite")
    return math.fsum(constant_ms), math.inf if broken else math.fsum(controllable_ms), broken


def score_again(instance: Instance, decision: Any) -> tuple[float, float, list[str]]:
    """The whole objective, its controllable part, and the constraints that are broken, which make both infinite."""
    shares = (decision.association, decision.bandwidth, decision.compute)
    constant_ms, controllable_ms, broken = objective_parts(instance, *shares)
    return constant_ms + controllable_ms, controllable_ms, broken
