"""Band prices that are added: which one, when, and that they only ever raise what a grid says."""

from __future__ import annotations

import numpy as np
import pytest
from cases import instances, make_instance
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from uara.solvers.columns import bands
from uara.solvers.columns.bands import grid_cost, refined
from uara.solvers.columns.layout import Layout, grids_of, layout_of, set_cost, with_grids

from uara import Instance
from uara.p1.coefficients import coefficients

SOME = settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
seeds = st.integers(0, 2**32 - 1)


def random_layout(instance: Instance, rng: np.random.Generator) -> Layout:
    layout = layout_of(coefficients(instance), np.zeros(len(instance.servers)))
    return with_grids(layout, [np.sort(10 ** rng.uniform(-3, 3, rng.integers(1, 4))) for _ in layout.wait_ms])


def own_pairs(layout: Layout, sets: np.ndarray, server: int) -> list[np.ndarray]:  # type: ignore[type-arg]
    place = np.arange(layout.start[server], layout.start[server + 1])
    return [place[chosen[place]] for chosen in sets]


@SOME
@given(instances(), seeds)
def test_a_grid_says_the_most_of_its_prices(instance: Instance, seed: int) -> None:
    rng = np.random.default_rng(seed)
    layout = random_layout(instance, rng)
    sets = rng.random((3, len(layout.device))) < 0.5
    for j, grid in enumerate(grids_of(layout)):
        table = layout.table_ms[layout.table_start[j] : layout.table_start[j + 1]].reshape(len(grid), -1)
        for pairs in own_pairs(layout, sets, j):
            load = layout.root_flop[layout.device[pairs]].sum()
            rows = table[:, pairs - layout.start[j]].sum(axis=1) - grid
            expected = load**2 / layout.flop_per_ms[j] + rows.max()
            assert grid_cost(layout, j, pairs) == pytest.approx(expected, rel=1e-12)


@SOME
@given(instances(), seeds, st.sampled_from([0.0, 1e-6, 1.0, 1e3]))
def test_one_price_a_server_at_most_and_the_worst_set_is_served(
    instance: Instance, seed: int, slack_ms: float
) -> None:
    rng = np.random.default_rng(seed)
    layout = random_layout(instance, rng)
    sets = rng.random((6, len(layout.device))) < rng.random((6, 1))
    finer = refined(layout, sets, slack_ms)
    if layout.sync_weight == 0:
        assert finer is None
        return
    for j, before in enumerate(grids_of(layout)):
        pairs = own_pairs(layout, sets, j)
        short = [set_cost(layout, j, own)[0] - grid_cost(layout, j, own) for own in pairs]
        after = before if finer is None else grids_of(finer)[j]
        if max(short, default=0.0) <= slack_ms:
            assert after.tolist() == before.tolist()
            continue
        worst = pairs[int(np.argmax(short))]
        cost, price = set_cost(layout, j, worst)
        if price in before:  # only rounding is left
            assert max(short) <= 1e-9 * cost
            continue
        assert finer is not None
        assert set(after) - set(before) == {price}
        assert len(after) == len(before) + 1
        assert (np.diff(after) > 0).all()
        assert grid_cost(finer, j, worst) == pytest.approx(cost, rel=1e-8)
        for own in pairs:
            assert grid_cost(finer, j, own) >= grid_cost(layout, j, own) - 1e-12 * cost


def test_a_full_grid_stays_as_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    layout = layout_of(coefficients(make_instance(8, 1, 1, payload=2000.0, missing=0.0)), np.zeros(1))
    everything = np.ones((1, 8), dtype=bool)
    assert refined(layout, everything, 0.0) is not None
    monkeypatch.setattr(bands, "MOST_PRICES", 1)
    assert refined(layout, everything, 0.0) is None


def test_a_server_without_devices_asks_for_the_price_nothing() -> None:
    """At any other price its grid says that it costs less than nothing."""
    layout = layout_of(
        coefficients(make_instance(8, 2, 1, payload=2000.0, missing=0.0)), np.array([0.0, 3.0])
    )
    nobody = np.zeros(0, dtype=np.int64)
    assert [grid_cost(layout, j, nobody) for j in (0, 1)] == [0.0, -3.0]
    finer = refined(layout, np.zeros((3, 16), dtype=bool), 1e-6)
    assert finer is not None
    assert [grid.tolist() for grid in grids_of(finer)] == [[0.0], [0.0, 3.0]]
    assert grid_cost(finer, 1, nobody) == 0.0
    assert refined(layout, np.zeros((3, 16), dtype=bool), 3.0) is None
    assert refined(layout, np.zeros((0, 16), dtype=bool), 0.0) is None
