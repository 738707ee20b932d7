"""Instances for the tests: seeded synthetic ones, and hypothesis strategies over every regime."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import numpy as np
from hypothesis import strategies as st

from uara import Channel, Devices, Instance, Parameters, Servers


def make_instance(
    devices: int = 12,
    servers: int = 3,
    seed: int = 0,
    *,
    payload: float = 1.0,
    missing: float = 0.1,
    queue: bool = True,
    name: str = "synthetic",
    **parameters: Any,
) -> Instance:
    """Path loss over a square with shadowing, catalogue-like speeds, and tasks of an LLM's size.

    ``payload`` scales the bits to send, ``missing`` is the part of the pairs without a path.
    """
    rng = np.random.default_rng(seed)
    side_m = 150 * np.sqrt(servers)
    server_m, device_m = rng.uniform(0, side_m, (servers, 3)), rng.uniform(0, side_m, (devices, 3))
    server_m[:, 2], device_m[:, 2] = 10.0, 1.5
    distance_m = np.linalg.norm(device_m[:, None] - server_m[None], axis=2)
    loss_db = 35.3 * np.log10(distance_m) + 33.4 + rng.normal(0, 7.8, distance_m.shape)
    gain = 10 ** (-loss_db / 10)
    gain[rng.random(gain.shape) < missing] = 0.0
    nearest = distance_m.argmin(axis=1)
    gain[np.arange(devices), nearest] = np.maximum(gain[np.arange(devices), nearest], 1e-12)
    speed = rng.choice([11.2e12, 35.6e12, 82.9e12], servers)
    tokens = rng.uniform(60, 300, devices)
    return Instance(
        name,
        Servers(
            [f"s{j}" for j in range(servers)],
            speed,
            np.full(servers, 10e6 / servers),
            speed * rng.integers(0, 3, servers) * 0.008 if queue else np.zeros(servers),
            position_m=server_m,
        ),
        Devices(
            [f"d{i}" for i in range(devices)],
            rng.choice([3.681e12, 2.0e12, 2.06e12], devices) * 0.3,
            10 ** (rng.uniform(16, 24, devices) / 10) / 1e3,
            rng.uniform(0.05, 1, devices),
            tokens * 48 * payload,
            tokens * 3.6e8,
            tokens * 1.25e10,
            task=list(rng.choice(["code", "summary", "chat"], devices)),
            position_m=device_m,
        ),
        Channel.from_dense(gain),
        Parameters(**parameters),
    )


@st.composite
def instances(draw: st.DrawFn, max_devices: int = 6, max_servers: int = 3) -> Instance:
    """Small instances of every regime: starved band, empty queues, w = 0, lambda = 0, one server."""
    return make_instance(
        draw(st.integers(1, max_devices)),
        draw(st.integers(1, max_servers)),
        draw(st.integers(0, 2**32 - 1)),
        payload=draw(st.sampled_from([0.01, 1.0, 50.0, 2000.0])),
        missing=draw(st.sampled_from([0.0, 0.3])),
        queue=draw(st.booleans()),
        sync_weight_per_ms=draw(st.sampled_from([0.0, 1e-4, 1e-2, 1.0])),
        energy_weight_ms_per_j=draw(st.sampled_from([0.0, 20.0, 100.0, 1e5])),
    )


def random_association(instance: Instance, seed: int = 0) -> np.ndarray[Any, Any]:
    """(M,) A usable server of each device, drawn at random."""
    rng = np.random.default_rng(seed)
    start, server = instance.channel.pair_start, instance.channel.pair_server
    return np.array([rng.choice(server[a:b]) for a, b in pairwise(start)])
