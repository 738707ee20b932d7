"""What pricing reads: the table of pairs and band prices against the model's own terms."""

from __future__ import annotations

import numpy as np
import pytest
from cases import instances, make_instance
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from scipy.optimize import minimize_scalar
from uara.solvers.columns.layout import Layout, grids_of, layout_of, set_cost, with_grids

from uara import Instance
from uara.base.kernels import alone
from uara.base.quantities import Floats
from uara.p1.coefficients import coefficients
from uara.p1.server_cost import server_cost

SOME = settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
seeds = st.integers(0, 2**32 - 1)


def random_grids(layout: Layout, seed: int) -> list[Floats]:
    """Up to four band prices of any size a server, rising."""
    rng = np.random.default_rng(seed)
    return [np.sort(10 ** rng.uniform(-3, 4, rng.integers(1, 5))) for _ in layout.wait_ms]


def table_of(layout: Layout, server: int) -> Floats:
    """(G, n) The costs of one server's pairs at its prices."""
    part = layout.table_ms[layout.table_start[server] : layout.table_start[server + 1]]
    return part.reshape(len(grids_of(layout)[server]), -1)


@SOME
@given(instances(), seeds)
def test_every_pair_stands_once_server_by_server(instance: Instance, seed: int) -> None:
    numbers = coefficients(instance)
    layout = layout_of(numbers, np.random.default_rng(seed).random(numbers.servers))
    assert (np.repeat(np.arange(numbers.servers), np.diff(layout.start)) == layout.server).all()
    for j in range(numbers.servers):
        assert (np.diff(layout.device[layout.start[j] : layout.start[j + 1]]) > 0).all()
    place = {(int(i), int(j)): k for k, (i, j) in enumerate(zip(numbers.device, numbers.server, strict=True))}
    assert len(layout.device) == len(place)
    for k, (i, j) in enumerate(zip(layout.device, layout.server, strict=True)):
        own = place[int(i), int(j)]
        assert layout.uplink_ms[k] == numbers.uplink_ms[own]
        assert layout.band_cost_ms[k] == numbers.band_cost_ms[own]
        assert layout.local_ms[i] == numbers.local_ms[own]
        assert layout.root_flop[i] == numbers.root_work[own]
        assert layout.wait_ms[j] == numbers.wait_ms[own]


@SOME
@given(instances(), seeds)
def test_grids_come_back_as_they_were_given(instance: Instance, seed: int) -> None:
    layout = layout_of(coefficients(instance), np.zeros(len(instance.servers)))
    grids = random_grids(layout, seed)
    found = with_grids(layout, grids)
    for own, expected in zip(grids_of(found), grids, strict=True):
        assert (own == expected).all()
    again = with_grids(with_grids(found, random_grids(layout, seed + 1)), grids)
    assert (again.table_ms == found.table_ms).all()


def band_cost(log_share: float, local_ms: float, uplink_ms: float, price_ms: float, weight: float) -> float:
    share = np.exp(log_share)
    return float(weight * (local_ms - uplink_ms / share) ** 2 + price_ms * share)


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(instances(4, 2), seeds)
def test_the_table_is_the_least_over_all_shares(instance: Instance, seed: int) -> None:
    """SciPy looks for the share, in its logarithm; the table has it in closed form."""
    numbers = coefficients(instance)
    layout = with_grids(
        layout_of(numbers, np.zeros(numbers.servers)),
        random_grids(layout_of(numbers, np.zeros(numbers.servers)), seed),
    )
    for j, grid in enumerate(grids_of(layout)):
        for g, price in enumerate(grid):
            for a, k in enumerate(range(layout.start[j], layout.start[j + 1])):
                local, uplink = layout.local_ms[layout.device[k]], layout.uplink_ms[k]

                found = table_of(layout, j)[g, a] - layout.wait_ms[j]
                if layout.sync_weight == 0:
                    assert found == 0
                    continue
                # Beyond the share at which both take equally long nothing is gained.
                most = min(0.0, float(np.log(uplink / local)))
                terms = local, uplink, layout.band_cost_ms[k] + price, layout.sync_weight
                best = minimize_scalar(
                    band_cost,
                    bounds=(most - 15, most),
                    args=terms,
                    method="bounded",
                    options={"xatol": 1e-10},
                )
                least = min(best.fun, band_cost(most, *terms))
                assert least * (1 - 1e-6) <= found <= least * (1 + 1e-9)


@SOME
@given(instances(), seeds)
def test_a_set_costs_what_its_server_says(instance: Instance, seed: int) -> None:
    numbers, rng = coefficients(instance), np.random.default_rng(seed)
    layout, exact = layout_of(numbers, np.zeros(numbers.servers)), alone(server_cost)
    for j in range(numbers.servers):
        own = np.arange(layout.start[j], layout.start[j + 1])
        pairs = own[rng.random(len(own)) < 0.6]
        cost, price = set_cost(layout, j, pairs)
        truth = exact(numbers, numbers.by_server[pairs], np.empty((4, max(1, len(pairs)))))
        assert cost == pytest.approx(truth[0], rel=1e-12)
        assert price == pytest.approx(truth[1], rel=1e-9)


def test_nothing_costs_nothing_and_prices_cost_more() -> None:
    layout = layout_of(coefficients(make_instance(5, 2, 1)), np.zeros(2))
    assert set_cost(layout, 0, np.zeros(0, dtype=np.int64)) == (0.0, 0.0)
    rising = with_grids(layout, [np.array([0.0, 1.0, 100.0]), np.array([2.0])])
    assert (np.diff(table_of(rising, 0), axis=0) > 0).all()
