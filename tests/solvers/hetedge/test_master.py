from __future__ import annotations

import math

import numpy as np
import pytest
from hetedge_cases import make_hetedge, planned
from uara.solvers.hetedge.groups import Groups
from uara.solvers.hetedge.master import next_prices

import uara
from uara.hetedge.request_prices import least_tail_ms
from uara.solver import Context


def begun(seed: int) -> tuple[Groups, Context[uara.Options]]:
    instance = make_hetedge(6, seed)
    groups = Groups(instance, least_tail_ms(instance))
    groups.add_plan(planned(instance, seed), 6, 6)
    return groups, Context(instance, uara.Options())


@pytest.mark.parametrize("seed", range(5))
def test_in_a_wide_box_the_prices_are_the_programs_dual(seed: int) -> None:
    """At optimal prices the cheapest chain of known groups costs as much as the program."""
    groups, context = begun(seed)
    found = next_prices(groups, np.ones(6), 1e9, context)
    assert found is not None
    value, price, weight = found
    chain = price.sum() + groups.potentials_ms(groups.reduced_ms(price))[0]
    assert chain == pytest.approx(value, rel=1e-6)
    served = np.zeros(6)
    for members, part in zip(groups.members, weight, strict=True):
        served[list(members)] += part
    assert served == pytest.approx(1.0)
    other = price + np.random.default_rng(seed).normal(0, 1 + abs(price).mean(), 6)
    assert other.sum() + groups.potentials_ms(groups.reduced_ms(other))[0] <= value * (1 + 1e-6)


def test_prices_stay_in_the_box() -> None:
    groups, context = begun(1)
    centre = np.full(6, 100.0)
    found = next_prices(groups, centre, 3.0, context)
    assert found is not None
    assert (np.abs(found[1] - centre) <= 3.0 + 1e-6).all()
    assert math.isfinite(found[0])
