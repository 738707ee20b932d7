"""An answer of P1 as tables: who is served by which server with which shares, and how full the servers are."""

from __future__ import annotations

from typing import Any

import numpy as np

from uara.p1 import worth
from uara.p1.certificate import Certificate
from uara.p1.coefficients import coefficients, queue_slots, snr
from uara.p1.decision import Allocation
from uara.p1.device_prices import DevicePrices
from uara.p1.instance import Instance
from uara.p1.model import evaluate
from uara.problem import Columns

COLUMNS = (
    "device", "server", "band_share", "compute_share", "rate_bit_per_s", "snr_db",
    "local_ms", "uplink_ms", "queue_ms", "server_ms", "latency_ms", "energy_j",
)  # fmt: skip
"""Columns of the table of devices, which is what files hold."""


def file_columns() -> tuple[str, ...]:
    """See ``uara.problem.Kind.file_columns``."""
    return COLUMNS


def tables(instance: Instance, decision: Allocation, certificate: Any = None) -> dict[str, Columns]:
    """The tables ``devices`` and ``servers`` of an answer, column by column, units in the names.

    Parameters
    ----------
    certificate
        The proof of its bound, whose prices become columns of the servers.
    """
    return {"devices": devices(instance, decision), "servers": servers(instance, decision, certificate)}


def devices(instance: Instance, decision: Allocation) -> Columns:
    """A row for each device; equations (5), (6) and (8). Without a usable server or a share, delays are infinite."""
    numbers, score = coefficients(instance), evaluate(instance, decision)
    pair = numbers.pairs_of(decision.association)
    usable = pair >= 0
    own = np.where(usable, pair, numbers.start[:-1])
    with np.errstate(divide="ignore", invalid="ignore"):
        whole_bit_per_s = instance.devices.upload_bits / numbers.uplink_ms[own] * 1e3
        rate_bit_per_s = np.where(usable, decision.bandwidth * whole_bit_per_s, 0.0)
        uplink_ms = np.where(usable, numbers.uplink_ms[own] / decision.bandwidth, np.inf)
        remote_ms = np.where(
            usable, numbers.work[own] / (decision.compute * numbers.work_per_ms[numbers.server[own]]), np.inf
        )
        snr_db = np.where(usable, 10 * np.log10(snr(instance)[own]), -np.inf)
    ids = instance.servers.id
    at = [ids[j] if fine else "" for j, fine in zip(decision.association, usable, strict=True)]
    values: tuple[Any, ...] = (
        list(instance.devices.id),
        at,
        decision.bandwidth,
        decision.compute,
        rate_bit_per_s,  # R_ij, eq. (5)
        snr_db,
        numbers.local_ms[own],  # D_i^MD, eq. (6)
        uplink_ms,  # d_i / R_ij
        np.where(usable, numbers.wait_ms[own], np.inf),
        remote_ms,  # f_i^ES / (z_ij F_j), eq. (6)
        score.device_latency_ms,
        score.device_energy_j,  # eq. (8)
    )
    return {
        name: each.tolist() if isinstance(each, np.ndarray) else each
        for name, each in zip(COLUMNS, values, strict=True)
    }


def servers(instance: Instance, decision: Allocation, certificate: Any = None) -> Columns:
    """A row for each server: what it is asked for, and what its compute and band are worth.

    Notes
    -----
    ``saved_by_1_mhz_ms`` and ``saved_by_1_tflop_per_s_ms`` say by how much the objective falls if this server alone had
    1 MHz or 1 TFLOP/s more, with the same association and the best shares before and after (:mod:`uara.p1.worth`).
    The prices are those of the certificate; device prices hold none of compute and several of band, of which the one
    that binds at the root for the devices served here is shown.
    """
    numbers, count = coefficients(instance), len(instance.servers)
    pair = numbers.pairs_of(decision.association)
    usable = pair >= 0
    at, own = decision.association[usable], pair[usable]
    latency_ms = evaluate(instance, decision).device_latency_ms[usable]

    def total(values: Any) -> Any:
        return np.bincount(at, weights=values, minlength=count)

    served = np.bincount(at, minlength=count)
    with np.errstate(divide="ignore", invalid="ignore"):
        mean_ms = np.where(served > 0, total(latency_ms) / served, 0.0)
    found: Columns = {
        "server": list(instance.servers.id),
        "devices": served.tolist(),
        "band_used": total(decision.bandwidth[usable]).tolist(),
        "compute_used": total(decision.compute[usable]).tolist(),
        "work_flop": total(instance.devices.server_flop[usable]).tolist(),
        "work_ms": (total(numbers.work[own]) / numbers.work_per_ms).tolist(),
        "queue_ms": (queue_slots(instance) * instance.parameters.queue_slot_ms).tolist(),
        "mean_latency_ms": mean_ms.tolist(),
    }
    if usable.all():
        found["saved_by_1_mhz_ms"] = worth.of_band(instance, decision.association).tolist()
        found["saved_by_1_tflop_per_s_ms"] = worth.of_compute(instance, decision.association).tolist()
    if isinstance(certificate, Certificate) and len(certificate.compute_price) == count:
        found["compute_price_ms_per_root_flop"] = certificate.compute_price.tolist()
        found["band_price_ms"] = certificate.bandwidth_price.tolist()
    if isinstance(certificate, DevicePrices) and usable.all():
        found["band_price_ms"] = worth.band_prices(instance, decision.association, certificate).tolist()
    return found
