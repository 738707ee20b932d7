"""P1 device by device in plain Python: the twin of ``uara.p1.model.evaluate``, written from the equations.

Nothing is shared with the package but the data of the instance. Milliseconds, joules, milliwatts where the
decibels say so; equation numbers are those of Koh and Yang.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

TOLERANCE = 1e-9


@dataclass
class Score:
    objective_ms: float
    controllable_ms: float
    constant_ms: float
    terms_ms: dict[str, float]
    latency_ms: list[float]
    sequential_ms: list[float]
    energy_j: list[float]
    violations: list[tuple[str, str, float]]


def gain_of(instance: Any, i: int, j: int) -> float:
    """h_ij^2, or 0 where the pair has no path."""
    channel = instance.channel
    for pair in range(int(channel.pair_start[i]), int(channel.pair_start[i + 1])):
        if int(channel.pair_server[pair]) == j:
            return float(channel.power_gain[pair])
    return 0.0


def rate_bit_per_s(instance: Any, i: int, j: int) -> float:
    """Eq. (5) with the whole band, the noise filling that band."""
    band_hz = float(instance.servers.bandwidth_hz[j])
    noise_mw = 10 ** (instance.parameters.noise_psd_dbm_per_hz / 10) * band_hz
    received_mw = gain_of(instance, i, j) * float(instance.devices.tx_power_w[i]) * 1000
    return band_hz * math.log1p(received_mw / noise_mw) / math.log(2)


def evaluate(instance: Any, association: Any, bandwidth: Any, compute: Any) -> Score:
    """Eqs. (5)-(8), the objective of P1 and its constraints, one device after the other."""
    given, servers, devices = instance.parameters, instance.servers, instance.devices
    kappa_ms, weight = given.queue_slot_ms, given.energy_weight_ms_per_j
    terms: dict[str, list[float]] = {
        name: []
        for name in (
            "local_compute",
            "computing_energy",
            "queue",
            "server_compute",
            "synchronisation",
            "uplink_energy",
        )
    }
    latency, sequential, energy = [], [], []
    served = [False] * len(devices.id)
    for i in range(len(devices.id)):
        j, y, z = int(association[i]), float(bandwidth[i]), float(compute[i])
        served[i] = 0 <= j < len(servers.id) and gain_of(instance, i, j) > 0
        local_ms = float(devices.device_flop[i]) / float(devices.compute_flop_per_s[i]) * 1000
        computing_j = float(devices.device_flop[i]) / given.device_efficiency_flop_per_j
        uplink_ms = queue_ms = remote_ms = math.inf
        sending_j = 0.0
        if served[i]:
            speed = float(servers.compute_flop_per_s[j])
            queue_ms = math.ceil(float(servers.backlog_flop[j]) / (speed * (kappa_ms / 1000))) * kappa_ms
            if y > 0:
                uplink_ms = float(devices.upload_bits[i]) / (y * rate_bit_per_s(instance, i, j)) * 1000
            if z > 0:
                remote_ms = float(devices.server_flop[i]) / (z * speed) * 1000
            band_mhz = float(servers.bandwidth_hz[j]) / 1e6
            sending_j = given.uplink_energy_j_per_mhz_w * y * band_mhz * float(devices.tx_power_w[i])
        per_joule = weight / float(devices.battery_fraction[i])
        terms["local_compute"].append(local_ms)
        terms["computing_energy"].append(per_joule * computing_j)
        terms["queue"].append(queue_ms)
        terms["server_compute"].append(remote_ms)
        lam = given.sync_weight_per_ms
        terms["synchronisation"].append(lam * (local_ms - uplink_ms) ** 2 if lam > 0 else 0.0)
        terms["uplink_energy"].append(per_joule * sending_j)
        latency.append(max(local_ms, uplink_ms) + queue_ms + remote_ms)
        sequential.append(local_ms + uplink_ms + queue_ms + remote_ms)
        energy.append(computing_j + sending_j)
    sums = {name: math.fsum(values) for name, values in terms.items()}
    constant = sums["local_compute"] + sums["computing_energy"]
    controllable = math.fsum(
        sums[name] for name in ("queue", "server_compute", "synchronisation", "uplink_energy")
    )
    return Score(
        constant + controllable,
        controllable,
        constant,
        sums,
        latency,
        sequential,
        energy,
        violations(instance, association, bandwidth, compute, served),
    )


def violations(
    instance: Any, association: Any, bandwidth: Any, compute: Any, served: list[bool]
) -> list[tuple[str, str, float]]:
    """(constraint, where, amount) of everything that is broken: eqs. (3), (4) and (7)."""
    names, places = instance.devices.id, instance.servers.id
    found = [("(3)", names[i], 1.0) for i in range(len(names)) if not served[i]]
    for label, shares in (("(4)", bandwidth), ("(7)", compute)):
        for i, share in enumerate(shares):
            if not share > 0:
                found.append((label, names[i], -float(share)))
            if share > 1 + TOLERANCE:
                found.append((label, names[i], float(share) - 1))
        for j in range(len(places)):
            total = math.fsum(
                float(shares[i]) for i in range(len(names)) if served[i] and int(association[i]) == j
            )
            if total > 1 + TOLERANCE:
                found.append((label, places[j], total - 1))
    return found


def mean_and_p95(values: list[float]) -> tuple[float, float]:
    """Mean, and the 95th percentile by linear interpolation between order statistics."""
    if any(math.isinf(value) for value in values):
        return math.inf, math.inf
    ordered = sorted(values)
    place = 0.95 * (len(ordered) - 1)
    low = math.floor(place)
    high = min(low + 1, len(ordered) - 1)
    return math.fsum(values) / len(values), ordered[low] + (place - low) * (ordered[high] - ordered[low])
