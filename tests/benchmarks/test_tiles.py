"""A network in tiles on a real Dask cluster: repair proves more, and what is proven holds."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
import tiles
from uara.solvers.dual.ascent import first_prices
from uara.solvers.dual.kernel import at_prices

import uara
from uara.p1.coefficients import coefficients
from uara.scenarios.recipe import generate


@pytest.fixture(scope="module")
def network() -> uara.Instance:
    recipe = {"servers": 72, "devices": 360, "candidates": 8, "bandwidth_mhz": 90.0, "box_m": 1530.0}
    made: uara.Instance = generate(name="city", channel="path-loss", **recipe)
    return made


@pytest.fixture(scope="module")
def cluster() -> Iterator[Any]:
    distributed = pytest.importorskip("distributed")
    with (
        distributed.LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address=None) as cluster,
        distributed.Client(cluster) as client,
    ):
        yield client


@pytest.mark.integration
def test_tiles_alone_lose_a_gap_and_halo_prices_give_it_back(network: uara.Instance, cluster: Any) -> None:
    steps = list(tiles.study(network, 2, 2, cluster))
    whole, alone, *passes, searched = steps
    assert [step.prices_sent > 0 for step in steps] == [False, False, True, True, False]
    assert all(step.bound_ms <= whole.cost_ms * (1 + 1e-9) for step in steps)
    assert alone.gap > 1.5 * whole.gap
    assert alone.bound_ms < passes[0].bound_ms <= passes[1].bound_ms
    assert searched.cost_ms <= alone.cost_ms
    assert searched.gap < 0.7 * alone.gap
    assert searched.gap == pytest.approx(whole.gap, abs=0.5 * (alone.gap - whole.gap))


@pytest.mark.integration
def test_what_tiles_find_is_checked_as_any_answer_is(network: uara.Instance, cluster: Any) -> None:
    found = tiles.Study(network, 2, cluster)
    step = found.alone()
    assert found.certified_gap() == pytest.approx(step.gap, rel=1e-6)


def test_a_device_belongs_to_one_tile_and_colours_do_not_touch(network: uara.Instance) -> None:
    for rows in (1, 2, 3):
        tile = tiles.tile_of(network, rows)
        assert len(np.unique(tile)) == rows * rows
        cells = {(t // (rows + 1), t % (rows + 1)): tiles.colour_of(int(t), rows) for t in tile}
        for (a, b), colour in cells.items():
            near = [(a + x, b + y) for x in (-1, 0, 1) for y in (-1, 0, 1) if x or y]
            assert all(cells.get(other) != colour for other in near)


def test_a_part_with_an_elsewhere_costs_what_the_network_costs(network: uara.Instance) -> None:
    """With the other servers' prices fixed, the dual of a part is that of the network but for their rents."""
    numbers = coefficients(network)
    prices = first_prices(numbers) * np.random.default_rng(1).uniform(0.5, 1.5, 2 * numbers.servers)
    tile = tiles.tile_of(network, 2)
    keep = tile[numbers.server] == tile[0]
    value, excess, choice = at_prices(numbers, prices)
    cost, *rest = (np.zeros(len(excess)) for _ in range(4))
    tiles.priced(numbers, prices, cost, *rest, np.zeros(numbers.devices, dtype=np.int64))
    served = np.isin(numbers.device, numbers.device[keep])
    elsewhere = np.full(numbers.devices, np.inf)
    np.minimum.at(elsewhere, numbers.device[served & ~keep], cost[served & ~keep])
    part = tiles.part_of(numbers, keep, elsewhere)
    own = np.concatenate([np.append(kind[part.server], 0.0) for kind in np.split(prices, 2)])
    found = at_prices(part.numbers, own)[0]
    outside = np.setdiff1d(np.arange(numbers.devices), part.device)
    compute, band = np.split(prices, 2)
    others = np.setdiff1d(np.arange(numbers.servers), part.server)
    rents = compute[others] ** 2 @ numbers.work_per_ms[others] / 4 + band[others].sum()
    assert found + cost[choice][outside].sum() - rents == pytest.approx(value, rel=1e-9)


def test_a_network_without_places_has_no_tiles(network: uara.Instance) -> None:
    bare = network.replace(servers=network.servers.replace(position_m=None))
    with pytest.raises(uara.InputError, match="positions"):
        tiles.tile_of(bare, 2)
