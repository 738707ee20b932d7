"""The best association among the columns against brute force over them."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest
from cases import make_instance
from uara.solvers.columns.combine import combined
from uara.solvers.columns.layout import layout_of
from uara.solvers.columns.pool import Pool
from uara.solvers.columns.pricing import Prices

from uara import allocate, evaluate
from uara.base.files import Record
from uara.p1.model import coefficients
from uara.solver import Context


@pytest.mark.parametrize("seed", range(3))
def test_the_cheapest_association_of_all_sets_is_the_optimum(seed: int) -> None:
    instance = make_instance(5, 2, seed, missing=0.0)
    pool = Pool(layout_of(coefficients(instance), np.zeros(2)))
    costs = {}
    for one in product(range(2), repeat=5):
        pool.add_association(np.array(one))
        costs[one] = evaluate(instance, allocate(instance, np.array(one))).controllable_ms
    nothing = Prices(np.zeros(5), np.zeros(2))
    found = combined(pool, nothing, np.zeros(2), max(costs.values()), Context(instance, Record()))
    assert found is not None
    assert costs[tuple(found.tolist())] == pytest.approx(min(costs.values()), rel=1e-9)


def test_columns_that_leave_a_device_out_make_up_nothing() -> None:
    instance = make_instance(4, 2, 0, missing=0.0)
    layout = layout_of(coefficients(instance), np.zeros(2))
    pool = Pool(layout)
    pool.add((layout.device == 0) & (layout.server == 0))
    nothing = Prices(np.zeros(4), np.zeros(2))
    assert combined(pool, nothing, np.zeros(2), 1e9, Context(instance, Record())) is None
