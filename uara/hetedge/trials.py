"""Instances of the batched system to try solvers on: small ones in every regime, and a large one."""

from __future__ import annotations

from functools import cache
from typing import Any

from uara.hetedge.generate import generate
from uara.hetedge.instance import HetEdge


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
