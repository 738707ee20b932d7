"""What tells instances of P1 apart, and what is measured of an answer beyond its score."""

from __future__ import annotations

import numpy as np

from uara.p1.decision import Allocation
from uara.p1.instance import Instance
from uara.p1.model import Evaluation, evaluate
from uara.problem import Feature

LOW_BATTERY = 0.2
HIGH_BATTERY = 0.8
"""Fig. 6 of the paper tells devices with B_i <= 0.2 from devices with B_i >= 0.8."""


def features(instance: Instance) -> dict[str, Feature]:
    """Sizes, weights and the channel model."""
    given = instance.parameters
    return {
        "devices": float(len(instance.devices)),
        "servers": float(len(instance.servers)),
        "pairs": float(len(instance.channel.pair_server)),
        "energy_weight_ms_per_j": given.energy_weight_ms_per_j,
        "sync_weight_per_ms": given.sync_weight_per_ms,
        "channel_model": instance.provenance.channel_model,
    }


def measures(instance: Instance, decision: Allocation, score: Evaluation) -> dict[str, float]:
    """Latency without overlap, the objective with optimal shares, and the two battery classes of Fig. 6."""
    from uara.p1.allocation import allocate

    best = evaluate(instance, allocate(instance, decision.association, "optimal"))
    found = {
        "optimal_shares_ms": best.objective_ms,
        "sequential_mean_ms": score.sequential_ms["mean"],
        "sequential_p95_ms": score.sequential_ms["p95"],
        **{f"term_{name}_ms": value for name, value in score.terms_ms.items()},
    }
    battery = instance.devices.battery_fraction
    for name, members in (("low", battery <= LOW_BATTERY), ("high", battery >= HIGH_BATTERY)):
        if members.any():
            found[f"{name}_battery_latency_ms"] = float(np.mean(score.device_latency_ms[members]))
            found[f"{name}_battery_energy_j"] = float(np.mean(score.device_energy_j[members]))
    return found
