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
    """Fourteen devices at five servers, which 2E prices and one row of device prices leave open."""
    rng = np.random.default_rng(4)
    m, e = 14, 5
    servers = Servers(
        [str(j) for j in range(e)], rng.uniform(1e13, 3e13, e), np.full(e, 5e6), rng.uniform(0, 2e11, e)
    )
    devices = Devices(
        [str(i) for i in range(m)],
        rng.uniform(1e12, 2e12, m),
        np.full(m, 0.1),
        np.ones(m),
        rng.uniform(1e3, 9e3, m),
        rng.uniform(5e10, 9e10, m),
        rng.uniform(1e12, 5e12, m),
    )
    return Instance("knotty", servers, devices, Channel.from_dense(10 ** rng.uniform(-11, -9, (m, e))))


def rehearse(
    function: Callable[[Instance, Context[Any]], object], options: Record, instance: Instance | None = None
) -> None:
    """Run a solver on a small instance, the smallest by default."""
    instance = smallest_instance() if instance is None else instance
    function(instance, Context(instance, options))
