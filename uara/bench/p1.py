"""P1 in the harness: what tells its instances apart, and what is measured beyond the score."""

from __future__ import annotations

from typing import Any

import numpy as np

from uara.bench.kinds import Feature, Kind
from uara.instance import Instance
from uara.model import Allocation, Evaluation, evaluate
from uara.subset import subset

LOW_BATTERY = 0.2
HIGH_BATTERY = 0.8
"""Fig. 6 of the paper tells devices with B_i <= 0.2 from devices with B_i >= 0.8."""


def generate(**recipe: Any) -> Instance:
    """An instance from the fields of :class:`uara.recipe.Recipe` and a name."""
    from uara.recipe import generate

    return generate(**recipe)


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
    from uara.allocation import allocate

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


def load_kernels() -> None:
    """Load the compiled allocation, which most solvers and the scoring of their answers use."""
    from uara.allocation import allocate
    from uara.instance import Channel, Devices, Servers

    one = np.ones(2)
    servers = Servers(("a", "b"), one, one, one)
    devices = Devices(("a", "b"), one, one, one, one, one, one)
    smallest = Instance("smallest", servers, devices, Channel.from_dense(np.ones((2, 2))))
    allocate(smallest, np.zeros(2, dtype=np.int64), "optimal")


def pictures(instance: Instance, decision: Allocation) -> dict[str, str]:
    """The map and the load of each server; see :mod:`uara.bench.report.pictures`."""
    from uara.bench.report.pictures import pictures

    return pictures(instance, decision)


def trials() -> tuple[Instance, ...]:
    """See :mod:`uara.bench.p1_trials`."""
    from uara.bench.p1_trials import trials

    return trials()


def optimum(instance: Instance) -> Allocation:
    """See :mod:`uara.bench.p1_trials`."""
    from uara.bench.p1_trials import optimum

    return optimum(instance)


def large() -> Instance:
    """Twenty servers, 600 devices."""
    return generate(channel="path-loss", servers=20, devices=600, seed=1, name="large")


KIND = Kind(generate, subset, features, measures, pictures, trials, optimum, large)
