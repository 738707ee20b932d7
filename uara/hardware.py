"""Facts of hardware: phones and GPUs, each number with its source. Every other table of the toolkit reads this one."""

from __future__ import annotations

from dataclasses import dataclass, field

JOULES_PER_WATT_HOUR = 3600.0

KIM_2024 = (
    'M. Kim et al., "Distributed Task Offloading and Resource Allocation for Latency Minimization in Mobile Edge '
    "Computing Networks\", IEEE Trans. Mobile Comput. 23 (2024), with its public code; the paper's reference [17]"
)
"""Speeds and batteries of Table I of the paper, which names the hardware."""
DATA_SHEET = "data sheet of the maker"

Fact = tuple[float, str]
"""A number, and where it comes from."""


@dataclass(frozen=True)
class Hardware:
    """A phone or a GPU.

    Attributes
    ----------
    name
        What command lines call it.
    model
        What instances and readers call it.
    compute_flop_per_s
        Peak single-precision speed.
    memory_byte_per_s
        Peak memory bandwidth; None where no source says it.
    memory_bytes
        Memory for weights and caches; None where nothing asks for it.
    battery_capacity_j
        Energy of the full battery; None without one.
    sources
        Where each number comes from, by its field.
    """

    name: str
    model: str
    compute_flop_per_s: float
    memory_byte_per_s: float | None = None
    memory_bytes: float | None = None
    battery_capacity_j: float | None = None
    sources: dict[str, str] = field(default_factory=dict)


def _hardware(
    name: str,
    model: str,
    compute_flop_per_s: Fact,
    memory_byte_per_s: Fact | None = None,
    memory_bytes: Fact | None = None,
    **more: Fact,
) -> Hardware:
    facts = {"compute_flop_per_s": compute_flop_per_s, **more}
    optional = {"memory_byte_per_s": memory_byte_per_s, "memory_bytes": memory_bytes}
    facts |= {key: fact for key, fact in optional.items() if fact is not None}
    values, sources = ({key: fact[place] for key, fact in facts.items()} for place in (0, 1))
    return Hardware(name, model, **values, sources=sources)  # type: ignore[arg-type]


GALAXY_S23 = _hardware(
    "galaxy-s23",
    "Samsung Galaxy S23",
    (3.681e12, KIM_2024),
    (67.2e9, "64 bit of LPDDR5X-8400"),
    battery_capacity_j=(15.1 * JOULES_PER_WATT_HOUR, KIM_2024),
)
IPHONE_14 = _hardware(
    "iphone-14",
    "Apple iPhone 14",
    (2.0e12, KIM_2024),
    (34.1e9, "64 bit of LPDDR4X-4266"),
    battery_capacity_j=(12.7 * JOULES_PER_WATT_HOUR, KIM_2024),
)
MATE_60 = _hardware(
    "mate-60",
    "Huawei Mate 60",
    (2.06e12, KIM_2024),
    battery_capacity_j=(18.4 * JOULES_PER_WATT_HOUR, KIM_2024),
)

RTX_2080 = _hardware(
    "rtx-2080", "NVIDIA RTX 2080", (11.2e12, KIM_2024), (448e9, "256 bit at 14 Gbit/s"), (8e9, DATA_SHEET)
)
RTX_3090 = _hardware(
    "rtx-3090", "NVIDIA RTX 3090", (35.6e12, KIM_2024), (936e9, "384 bit at 19.5 Gbit/s"), (24e9, DATA_SHEET)
)
RTX_4090 = _hardware(
    "rtx-4090", "NVIDIA RTX 4090", (82.9e12, KIM_2024), (1008e9, "384 bit at 21 Gbit/s"), (24e9, DATA_SHEET)
)
RTX_4080 = _hardware(
    "rtx-4080", "NVIDIA RTX 4080", (48.74e12, DATA_SHEET), (717e9, DATA_SHEET), (16e9, DATA_SHEET)
)
RTX_A6000 = _hardware(
    "rtx-a6000", "NVIDIA RTX A6000", (38.71e12, DATA_SHEET), (768e9, DATA_SHEET), (48e9, DATA_SHEET)
)
RTX_3080 = _hardware(
    "rtx-3080", "NVIDIA RTX 3080", (29.77e12, DATA_SHEET), (760e9, DATA_SHEET), (10e9, DATA_SHEET)
)
RTX_4500_ADA = _hardware(
    "rtx-4500-ada", "NVIDIA RTX 4500 Ada", (39.6e12, DATA_SHEET), (432e9, DATA_SHEET), (24e9, DATA_SHEET)
)

PHONES = (GALAXY_S23, IPHONE_14, MATE_60)
"""The mobile devices of Table I."""
ACCELERATORS = (RTX_2080, RTX_3090, RTX_4090)
"""The edge servers of Table I."""
NODES = (RTX_3080, RTX_4500_ADA)
"""The two edge nodes of the batched, pipelined system."""
GPUS = (*ACCELERATORS, *NODES, RTX_4080, RTX_A6000)
"""All GPUs whose memory is known."""
BATTERY_CAPACITY_J = tuple(each.battery_capacity_j or 0.0 for each in PHONES)
"""Full batteries of :data:`PHONES`, in their order."""

TX_POWER_DBM = (16.0, 24.0)
"""Transmission powers P_i are uniform in dBm over this range (Table I)."""
BATTERY_FRACTION = (0.05, 1.0)
"""Remaining batteries B_i are uniform over this range: P1 divides by them, and none is quite empty."""
OWN_WORK_S = 0.1
"""A server has uniformly 0 to this many seconds of work of its own: k_j of 0 to 10 slots of 10 ms."""
UPLINK_BAND_HZ = 10e6
"""W of Table I, divided equally among the servers."""
ENERGY_WEIGHT_MS_PER_J = (20.0, 100.0)
"""w of P1 in the paper's figures (Table I)."""
