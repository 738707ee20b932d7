"""Phones and servers that instances are drawn from (Table I of the paper names the hardware)."""

from __future__ import annotations

from dataclasses import dataclass

JOULES_PER_WATT_HOUR = 3600.0


@dataclass(frozen=True)
class Phone:
    """A mobile device: peak single-precision speed of its GPU, and its full battery."""

    model: str
    compute_flop_per_s: float
    battery_capacity_j: float


@dataclass(frozen=True)
class Accelerator:
    """An edge server's GPU: peak single-precision speed."""

    model: str
    compute_flop_per_s: float


# Speeds and batteries: M. Kim et al., "Distributed Task Offloading and Resource Allocation for Latency
# Minimization in Mobile Edge Computing Networks", IEEE Trans. Mobile Comput. 23 (2024), with its public code.
GALAXY_S23 = Phone("Samsung Galaxy S23", 3.681e12, 15.1 * JOULES_PER_WATT_HOUR)
IPHONE_14 = Phone("Apple iPhone 14", 2.0e12, 12.7 * JOULES_PER_WATT_HOUR)
MATE_60 = Phone("Huawei Mate 60", 2.06e12, 18.4 * JOULES_PER_WATT_HOUR)

RTX_2080 = Accelerator("NVIDIA RTX 2080", 11.2e12)
RTX_3090 = Accelerator("NVIDIA RTX 3090", 35.6e12)
RTX_4090 = Accelerator("NVIDIA RTX 4090", 82.9e12)

PHONES = (GALAXY_S23, IPHONE_14, MATE_60)
ACCELERATORS = (RTX_2080, RTX_3090, RTX_4090)
