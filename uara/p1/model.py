"""Problem P1 in numbers: eqs. (5)-(8), the objective, feasibility, and the evaluator.

The readings of the paper that are taken here, each with its reason, are listed in ``docs/model.md``.
All times are in milliseconds, all energies in joules.
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from pydantic import Field

from uara.base.errors import InputError
from uara.base.files import Record, validate
from uara.base.quantities import Floats, Indices
from uara.base.scores import FEASIBILITY_TOLERANCE, Violation, finite
from uara.p1.instance import Instance
from uara.p1.queueing import whole_slots

MS_PER_S = 1e3
HZ_PER_MHZ = 1e6


@dataclass(frozen=True, eq=False)
class Coefficients:
    """P1 reduced to what its decisions touch; M devices, E servers, K usable pairs.

    A device ``i`` that holds the shares ``y`` of the band and ``z`` of the compute of server ``j`` costs
    ``wait_ms[j] + server_flop[i] / (z * flop_per_ms[j])
    + sync_weight_per_ms * (local_ms[i] - uplink_ms[ij] / y) ** 2 + band_cost_ms[ij] * y``.
    """

    pair_start: Indices
    """(M + 1,) Device i owns the pairs ``pair_start[i]:pair_start[i + 1]``."""
    pair_server: Indices
    """(K,) Server of each pair."""
    uplink_ms: Floats
    """(K,) c_ij = d_i / (W_j log2(1 + SNR_ij)): uplink delay with the whole band, eq. (5)."""
    band_cost_ms: Floats
    """(K,) a_ij = w delta_CM W_j P_i / B_i: weighted energy of sending on the whole band, eq. (8)."""
    local_ms: Floats
    """(M,) D_i^MD: delay of the device's own computation, eq. (6)."""
    server_flop: Floats
    """(M,) f_i^ES."""
    flop_per_ms: Floats
    """(E,) F_j."""
    wait_ms: Floats
    """(E,) k_j kappa: delay before the server begins, eq. (6)."""
    sync_weight_per_ms: float
    """lambda."""
    constant_ms: float
    """The part of the objective that no decision touches: sum of D_i^MD + w E_i^CP / B_i."""

    def pairs_of(self, association: Indices) -> Indices:
        """(M,) Index of each device's pair with its server; -1 where that pair is not usable."""
        servers = len(self.flop_per_ms)
        devices = len(self.local_ms)
        keys = np.repeat(np.arange(devices), np.diff(self.pair_start)) * servers + self.pair_server
        wanted = np.arange(devices) * servers + association
        place = np.minimum(np.searchsorted(keys, wanted), len(keys) - 1)
        inside = (association >= 0) & (association < servers)
        return np.where(inside & (keys[place] == wanted), place, -1)


def uplink_rates_bit_per_s(instance: Instance) -> Floats:
    """(K,) Rate of each usable pair with the server's whole band: W_j log2(1 + SNR_ij), eq. (5)."""
    channel = instance.channel
    band = instance.servers.bandwidth_hz[channel.pair_server]
    return np.asarray(band * np.log1p(snr(instance)) / np.log(2))


def snr(instance: Instance) -> Floats:
    """(K,) Signal-to-noise ratio of each usable pair; the noise fills the server's whole band, eq. (5)."""
    channel = instance.channel
    noise_w_per_hz = 10 ** (instance.parameters.noise_psd_dbm_per_hz / 10) * 1e-3
    noise_w = noise_w_per_hz * instance.servers.bandwidth_hz[channel.pair_server]
    return np.asarray(channel.power_gain * instance.devices.tx_power_w[channel.pair_device] / noise_w)


def queue_slots(instance: Instance) -> Floats:
    """(E,) k_j = ceil(backlog_j / (F_j kappa)), eq. (6)."""
    servers = instance.servers
    return whole_slots(servers.backlog_flop, servers.compute_flop_per_s, instance.parameters.queue_slot_ms)


def coefficients(instance: Instance) -> Coefficients:
    """The numbers that P1's decisions meet (computed once per instance, then kept).

    Raises
    ------
    InputError
        If a listed pair is so weak that its rate is zero in double precision.
    """
    kept = instance.__dict__.get("_coefficients")
    if kept is None:
        kept = _coefficients(instance)
        instance.__dict__["_coefficients"] = kept
    return kept


def _coefficients(instance: Instance) -> Coefficients:
    devices, servers, given = instance.devices, instance.servers, instance.parameters
    device, server = instance.channel.pair_device, instance.channel.pair_server
    with np.errstate(divide="ignore", over="ignore"):
        uplink_ms = devices.upload_bits[device] / uplink_rates_bit_per_s(instance) * MS_PER_S
    if not (uplink_ms < 1e60).all():
        weak = int(np.argmin(uplink_ms < 1e60))
        raise InputError(
            "so weak that the rate is zero; give 0 for a pair without a path",
            path=f"$.channel.power_gain[{device[weak]}][{server[weak]}]",
        )
    band_mhz = servers.bandwidth_hz[server] / HZ_PER_MHZ
    power_per_battery_w = devices.tx_power_w[device] / devices.battery_fraction[device]
    local_ms = devices.device_flop / devices.compute_flop_per_s * MS_PER_S
    computing_j = devices.device_flop / given.device_efficiency_flop_per_j
    weighted_ms = given.energy_weight_ms_per_j * computing_j / devices.battery_fraction
    result = Coefficients(
        pair_start=instance.channel.pair_start,
        pair_server=server,
        uplink_ms=uplink_ms,
        band_cost_ms=given.energy_weight_ms_per_j
        * given.uplink_energy_j_per_mhz_w
        * band_mhz
        * power_per_battery_w,
        local_ms=local_ms,
        server_flop=devices.server_flop,
        flop_per_ms=servers.compute_flop_per_s / MS_PER_S,
        wait_ms=queue_slots(instance) * given.queue_slot_ms,
        sync_weight_per_ms=given.sync_weight_per_ms,
        constant_ms=float(np.sum(local_ms + weighted_ms)),
    )
    for field in dataclasses.fields(result):
        value = getattr(result, field.name)
        if isinstance(value, np.ndarray):
            value.flags.writeable = False
    return result


class AllocationRecord(Record):
    """An allocation as files hold it."""

    association: list[Annotated[int, Field(ge=0, le=2**31 - 1)]]
    bandwidth: list[float]
    compute: list[float]


@dataclass(frozen=True, eq=False)
class Allocation:
    """A decision of P1: association X, bandwidth shares Y and compute shares Z.

    Parameters
    ----------
    association
        (M,) Index of the server that serves each device.
    bandwidth
        (M,) y_ij of that server's band, in (0, 1].
    compute
        (M,) z_ij of that server's compute, in (0, 1].
    """

    association: Indices
    bandwidth: Floats
    compute: Floats

    def __post_init__(self) -> None:
        for name, dtype in (("association", np.int64), ("bandwidth", np.float64), ("compute", np.float64)):
            object.__setattr__(self, name, _vector(getattr(self, name), dtype, name))
        lengths = {name: len(getattr(self, name)) for name in ("association", "bandwidth", "compute")}
        if len(set(lengths.values())) != 1:
            raise InputError(f"lengths differ: {lengths}", source="allocation")

    @classmethod
    def from_plain(cls, plain: dict[str, Any]) -> Allocation:
        """From the data of :meth:`to_plain`; raises :class:`InputError` if it is something else."""
        record = validate(plain, AllocationRecord, path="$.decision")
        return cls(record.association, record.bandwidth, record.compute)  # type: ignore[arg-type]

    def to_plain(self) -> dict[str, Any]:
        """Plain data for JSON, in the order of the instance's devices."""
        return {
            "association": self.association.tolist(),
            "bandwidth": self.bandwidth.tolist(),
            "compute": self.compute.tolist(),
        }


def _vector(values: ArrayLike, dtype: Any, name: str) -> NDArray[Any]:
    try:
        array = np.asarray(values)
        if dtype is np.int64 and array.dtype.kind not in "iu":
            raise TypeError(f"found {array.dtype}")
        array = np.array(array, dtype=dtype)
    except (TypeError, ValueError, OverflowError) as error:
        raise InputError(
            f"not a vector of {dtype.__name__}: {error}", source="allocation", path=name
        ) from None
    if array.ndim != 1:
        raise InputError(f"has {array.ndim} dimensions, not 1", source="allocation", path=name)
    array.flags.writeable = False
    return array


@dataclass(frozen=True, eq=False)
class Evaluation:
    """The score of an allocation. All ``_ms`` vectors have one entry per device."""

    objective_ms: float
    """I of P1."""
    constant_ms: float
    """The part of it that no decision touches."""
    terms_ms: dict[str, float]
    """The objective's terms: local_compute, computing_energy, queue, server_compute, synchronisation, uplink_energy."""
    device_latency_ms: Floats
    """(M,) max(D_i^MD, d_i / R_i) + D_ij^ES: drafting and uplink overlap."""
    device_sequential_ms: Floats
    """(M,) D_i^MD + d_i / R_i + D_ij^ES."""
    device_energy_j: Floats
    """(M,) E_i^CP + E_i^CM of eq. (8)."""
    violations: tuple[Violation, ...]
    """Every violated constraint."""

    @property
    def controllable_ms(self) -> float:
        """I without its constant part: the terms that X, Y and Z touch, summed on their own."""
        return sum(
            self.terms_ms[name] for name in ("queue", "server_compute", "synchronisation", "uplink_energy")
        )

    @property
    def feasible(self) -> bool:
        """Whether every constraint of P1 holds, and the objective is finite."""
        return not self.violations

    @property
    def latency_ms(self) -> dict[str, float]:
        """Mean and 95th percentile of the overlapped end-to-end latency."""
        return _summary(self.device_latency_ms)

    @property
    def sequential_ms(self) -> dict[str, float]:
        """Mean and 95th percentile of the latency without overlap."""
        return _summary(self.device_sequential_ms)

    @property
    def energy_j(self) -> float:
        """Energy of all devices."""
        return float(np.sum(self.device_energy_j))

    def to_plain(self) -> dict[str, Any]:
        """The score as plain data for JSON; infinite values become None."""
        return {
            "objective": finite(self.objective_ms),
            "controllable": finite(self.controllable_ms),
            "constant": self.constant_ms,
            "terms_ms": {name: finite(value) for name, value in self.terms_ms.items()},
            "latency_ms": {name: finite(value) for name, value in self.latency_ms.items()},
            "sequential_ms": {name: finite(value) for name, value in self.sequential_ms.items()},
            "energy_j": finite(self.energy_j),
            "feasible": self.feasible,
            "violations": [
                {"constraint": item.constraint, "where": item.where, "amount": finite(item.amount)}
                for item in self.violations
            ],
        }


def _summary(values: Floats) -> dict[str, float]:
    if not np.isfinite(values).all():
        return {"mean": float("inf"), "p95": float("inf")}
    return {"mean": float(np.mean(values)), "p95": float(np.percentile(values, 95))}


def evaluate(instance: Instance, allocation: Allocation) -> Evaluation:
    """Score an allocation: P1's objective, its terms, latency, energy and feasibility.

    Raises
    ------
    InputError
        If the allocation is for another number of devices.

    Notes
    -----
    Equations (5)-(8) and P1 of Koh and Yang. An infeasible allocation is scored too; a device without
    a usable server, without band or without compute has infinite delay.
    """
    numbers = coefficients(instance)
    devices = len(instance.devices)
    if len(allocation.association) != devices:
        raise InputError(
            f"is for {len(allocation.association)} devices, but {instance.name} has {devices}",
            source="allocation",
        )
    pair = numbers.pairs_of(allocation.association)
    usable = pair >= 0
    server = np.where(usable, allocation.association, 0)
    band, compute = allocation.bandwidth, allocation.compute
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        uplink_ms = np.where(usable & (band > 0), numbers.uplink_ms[pair] / band, np.inf)
        remote_ms = np.where(
            usable & (compute > 0), numbers.server_flop / (compute * numbers.flop_per_ms[server]), np.inf
        )
        wait_ms = np.where(usable, numbers.wait_ms[server], np.inf)
        gap_ms = (numbers.local_ms - uplink_ms) ** 2 if numbers.sync_weight_per_ms > 0 else np.zeros(devices)
        sending_j = _sending_j(instance, np.where(usable, band, 0.0), server)
        computing_j = instance.devices.device_flop / instance.parameters.device_efficiency_flop_per_j
        weight = instance.parameters.energy_weight_ms_per_j / instance.devices.battery_fraction
        terms = {
            "local_compute": numbers.local_ms,
            "computing_energy": weight * computing_j,
            "queue": wait_ms,
            "server_compute": remote_ms,
            "synchronisation": numbers.sync_weight_per_ms * gap_ms,
            "uplink_energy": weight * sending_j,
        }
        totals = {name: float(np.sum(values)) for name, values in terms.items()}
        violations = _violations(instance, allocation, usable)
        if not violations and not np.isfinite(sum(totals.values())):
            costs = np.sum(list(terms.values()), axis=0)
            where = instance.devices.id[int(np.argmax(costs))]
            violations = [Violation("finite objective", where, float("inf"))]
        return Evaluation(
            objective_ms=sum(totals.values()),
            constant_ms=numbers.constant_ms,
            terms_ms=totals,
            device_latency_ms=np.maximum(numbers.local_ms, uplink_ms) + wait_ms + remote_ms,
            device_sequential_ms=numbers.local_ms + uplink_ms + wait_ms + remote_ms,
            device_energy_j=computing_j + sending_j,
            violations=tuple(violations),
        )


def _sending_j(instance: Instance, band: Floats, server: Indices) -> Floats:
    """(M,) E_i^CM of eq. (8)."""
    band_mhz = band * instance.servers.bandwidth_hz[server] / HZ_PER_MHZ
    per_mhz_w = instance.parameters.uplink_energy_j_per_mhz_w
    return np.asarray(per_mhz_w * band_mhz * instance.devices.tx_power_w)


def _violations(instance: Instance, allocation: Allocation, usable: NDArray[np.bool_]) -> list[Violation]:
    """Constraints (3), (4) and (7), in this order."""
    names = instance.devices.id
    found = [Violation("(3) one usable server per device", names[i], 1.0) for i in np.flatnonzero(~usable)]
    for label, shares in (("(4) bandwidth", allocation.bandwidth), ("(7) compute", allocation.compute)):
        for i in np.flatnonzero(~(shares > 0)):
            found.append(Violation(f"{label} share above 0", names[i], float(-shares[i])))
        for i in np.flatnonzero(shares > 1 + FEASIBILITY_TOLERANCE):
            found.append(Violation(f"{label} share at most 1", names[i], float(shares[i] - 1)))
        sums = np.bincount(
            allocation.association[usable], weights=shares[usable], minlength=len(instance.servers)
        )
        for j in np.flatnonzero(sums > 1 + FEASIBILITY_TOLERANCE):
            found.append(Violation(f"{label} budget", instance.servers.id[j], float(sums[j] - 1)))
    return found


def load(path: str | Path) -> Instance:
    """Read an instance file that can be computed with.

    Raises
    ------
    InputError
        As :meth:`uara.Instance.load` does, and where a listed pair's rate is zero.
    """
    instance = Instance.load(path)
    try:
        coefficients(instance)
    except InputError as error:
        raise error.in_source(str(path)) from None
    return instance


def parse_decision(instance: Instance, plain: dict[str, Any]) -> Allocation:
    """An allocation for an instance from the plain data of a solution file."""
    allocation = Allocation.from_plain(plain)
    if len(allocation.association) != len(instance.devices):
        raise InputError(
            f"{len(allocation.association)} entries, but there are {len(instance.devices)} devices",
            path="$.decision.association",
        )
    return allocation


def check_start(instance: Instance, start: object) -> None:
    """Refuse a start that names what is not there: solvers index by it in compiled code, without checks.

    Its shares may break their budgets; a solver that goes on from it looks at the association.

    Raises
    ------
    InputError
        For another number of devices, a server that is none, or a pair without a path.
    """
    if not isinstance(start, Allocation):
        raise InputError(f"is {type(start).__name__}, not an Allocation", source="start")
    devices, association = instance.devices.id, start.association
    if len(association) != len(devices):
        raise InputError(
            f"is for {len(association)} devices, but {instance.name} has {len(devices)}", source="start"
        )
    lost = np.flatnonzero(coefficients(instance).pairs_of(association) < 0)
    if len(lost):
        server, count = int(association[lost[0]]), len(instance.servers)
        reason = "has no path to it" if 0 <= server < count else f"the servers are 0 to {count - 1}"
        raise InputError(f"puts device {devices[lost[0]]} on server {server}: {reason}", source="start")
