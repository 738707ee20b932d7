"""Problem P1 scored: its objective, term by term, and its constraints.

The readings of the paper that are taken here, each with its reason, are listed in ``docs/model.md``.
All times are in milliseconds, all energies in joules.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from uara.base.errors import InputError, in_file
from uara.base.quantities import Floats, Indices
from uara.base.scores import FEASIBILITY_TOLERANCE, Violation, all_finite, finite, mean_and_p95
from uara.p1.coefficients import HZ_PER_MHZ
from uara.p1.coefficients import Coefficients as Coefficients
from uara.p1.coefficients import coefficients as coefficients
from uara.p1.decision import Allocation as Allocation
from uara.p1.instance import Instance
from uara.p1.rounding import exact_gap_ms, lost_gaps


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
        return mean_and_p95(self.device_latency_ms)

    @property
    def sequential_ms(self) -> dict[str, float]:
        """Mean and 95th percentile of the latency without overlap."""
        return mean_and_p95(self.device_sequential_ms)

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
            "terms_ms": all_finite(self.terms_ms),
            "latency_ms": all_finite(self.latency_ms),
            "sequential_ms": all_finite(self.sequential_ms),
            "energy_j": finite(self.energy_j),
            "feasible": self.feasible,
            "violations": [each.to_plain() for each in self.violations],
        }


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
    own = np.where(usable, pair, numbers.start[:-1])  # what a device does itself, it does under any server
    local_ms = numbers.local_ms[own]
    computing_j = instance.devices.device_flop / instance.parameters.device_efficiency_flop_per_j
    sending_j = _sending_j(instance, np.where(usable, band, 0.0), server)
    weight = instance.parameters.energy_weight_ms_per_j / instance.devices.battery_fraction
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        # d_i / R_i, with R_i = y_ij W_j log2(1 + SNR_ij), eq. (5)
        uplink_ms = np.where(usable & (band > 0), numbers.uplink_ms[own] / band, np.inf)
        wait_ms = np.where(usable, numbers.wait_ms[own], np.inf)
        remote_ms = np.where(
            usable & (compute > 0), numbers.work[own] / (compute * numbers.work_per_ms[server]), np.inf
        )
        given = instance.parameters.sync_weight_per_ms
        gap_ms = local_ms - uplink_ms if given > 0 else np.zeros(devices)
        own_ms = wait_ms + remote_ms + given * gap_ms**2 + weight * sending_j
        for i in lost_gaps(given, local_ms, uplink_ms, own_ms):
            gap_ms[i] = exact_gap_ms(instance, int(i), int(own[i]), float(band[i]))
        terms = {
            "local_compute": local_ms,  # D_i = f_i^MD / F_i, eq. (6)
            "computing_energy": weight * computing_j,  # w E_i^CP / B_i, eq. (8)
            "queue": wait_ms,  # k_j kappa, eq. (6)
            "server_compute": remote_ms,  # f_i^ES / (z_ij F_j), eq. (6)
            "synchronisation": given * gap_ms**2,  # lambda (D_i - d_i / R_i)^2, P1
            "uplink_energy": weight * sending_j,  # w E_i^CM / B_i, eq. (8)
        }
        totals = {name: float(np.sum(values)) for name, values in terms.items()}
        violations = _violations(instance, allocation, usable)
        if not violations and not np.isfinite(sum(totals.values())):
            costs = np.sum(list(terms.values()), axis=0)
            where = instance.devices.id[int(np.argmax(costs))]
            violations = [Violation("finite objective", where, float("inf"))]
        return Evaluation(
            objective_ms=sum(totals.values()),  # I of P1
            constant_ms=numbers.constant_ms,
            terms_ms=totals,
            device_latency_ms=np.maximum(local_ms, uplink_ms) + wait_ms + remote_ms,
            device_sequential_ms=local_ms + uplink_ms + wait_ms + remote_ms,
            device_energy_j=computing_j + sending_j,
            violations=tuple(violations),
        )


def _sending_j(instance: Instance, band: Floats, server: Indices) -> Floats:
    """(M,) E_i^CM = delta^CM y_ij W_j P_i of eq. (8)."""
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
    with in_file(path):
        coefficients(instance)
    return instance
