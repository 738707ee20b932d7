from __future__ import annotations

import numpy as np
import pytest
from cases import make_instance, random_association
from uara.solvers.search.sums import SUMS, cost_of, less, plus, sums_at, terms_of

from uara.p1.coefficients import coefficients


@pytest.mark.parametrize("reserve", [0.0, 1.0])
def test_the_cost_of_the_sums_is_the_cost_of_the_shares(reserve: float) -> None:
    numbers = coefficients(make_instance(12, 2, seed=3))
    rng = np.random.default_rng(0)
    band, compute = rng.uniform(0.01, 0.4, (2, len(numbers.server)))
    terms = terms_of(numbers, band, compute)
    pair = numbers.pairs_of(random_association(make_instance(12, 2, seed=3)))
    for server in range(2):
        own = pair[numbers.server[pair] == server]
        y = band[own] / max(band[own].sum(), reserve)
        z = compute[own] / compute[own].sum()
        cost = numbers.wait_ms[own] + numbers.work[own] / (z * numbers.work_per_ms[server])
        cost += numbers.sync_weight_per_ms * (numbers.local_ms[own] - numbers.uplink_ms[own] / y) ** 2
        cost += numbers.band_cost_ms[own] * y
        sums = tuple(terms[own].sum(axis=0))
        assert cost_of(sums, numbers.work_per_ms[server], reserve) == pytest.approx(cost.sum(), rel=1e-9)


def test_what_comes_and_goes_leaves_the_sums_as_they_were() -> None:
    terms = np.random.default_rng(1).uniform(1, 2, (5, SUMS))
    sums = sums_at(terms, 0)
    assert sums == tuple(terms[0])
    assert plus(sums, terms, 3) == tuple(terms[0] + terms[3])
    assert less(plus(sums, terms, 3), terms, 3) == pytest.approx(sums)
