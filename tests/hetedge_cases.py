"""Seeded instances of the batched system in every regime: starved uplinks, tight memory, uneven nodes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from uara.solvers.hetedge.anneal import DRAWS
from uara.solvers.hetedge.search import Choices, Programme
from uara.solvers.hetedge.sequence import Sequence, plan_of, sequence_of, walk
from uara.solvers.hetedge.service import Service, service_of

from uara.base.quantities import Floats
from uara.hetedge import bandwidth
from uara.hetedge.instance import HetEdge, Requests
from uara.hetedge.plan import Plan
from uara.hetedge.schema import Link, Node, Parameters, Transformer
from uara.problem import evaluate


def make_hetedge(requests: int = 6, seed: int = 0, *, drafts: bool = True, **parameters: Any) -> HetEdge:
    """A random instance: models, nodes, link, band and memory differ from seed to seed."""
    rng = np.random.default_rng(seed)

    def model(name: str, layers: int, width: int) -> Transformer:
        return Transformer(
            name=name,
            layers=layers,
            hidden_width=width,
            feed_forward_width=4 * width,
            cache_width=width,
            vocabulary_tokens=2000,
            parameters=12 * layers * width**2,
            count_read_out=bool(rng.random() < 0.5),
        )

    small, large = model("small", 4, 256), model("large", 16, 1024)

    def node(name: str, holds: Transformer) -> Node:
        room = 2 * 150 * holds.cache_bytes_per_token * float(rng.uniform(2, 8))
        return Node(
            model=name,
            compute_flop_per_s=float(10 ** rng.uniform(11, 13)),
            memory_bytes_per_s=float(10 ** rng.uniform(10, 11.5)),
            memory_bytes=holds.weight_bytes + room,
            pass_overhead_ms=float(rng.choice([0.0, 0.5])),
        )

    given = {
        "bandwidth_hz": float(10 ** rng.uniform(4, 6)),
        "largest_batch": int(rng.integers(2, 6)),
        "longest_speculation": 3,
        "noise_band": str(rng.choice(["whole", "share"])),
        **parameters,
    }
    return HetEdge(
        f"random{seed}",
        Requests(
            tuple(f"r{k}" for k in range(requests)),
            rng.integers(5, 120, requests),
            rng.integers(4, 40, requests),
            rng.uniform(0, 0.95, requests),
            rng.uniform(0, 8000, requests) * (rng.random(requests) < 0.9),
            10 ** rng.uniform(-2, -0.7, requests),
            10 ** rng.uniform(-12, -8, requests),
            ready_ms=rng.uniform(0, 50, requests) if rng.random() < 0.3 else None,
        ),
        draft_node=node("weak", small) if drafts else None,
        draft_model=small if drafts else None,
        target_node=node("strong", large),
        target_model=large,
        link=Link(rate_bit_per_s=float(10 ** rng.uniform(8, 10)), latency_ms=float(rng.uniform(0, 1))),
        parameters=Parameters(**given),
    )


def planned(instance: HetEdge, seed: int) -> Plan:
    """The best plan of a random order."""
    order = np.random.default_rng(seed).permutation(len(instance.requests))
    return Programme(instance, order, Choices.everything(instance)).best(bandwidth.min_max(instance))[0]


def given_shares(instance: HetEdge, plan: Plan) -> Service:
    """The tables for annealing with the band shares of a plan."""
    release_ms = instance.ready_ms + bandwidth.upload_ms(instance, plan.bandwidth)
    lengths = Choices.everything(instance).lengths
    return service_of(
        instance, lengths, pairs=True, release_ms=release_ms, airtime_ms=np.zeros(len(release_ms))
    )


Change = Callable[[Service, Sequence, float, float, Floats], float]
"""One try of a change of a sequence of batches: the total latency afterwards, in ms."""


def check_change(change: Change, seed: int, count: int) -> None:
    """A change that may cost anything leaves a plan worth what is said; one that may not is put back whole."""
    instance = make_hetedge(count, seed)
    plan = planned(instance, seed)
    service = given_shares(instance, plan)
    found = sequence_of(service, plan)
    value_ms = walk(service, found, 0, np.inf)
    rng = np.random.default_rng(seed)
    for _ in range(20):
        before = plan_of(service, found, plan.bandwidth).to_plain()
        draw = rng.random(DRAWS)
        assert change(service, found, value_ms, -1.0, draw) == value_ms
        assert plan_of(service, found, plan.bandwidth).to_plain() == before
        value_ms = change(service, found, value_ms, np.inf, draw)
        score = evaluate(instance, plan_of(service, found, plan.bandwidth))
        assert score.feasible
        assert score.objective_ms == pytest.approx(value_ms, rel=1e-10)
