"""Plans built group by group: orders of all requests, good ones, and none where time is up."""

from __future__ import annotations

import numpy as np
import pytest
from hetedge_cases import make_hetedge, planned
from uara.solvers.hetedge import over_orders
from uara.solvers.hetedge.diving import dived
from uara.solvers.hetedge.order import Search
from uara.solvers.hetedge.prices import Prices, start_prices
from uara.solvers.hetedge.search import Choices

import uara
from uara.hetedge.instance import HetEdge
from uara.hetedge.request_prices import earliest_ms
from uara.problem import evaluate
from uara.solver import Context


def settled(instance: HetEdge) -> tuple[Prices, Context[uara.Options]]:
    """Prices as good as the known groups allow, from a random plan on."""
    context = Context(instance, uara.Options())
    prices = Prices(instance, context)
    count = len(instance.requests)
    prices.know(planned(instance, 1), count, count)
    first = start_prices(instance, 2)
    prices.prove(first, prices.seen(first)[1])
    prices.improve(evaluate(instance, planned(instance, 1)).objective_ms, 1e-4)
    return prices, context


@pytest.mark.parametrize("seed", range(4))
def test_a_dive_serves_all_and_comes_near_the_bound(seed: int) -> None:
    instance = make_hetedge(9, seed, largest_batch=3, longest_speculation=2)
    prices, context = settled(instance)
    kind = Search(instance, Choices.everything(instance), "in-time", 8)
    order = dived(prices, context, drawn=False)
    assert order is not None
    assert sorted(order.tolist()) == list(range(9))
    again = dived(prices, context, drawn=False)
    assert again is not None
    values = [kind.cut(each)[1] for each in (order, again)]
    assert prices.bound_ms <= min(values) * (1 + 1e-9)
    uploads_ms = 9 * (evaluate(instance, kind.cut(order)[0]).release_ms.max() - earliest_ms(instance))
    assert min(values) <= prices.bound_ms * 1.1 + uploads_ms
    drawn = dived(prices, context, drawn=True)
    assert drawn is not None
    assert sorted(drawn.tolist()) == list(range(9))


def test_without_time_there_is_no_dive(monkeypatch: pytest.MonkeyPatch) -> None:
    instance = make_hetedge(6, 2, longest_speculation=2)
    prices, context = settled(instance)
    monkeypatch.setattr(Context, "affords", lambda context, seconds: False)
    assert dived(prices, context, drawn=False) is None


def test_dives_go_on_until_nothing_more_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    instance = make_hetedge(7, 3, longest_speculation=2)
    prices, context = settled(instance)
    kind = Search(instance, Choices.everything(instance), "in-time", 8)
    plan, value_ms = kind.cut(np.arange(7))
    best = over_orders._Best(kind, plan, 0.1, value_ms)
    draws: list[bool] = []

    def dive(prices: Prices, context: Context[uara.Options], *, drawn: bool) -> np.ndarray:
        draws.append(drawn)
        return np.arange(7)

    monkeypatch.setattr(over_orders, "dived", dive)
    monkeypatch.setattr(over_orders, "_DIVES", 3)
    monkeypatch.setattr(over_orders, "improved", lambda kind, plan, value_ms, *_: (plan, value_ms, 1))
    best.dive(prices, context, -1.0)  # never near enough
    assert draws == [False, True, True]
    assert best.runs == 3
    best.dive(prices, context, 1.0)  # near enough from the start
    assert len(draws) == 3
