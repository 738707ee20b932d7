"""A run on the smallest instance before the clock starts: machine code is loaded for the very types of a real run."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any

import numpy as np

from uara.base.files import Record
from uara.p1.instance import Channel, Devices, Instance, Servers
from uara.p1.smallest import smallest_instance
from uara.solver import Context


@cache
def knotty_instance() -> Instance:
    """Twelve devices at three servers, which 2E prices and one row of device prices leave open."""
    rng = np.random.default_rng(3)
    servers = Servers(["a", "b", "c"], [1e13, 2e13, 3e13], [5e6, 5e6, 5e6], [0.0, 1e11, 2e11])
    devices = Devices(
        [str(i) for i in range(12)],
        rng.uniform(1e12, 2e12, 12),
        np.full(12, 0.1),
        np.ones(12),
        rng.uniform(1e3, 9e3, 12),
        rng.uniform(5e10, 9e10, 12),
        rng.uniform(1e12, 5e12, 12),
    )
    gain = 10 ** rng.uniform(-11, -9, (12, 3))
    return Instance("knotty", servers, devices, Channel.from_dense(gain))


def rehearse(
    function: Callable[[Instance, Context[Any]], object], options: Record, instance: Instance | None = None
) -> None:
    """Run a solver on a small instance, the smallest by default."""
    instance = smallest_instance() if instance is None else instance
    function(instance, Context(instance, options))
