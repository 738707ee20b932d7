"""First prices for very many requests: those of a sample, as a function of how much work a request is.

Column generation on thousands of requests is out of reach, and a bound needs no more than good prices. A request's
price is that of one machine that serves the shortest work first, times a factor; the factors are found on every so
many-th request in the order of that price, where column generation is quick.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from uara.base.quantities import Floats
from uara.hetedge.instance import HetEdge
from uara.solver import Context

from .alternate import alternate
from .prices import Prices, start_prices
from .search import Choices, Programme, ordered


def sampled(instance: HetEdge, size: int, price_ms: Floats) -> tuple[HetEdge, np.ndarray]:
    """The instance with about so many requests, evenly spread over the prices, and (K,) which of them each is like."""
    requests = len(price_ms)
    order = np.argsort(price_ms, kind="stable")
    step = max(1, requests // size)
    kept = order[step // 2 :: step]
    like = np.empty(requests, dtype=np.int64)
    like[order] = np.minimum(np.arange(requests) // step, len(kept) - 1)
    return instance.part(kept), like


def prices_by_type(
    instance: HetEdge, size: int, together: int, gap: float, context: Context[Any]
) -> tuple[Floats, Floats]:
    """(K,), (K,) First prices in ms by the closed form, and with the factors of a sample of so many requests."""
    closed = start_prices(instance, together)
    sample, like = sampled(instance, size, closed)
    programme = Programme(sample, ordered(sample, "work"), Choices.everything(sample))
    plan, value_ms, _ = alternate(programme, "in-time", 1)
    few = len(sample.requests)
    prices = Prices(sample, context, disjoint=False, certify=False)
    prices.know(plan, few, few)
    first = start_prices(sample, together)
    prices.prove(first, prices.seen(first)[1])
    prices.improve(value_ms, gap)
    factor = np.where(first > 0, prices.centre_ms / np.maximum(first, 1e-300), 1.0)
    return closed, np.asarray(closed * factor[like])
