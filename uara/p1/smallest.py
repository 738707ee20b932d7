"""The smallest instance of P1: what compiled code is loaded with before a clock starts."""

from __future__ import annotations

from functools import cache

import numpy as np

from uara.p1.allocation import allocate
from uara.p1.instance import Channel, Devices, Instance, Servers


@cache
def smallest_instance() -> Instance:
    """Three devices at two servers, with numbers of the usual size."""
    servers = Servers(["a", "b"], [1e13, 3e13], [5e6, 5e6], [0.0, 1e11])
    devices = Devices(
        ["1", "2", "3"],
        compute_flop_per_s=[1e12, 2e12, 1e12],
        tx_power_w=[0.1, 0.2, 0.1],
        battery_fraction=[1.0, 1.0, 1.0],
        upload_bits=[4e3, 6e3, 5e3],
        device_flop=[6e10, 7e10, 8e10],
        server_flop=[2e12, 3e12, 4e12],
    )
    gain = [[1e-10, 3e-11], [2e-11, 1e-10], [1e-10, 1e-10]]
    return Instance("smallest", servers, devices, Channel.from_dense(gain))


@cache
def wide_instance() -> Instance:
    """As many devices as servers, more than whose curvature is formed: large networks run other compiled code."""
    count, rng = 80, np.random.default_rng(1)
    servers = Servers(
        [str(j) for j in range(count)], np.full(count, 1e13), np.full(count, 5e6), np.zeros(count)
    )
    devices = Devices(
        [str(i) for i in range(count)],
        compute_flop_per_s=rng.uniform(1e12, 2e12, count),
        tx_power_w=np.full(count, 0.1),
        battery_fraction=np.ones(count),
        upload_bits=rng.uniform(1e3, 9e3, count),
        device_flop=rng.uniform(5e10, 9e10, count),
        server_flop=rng.uniform(1e12, 5e12, count),
    )
    near = np.abs(np.subtract.outer(np.arange(count), np.arange(count))) <= 2
    return Instance(
        "wide", servers, devices, Channel.from_dense(near * 10 ** rng.uniform(-11, -9, near.shape))
    )


def load_kernels() -> None:
    """Load the compiled allocation, which most solvers and the scoring of their answers use."""
    instance = smallest_instance()
    allocate(instance, np.zeros(len(instance.devices), dtype=np.int64), "optimal")
