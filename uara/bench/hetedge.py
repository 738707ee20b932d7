"""The batched, pipelined system in the harness."""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np

from uara.bench.kinds import Feature, Kind
from uara.hetedge.evaluation import Evaluation
from uara.hetedge.generate import generate
from uara.hetedge.instance import HetEdge


def features(instance: HetEdge) -> dict[str, Feature]:
    """Requests, band and mean acceptance rate."""
    return {
        "requests": float(len(instance.requests)),
        "bandwidth_mhz": instance.parameters.bandwidth_hz / 1e6,
        "acceptance_rate": float(np.mean(instance.requests.acceptance_rate)),
        "channel_model": instance.provenance.channel_model,
    }


def measures(instance: HetEdge, decision: Any, score: Evaluation) -> dict[str, float]:
    """The makespan, and how busy the two nodes are."""
    busy = {f"{stage}_busy_fraction": score.busy_fraction(stage) for stage in ("draft", "verify")}
    return {"makespan_ms": score.makespan_ms, **busy}


@cache
def trials() -> tuple[HetEdge, ...]:
    """A few requests in different regimes."""
    return (
        small("usual", requests=5),
        small("one-request", requests=1),
        small("starved-band", requests=5, bandwidth_mhz=0.01),
        small("always-accepted", requests=4, acceptance=0.99),
        small("never-accepted", requests=4, acceptance=0.0),
        small("no-batches", requests=4, largest_batch=1),
    )


def small(name: str, **recipe: Any) -> HetEdge:
    """An instance that needs no Sionna."""
    return generate(channel="path-loss", seed=7, name=name, **recipe)


def large() -> HetEdge:
    """Two thousand requests."""
    return small("large", requests=2000)


KIND = Kind(generate=generate, features=features, measures=measures, trials=trials, large=large)
