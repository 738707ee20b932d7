"""The numbers of P1 as every computation reads them: by candidate, a device at a server that it can use.

One layout for all: compiled kernels take it as it is, since Numba accepts named tuples of arrays. Nothing that a
candidate costs is kept by device, so that loads may depend on the server, and a candidate may come to be a device
at a server in a mode.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from uara.base.errors import InputError
from uara.base.quantities import MS_PER_S, Floats, Indices
from uara.p1.instance import Instance
from uara.p1.queueing import whole_slots
from uara.p1.rounding import working_weight

HZ_PER_MHZ = 1e6
_LONGEST_MS = 1e60


class Coefficients(NamedTuple):
    """P1 reduced to what its decisions touch; M devices, E servers, K candidates, listed device by device.

    Candidate ``k``, a device at the server ``j = server[k]``, with the shares ``y`` of its band and ``z`` of its
    compute costs ``wait_ms[k] + work[k] / (z * work_per_ms[j])
    + sync_weight_per_ms * (local_ms[k] - uplink_ms[k] / y) ** 2 + band_cost_ms[k] * y``.
    """

    start: Indices
    """(M + 1,) Device i owns the candidates ``start[i]:start[i + 1]``."""
    device: Indices
    """(K,) Device of each candidate."""
    server: Indices
    """(K,) Server of each candidate, increasing within a device."""
    server_start: Indices
    """(E + 1,) Server j owns ``by_server[server_start[j]:server_start[j + 1]]``."""
    by_server: Indices
    """(K,) The candidates server by server, by increasing device."""
    uplink_ms: Floats
    """(K,) c_ij = d_i / (W_j log2(1 + SNR_ij)): uplink delay with the whole band, eq. (5)."""
    band_cost_ms: Floats
    """(K,) a_ij = w delta_CM W_j P_i / B_i: weighted energy of sending on the whole band, eq. (8)."""
    local_ms: Floats
    """(K,) D_i^MD: delay of the device's own computation, eq. (6)."""
    work: Floats
    """(K,) f_i^ES in units of ``work_flop``: what the server computes for the device."""
    root_work: Floats
    """(K,) s_i, the square root of ``work``; at most 1."""
    wait_ms: Floats
    """(K,) k_j kappa: delay before the server begins, eq. (6)."""
    work_per_ms: Floats
    """(E,) F_j in units of ``work_flop`` per ms."""
    sync_weight_per_ms: float
    """lambda, or what doubles can work with in its place: :func:`uara.p1.rounding.working_weight`."""
    constant_ms: float
    """The part of the objective that no decision touches: sum of D_i^MD + w E_i^CP / B_i."""
    work_flop: float
    """FLOP of a unit of work: the least power of four that no load exceeds.

    So the prices of ``root_work`` are of the size of milliseconds, and counting in units rounds nothing.
    """

    @property
    def devices(self) -> int:
        """Number of devices M."""
        return len(self.start) - 1

    @property
    def servers(self) -> int:
        """Number of servers E."""
        return len(self.work_per_ms)

    def pairs_of(self, association: Indices) -> Indices:
        """(M,) Each device's candidate with its server; -1 where it cannot use that server."""
        keys = self.device * self.servers + self.server
        wanted = np.arange(self.devices) * self.servers + association
        place = np.minimum(np.searchsorted(keys, wanted), len(keys) - 1)
        inside = (association >= 0) & (association < self.servers)
        return np.where(inside & (keys[place] == wanted), place, -1)

    def of_devices(self, values: Floats) -> Floats:
        """(M,) Values that are the same at all candidates of a device, from (K,)."""
        return values[self.start[:-1]]

    def restricted(self, keep: NDArray[np.bool_]) -> Coefficients:
        """The (K,) marked candidates alone; every device keeps at least one."""
        kept = np.concatenate([[0], np.cumsum(keep)])
        columns = ("device", "uplink_ms", "band_cost_ms", "local_ms", "work", "root_work", "wait_ms")
        return self.changed(
            **{name: getattr(self, name)[keep] for name in columns},
            **_rows(kept[self.start], self.server[keep], self.servers),
        )

    def changed(self, **columns: Any) -> Coefficients:
        """The same with other columns, which cannot be written: kernels are compiled for one type of array."""
        for value in columns.values():
            if isinstance(value, np.ndarray):
                value.flags.writeable = False
        return self._replace(**columns)

    def dense(self, values: Floats, missing: float) -> Floats:
        """(M, E) Values of the candidates, from (K,), with another value where there is no candidate."""
        table = np.full((self.devices, self.servers), missing)
        table[self.device, self.server] = values
        return table


def _rows(start: Indices, server: Indices, servers: int) -> dict[str, Indices]:
    by_server = np.argsort(server, kind="stable")
    server_start = np.searchsorted(server[by_server], np.arange(servers + 1))
    return {"start": start, "server": server, "server_start": server_start, "by_server": by_server}


def reordered(numbers: Coefficients, device: Indices, server: Indices) -> Coefficients:
    """The same problem with its devices and servers counted in another order.

    Parameters
    ----------
    device, server
        (M,) and (E,) The device and the server that is counted as the i-th and as the j-th.
    """
    place = np.empty(numbers.servers, dtype=np.int64)
    place[server] = np.arange(numbers.servers)
    rank = np.empty(numbers.devices, dtype=np.int64)
    rank[device] = np.arange(numbers.devices)
    count = np.diff(numbers.start)[device]
    start = np.concatenate([[0], np.cumsum(count)])
    order = np.argsort(rank[numbers.device] * numbers.servers + place[numbers.server])
    columns = ("uplink_ms", "band_cost_ms", "local_ms", "work", "root_work", "wait_ms")
    return numbers.changed(
        **{name: getattr(numbers, name)[order] for name in columns},
        **_rows(start, place[numbers.server[order]], numbers.servers),
        device=np.repeat(np.arange(numbers.devices), count),
        work_per_ms=numbers.work_per_ms[server],
    )


def by_candidate(
    start: Indices,
    server: Indices,
    *,
    pair: tuple[Floats, Floats],
    device: tuple[Floats, Floats],
    station: tuple[Floats, Floats],
    sync_weight_per_ms: float,
    constant_ms: float = 0.0,
) -> Coefficients:
    """Lay numbers of pairs, of devices and of servers out by candidate.

    Parameters
    ----------
    start, server
        (M + 1,) and (K,) as in :class:`Coefficients`.
    pair
        (K,) ``uplink_ms`` and ``band_cost_ms``.
    device
        (M,) ``local_ms``, and the load f_i^ES in FLOP.
    station
        (E,) Of the servers: F_j in FLOP per ms, and ``wait_ms``.
    """
    local_ms, flop = device
    flop_per_ms, wait_ms = station
    each = np.repeat(np.arange(len(start) - 1), np.diff(start))
    unit = float(4.0 ** np.ceil(0.5 * np.log2(flop.max())))
    result = Coefficients(
        **_rows(start, server, len(flop_per_ms)),
        device=each,
        uplink_ms=pair[0],
        band_cost_ms=pair[1],
        local_ms=local_ms[each],
        work=flop[each] / unit,
        root_work=np.sqrt(flop / unit)[each],
        wait_ms=wait_ms[server],
        work_per_ms=flop_per_ms / unit,
        sync_weight_per_ms=float(sync_weight_per_ms),
        constant_ms=constant_ms,
        work_flop=unit,
    )
    return result.changed(**result._asdict())


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


def best_snr_db(instance: Instance) -> Floats:
    """(M,) Signal-to-noise ratio of each device's strongest server, in dB."""
    return np.asarray(10 * np.log10(np.maximum.reduceat(snr(instance), instance.channel.pair_start[:-1])))


def queue_slots(instance: Instance) -> Floats:
    """(E,) k_j = ceil(backlog_j / (F_j kappa)), eq. (6)."""
    servers = instance.servers
    return whole_slots(servers.backlog_flop, servers.compute_flop_per_s, instance.parameters.queue_slot_ms)


def coefficients(instance: Instance) -> Coefficients:
    """The numbers that P1's decisions meet (computed once per instance, then kept; they cannot be written).

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
    if not (uplink_ms < _LONGEST_MS).all():
        weak = int(np.argmin(uplink_ms < _LONGEST_MS))
        raise InputError(
            "so weak that the rate is zero; give 0 for a pair without a path",
            path=f"$.channel.power_gain[{device[weak]}][{server[weak]}]",
        )
    band_mhz = servers.bandwidth_hz[server] / HZ_PER_MHZ
    power_per_battery_w = devices.tx_power_w[device] / devices.battery_fraction[device]
    per_mhz_ms = given.energy_weight_ms_per_j * given.uplink_energy_j_per_mhz_w
    local_ms = devices.device_flop / devices.compute_flop_per_s * MS_PER_S
    computing_j = devices.device_flop / given.device_efficiency_flop_per_j
    weighted_ms = given.energy_weight_ms_per_j * computing_j / devices.battery_fraction
    return by_candidate(
        instance.channel.pair_start,
        server,
        pair=(uplink_ms, per_mhz_ms * band_mhz * power_per_battery_w),
        device=(local_ms, devices.server_flop),
        station=(servers.compute_flop_per_s / MS_PER_S, queue_slots(instance) * given.queue_slot_ms),
        sync_weight_per_ms=working_weight(
            given.sync_weight_per_ms,
            local_ms,
            uplink_ms,
            devices.server_flop,
            servers.compute_flop_per_s / MS_PER_S,
        ),
        constant_ms=float(np.sum(local_ms + weighted_ms)),
    )
