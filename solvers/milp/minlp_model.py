"""P1 as it is stated, in Pyomo: mixed-integer, with the products of shares and delays (eqs. (3)-(8))."""

from __future__ import annotations

from typing import Any

import numpy as np

from uara.base.extras import needs
from uara.p1.coefficients import coefficients
from uara.p1.instance import Instance

SMALLEST_RATE = 1e-6
"""Least total share of a band or of compute that a device is given, so that delays are bounded."""


def minlp_model(instance: Instance, *, inequalities: bool = False) -> Any:
    """The controllable part of P1 as a Pyomo model.

    Variables over the usable pairs: ``x[i, j]`` binary, ``y[i, j]`` and ``z[i, j]`` shares; per device
    ``uplink[i]`` and ``remote[i]``, its delays in ms, tied to the shares by products.

    Parameters
    ----------
    inequalities
        State the delays as at least what the shares give. The optimum is the same, because band that is
        not needed can be left idle, but the constraints are convex then.
    """
    pyo = needs("pyomo.environ", extra="models")
    numbers = coefficients(instance)
    start = numbers.start
    pairs = list(zip(numbers.device.tolist(), numbers.server.tolist(), strict=True))
    index = {pair: k for k, pair in enumerate(pairs)}
    servers = sorted({j for _, j in pairs})
    of_device = {i: pairs[start[i] : start[i + 1]] for i in range(len(start) - 1)}
    of_server = {j: [pair for pair in pairs if pair[1] == j] for j in servers}
    weight, uplink_ms = numbers.sync_weight_per_ms, numbers.uplink_ms
    local_ms = numbers.of_devices(numbers.local_ms)
    whole_ms = numbers.work / numbers.work_per_ms[numbers.server]  # with all of the server's compute

    model = pyo.ConcreteModel(name=f"P1 {instance.name}")
    model.pairs = pyo.Set(initialize=pairs, dimen=2)
    model.devices = pyo.RangeSet(0, len(start) - 2)
    model.servers = pyo.Set(initialize=servers)
    model.x = pyo.Var(model.pairs, domain=pyo.Binary)
    model.y = pyo.Var(model.pairs, bounds=(0, 1), initialize=0.1)
    model.z = pyo.Var(model.pairs, bounds=(0, 1), initialize=0.1)

    def uplink_bounds(_: Any, i: int) -> tuple[float, float]:
        delays = [float(uplink_ms[index[pair]]) for pair in of_device[i]]
        return min(delays), max(max(delays), float(local_ms[i])) / SMALLEST_RATE

    def remote_bounds(_: Any, i: int) -> tuple[float, float]:
        delays = [float(whole_ms[index[pair]]) for pair in of_device[i]]
        return min(delays), max(delays) / SMALLEST_RATE

    model.uplink = pyo.Var(model.devices, bounds=uplink_bounds)
    model.remote = pyo.Var(model.devices, bounds=remote_bounds)
    for i in model.devices:
        model.uplink[i].value = float(np.median([uplink_ms[index[pair]] for pair in of_device[i]])) * 10
        model.remote[i].value = model.remote[i].lb * 10

    model.association = pyo.Constraint(
        model.devices, rule=lambda m, i: sum(m.x[pair] for pair in of_device[i]) == 1
    )
    model.band = pyo.Constraint(model.servers, rule=lambda m, j: sum(m.y[pair] for pair in of_server[j]) <= 1)
    model.compute = pyo.Constraint(
        model.servers, rule=lambda m, j: sum(m.z[pair] for pair in of_server[j]) <= 1
    )
    model.band_use = pyo.Constraint(model.pairs, rule=lambda m, i, j: m.y[i, j] <= m.x[i, j])
    model.compute_use = pyo.Constraint(model.pairs, rule=lambda m, i, j: m.z[i, j] <= m.x[i, j])

    def tied(product: Any) -> Any:
        return product >= 1 if inequalities else product == 1

    def rate(m: Any, i: int) -> Any:
        share = sum(m.y[pair] / float(uplink_ms[index[pair]]) for pair in of_device[i])
        return tied(m.uplink[i] * share)

    def speed(m: Any, i: int) -> Any:
        share = sum(m.z[pair] / float(whole_ms[index[pair]]) for pair in of_device[i])
        return tied(m.remote[i] * share)

    if weight > 0:
        model.uplink_delay = pyo.Constraint(model.devices, rule=rate)
    model.compute_delay = pyo.Constraint(model.devices, rule=speed)
    waiting = sum(float(numbers.wait_ms[k]) * model.x[pair] for pair, k in index.items())
    sending = sum(float(numbers.band_cost_ms[k]) * model.y[pair] for pair, k in index.items())
    gap = sum((float(local_ms[i]) - model.uplink[i]) ** 2 for i in model.devices) if weight > 0 else 0
    remote = sum(model.remote[i] for i in model.devices)
    model.cost = pyo.Objective(expr=waiting + remote + weight * gap + sending)
    return model
