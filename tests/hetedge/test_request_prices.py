"""Certificates of request prices: what any prices and potentials prove holds for every order and plan."""

from __future__ import annotations

import copy
import itertools
import json
from typing import Any

import numpy as np
import pytest
from hetedge_cases import make_hetedge
from truth.hetedge_prices import proved_ms
from uara.solvers.hetedge.dp import alternate
from uara.solvers.hetedge.prices import Prices, start_prices
from uara.solvers.hetedge.search import Choices, Programme

import uara
from uara.base.errors import InputError
from uara.hetedge.instance import HetEdge
from uara.hetedge.request_prices import RequestPrices, lower_bound
from uara.problem import kind_of
from uara.solver import Context


def small(seed: int, most: int = 4) -> HetEdge:
    """Some requests, at most six; often all prompts are there at once, so that the programme is exact."""
    rng = np.random.default_rng(seed)
    count = min(most, int(rng.choice([1, 2, 3, 4, 5, 6], p=[0.05, 0.1, 0.25, 0.3, 0.2, 0.1])))
    instance = make_hetedge(
        count, seed, longest_speculation=int(rng.integers(1, 4)), drafts=bool(rng.random() < 0.9)
    )
    if rng.random() < 0.6:
        requests = instance.requests.replace(upload_bits=np.zeros(count), ready_ms=None)
        instance = instance.replace(requests=requests)
    return instance


def best_of_all_orders(instance: HetEdge) -> float:
    """Total latency in ms of the best plan of every order, speculation or none, at in-time shares."""
    everything = Choices.everything(instance)
    choices = Choices((0, *everything.lengths), everything.smallest, everything.largest)
    return min(
        alternate(Programme(instance, np.array(order), choices), "in-time", 8)[1]
        for order in itertools.permutations(range(len(instance.requests)))
    )


def searched(instance: HetEdge, rounds: float = 1e-3) -> RequestPrices:
    """Prices of a short search, with pairs apart."""
    plan = uara.solve(instance, "hetedge-dp")
    prices = Prices(instance, Context(instance, uara.Options()))
    prices.know(plan.decision, 6, 6)
    first = start_prices(instance, 2)
    prices.prove(first, prices.seen(first)[1])
    prices.improve(plan.evaluation.objective_ms, rounds)
    assert prices.certificate is not None
    return prices.certificate


def shaken(plain: dict[str, Any], rng: np.random.Generator) -> dict[str, Any]:
    """The certificate with other prices, potentials and levels."""
    other = copy.deepcopy(plain)
    spread = float(rng.choice([0.02, 0.5, 5.0]))
    size = float(np.abs(plain["request_price_ms"]).mean()) + 1.0
    for name in ("request_price_ms", "potential_ms"):
        noise = rng.normal(0, spread * size, len(plain[name])) * (rng.random(len(plain[name])) < rng.random())
        other[name] = (np.array(plain[name]) + noise).tolist()
    if rng.random() < 0.3:
        other["prompt_levels"] = rng.integers(0, 150, int(rng.integers(0, 4))).tolist()
        other["output_levels"] = rng.integers(0, 60, int(rng.integers(0, 4))).tolist()
    other["disjoint"] = bool(rng.random() < 0.7)
    return other


def check_validity(seed: int, most: int) -> tuple[float, float]:
    """The bound of a short search and the optimum; no certificate may prove more than that."""
    instance, rng = small(seed, most), np.random.default_rng(seed)
    best = best_of_all_orders(instance)
    certificate = searched(instance)
    bound = certificate.prove(instance)
    assert bound <= best * (1 + 1e-12), seed
    for _ in range(4):
        assert RequestPrices.from_plain(shaken(certificate.to_plain(), rng)).prove(instance) <= best * (
            1 + 1e-12
        ), seed
    return bound, best


@pytest.mark.integration
@pytest.mark.parametrize("seed", range(30))
def test_no_prices_prove_more_than_the_best_order(seed: int) -> None:
    check_validity(seed, 4)


@pytest.mark.integration
@pytest.mark.parametrize("seed", range(100, 104))
def test_no_prices_prove_more_than_the_best_of_three(seed: int) -> None:
    check_validity(seed, 3)


@pytest.mark.parametrize("seed", range(200, 208))
def test_an_independent_list_of_all_groups_proves_as_much(seed: int) -> None:
    """The twin lists and plays every group; the checker may prove less, by a little, and never more."""
    instance, rng = small(seed, 3), np.random.default_rng(seed)
    plain = searched(instance).to_plain()
    plain["prompt_levels"] = instance.requests.prompt_tokens.tolist()
    plain["output_levels"] = instance.requests.output_tokens.tolist()
    for _ in range(3):
        certificate = RequestPrices.from_plain({**plain, "disjoint": True})
        twin = proved_ms(instance, plain["request_price_ms"], plain["potential_ms"])
        bound = certificate.prove(instance)
        scale = float(np.abs(plain["request_price_ms"]).sum() + np.abs(plain["potential_ms"]).max())
        assert bound <= twin + 1e-9 * scale
        assert bound >= twin - 0.05 * scale
        shared = RequestPrices.from_plain({**plain, "disjoint": False}).prove(instance)
        assert shared <= twin + 1e-9 * scale
        plain = {**plain, **{key: shaken(plain, rng)[key] for key in ("request_price_ms", "potential_ms")}}


@pytest.mark.slow
def test_no_prices_prove_more_than_the_best_order_often() -> None:
    gaps = []
    for seed in range(300):
        bound, best = check_validity(seed, 6)
        gaps.append(1 - bound / best)
    print(f"gap to the best order: mean {np.mean(gaps):.2%}, worst {np.max(gaps):.2%}")
    assert np.mean(gaps) < 0.2


@pytest.mark.integration
def test_a_short_search_proves_most_of_the_optimum() -> None:
    instance = small(3)
    best = best_of_all_orders(instance)
    assert searched(instance).prove(instance) > 0.5 * best


def test_it_survives_a_file() -> None:
    instance = small(5)
    certificate = searched(instance)
    copied = RequestPrices.from_plain(json.loads(json.dumps(certificate.to_plain())))
    assert lower_bound(instance, copied) == certificate.prove(instance)
    assert kind_of("hetedge").lower_bound is not None


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("version", 2),
        ("kind", "other"),
        ("request_price_ms", [1.0]),
        ("potential_ms", []),
        ("disjoint", "yes"),
    ],
)
def test_what_is_no_certificate_for_the_instance_is_refused(name: str, value: object) -> None:
    instance = small(5)
    plain = {**searched(instance).to_plain(), name: value}
    with pytest.raises(InputError):
        RequestPrices.from_plain(plain).prove(instance)


def test_potentials_that_promise_too_much_are_taken_back() -> None:
    instance = small(5)
    plain = searched(instance).to_plain()
    honest = RequestPrices.from_plain(plain).prove(instance)
    boasting = {**plain, "potential_ms": [plain["potential_ms"][0] + 1e6, *plain["potential_ms"][1:]]}
    assert RequestPrices.from_plain(boasting).prove(instance) <= honest * (1 + 1e-6)
