"""What tells instances of the batched system apart, and what is measured of a plan beyond its score."""

from __future__ import annotations

from typing import Any

import numpy as np

from uara.hetedge.evaluation import Evaluation
from uara.hetedge.instance import HetEdge
from uara.problem import Feature


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
    busy = {f"{stage}_busy_fraction": part for stage, part in score.busy_fractions().items()}
    return {"makespan_ms": score.makespan_ms, **busy}
