"""The perspective program in Pyomo, for reading, for checking and for others' solvers (``uara export``).

The same rows as :class:`uara.solvers.milp.perspective.Perspective` states for HiGHS, written as equations.
``exact`` does not go through Pyomo: rebuilding its expressions took longer than HiGHS took to solve them
(``docs/proofs.md`` has the measurement).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from uara.base.extras import needs
from uara.base.quantities import Floats
from uara.p1.coefficients import coefficients
from uara.p1.instance import Instance
from uara.problem import evaluate

from .perspective import Perspective, Rows

EXPORTED_FACTORS = (0.5, 0.7, 0.85, 1.0, 1.15, 1.4, 2.0)
"""Tangents of an exported program lie at these multiples of the loads and shares at the best prices."""


def perspective_model(relaxation: Perspective, tangents: Sequence[Rows], name: str = "P1") -> Any:
    """The mixed-integer perspective program of some pairs with some tangents, as a Pyomo model.

    Its optimum is a lower bound on the controllable part of P1, and equal to it where the tangents touch.
    """
    pyo = needs("pyomo.environ", extra="models")
    numbers = relaxation.numbers
    keys = list(zip(numbers.device.tolist(), numbers.server.tolist(), strict=True))
    widest = dict(zip(keys, relaxation.widest.tolist(), strict=True))
    band_cost = dict(zip(keys, numbers.band_cost_ms.tolist(), strict=True))
    servers = range(relaxation.servers)

    model = pyo.ConcreteModel(name=name)
    model.pairs = pyo.Set(initialize=keys, dimen=2)
    model.servers = pyo.RangeSet(0, relaxation.servers - 1)
    model.devices = pyo.RangeSet(0, numbers.devices - 1)
    model.x = pyo.Var(model.pairs, domain=pyo.Binary)
    model.v = pyo.Var(model.pairs, bounds=(0, 1))
    model.e = pyo.Var(model.pairs, domain=pyo.NonNegativeReals)
    model.t = pyo.Var(model.servers, domain=pyo.NonNegativeReals)
    model.q = pyo.Var(model.servers, domain=pyo.NonNegativeReals)

    by_device: dict[int, list[Any]] = {i: [] for i in model.devices}
    by_server: dict[int, list[Any]] = {j: [] for j in servers}
    for i, j in keys:
        by_device[i].append(model.x[i, j])
        by_server[j].append((i, j))
    model.association = pyo.Constraint(model.devices, rule=lambda m, i: sum(by_device[i]) == 1)
    model.band = pyo.ConstraintList()
    for j in servers:
        if by_server[j]:
            model.band.add(sum(widest[pair] * model.v[pair] for pair in by_server[j]) <= 1)
    model.link = pyo.Constraint(model.pairs, rule=lambda m, i, j: m.v[i, j] <= m.x[i, j])
    root = dict(zip(keys, numbers.root_work.tolist(), strict=True))
    model.loads = pyo.Constraint(
        model.servers, rule=lambda m, j: m.t[j] == sum(root[pair] * m.x[pair] for pair in by_server[j])
    )
    model.tangents = pyo.ConstraintList()
    add_tangents(model, tangents, keys)
    waiting = sum(wait * model.x[pair] for pair, wait in zip(keys, numbers.wait_ms.tolist(), strict=True))
    sending = sum(band_cost[pair] * widest[pair] * model.v[pair] + model.e[pair] for pair in keys)
    model.cost = pyo.Objective(expr=waiting + sending + sum(model.q[j] for j in servers))
    return model


def add_tangents(model: Any, tangents: Sequence[Rows], keys: Sequence[tuple[int, int]]) -> int:
    """Add tangents to the Pyomo model; returns how many."""
    servers = len(model.q)
    columns = [variable[key] for variable in (model.x, model.v, model.e) for key in keys]
    columns += [model.t[j] for j in range(servers)] + [model.q[j] for j in range(servers)]
    added = 0
    for rows in tangents:
        for n in range(len(rows.lower)):
            part = slice(rows.start[n], rows.start[n + 1])
            terms = zip(rows.value[part].tolist(), rows.column[part].tolist(), strict=True)
            model.tangents.add(sum(value * columns[k] for value, k in terms) >= float(rows.lower[n]))
            added += 1
    return added


def export_milp(instance: Instance) -> Any:
    """The perspective program over all usable pairs, with tangents around the best prices."""
    from ..dual.ascent import ascend, first_prices
    from ..dual.kernel import at_prices

    numbers = coefficients(instance)
    prices = ascend(numbers).prices
    _, _, choice = at_prices(numbers, first_prices(numbers))
    relaxation = Perspective(numbers, _cost(instance, numbers.server[choice]))
    model = perspective_model(relaxation, tangents_around(relaxation, prices), f"P1 {instance.name}")
    mark_blocks(model)
    return model


def mark_blocks(model: Any) -> None:
    """Say in the suffix ``block`` which server each row is about; devices' associations link the servers."""
    from pyomo import environ as pyo
    from pyomo.core.expr import identify_variables

    model.block = pyo.Suffix(direction=pyo.Suffix.LOCAL, datatype=pyo.Suffix.INT)
    for row in model.component_data_objects(pyo.Constraint):
        if row.parent_component() is not model.association:
            index = next(identify_variables(row.body)).index()
            model.block[row] = index[1] if isinstance(index, tuple) else index


def tangents_around(relaxation: Perspective, prices: Floats) -> list[Rows]:
    """Tangents at multiples of the loads and shares that some prices suggest."""
    from ..dual.kernel import priced

    cost, share, bend, inverse = (np.zeros(relaxation.count) for _ in range(4))
    priced(
        relaxation.numbers,
        prices,
        cost,
        share,
        bend,
        inverse,
        np.zeros(relaxation.numbers.devices, dtype=np.int64),
    )
    loads = prices[: relaxation.servers] * relaxation.numbers.work_per_ms / 2.0
    servers, pairs = np.arange(relaxation.servers), np.arange(relaxation.count)
    found = [relaxation.compute_tangents(servers, loads * factor) for factor in EXPORTED_FACTORS]
    if relaxation.numbers.sync_weight_per_ms > 0:
        v = share / relaxation.widest
        found += [relaxation.band_tangents(pairs, np.minimum(1.0, v * factor)) for factor in EXPORTED_FACTORS]
    return found


def _cost(instance: Instance, association: Any) -> float:
    from uara.p1.allocation import allocate

    return float(evaluate(instance, allocate(instance, association)).controllable_ms)
