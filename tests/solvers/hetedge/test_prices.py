"""The search for prices: what it claims is proven, what it starts from is a dual, how requests are divided."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import pytest
from hetedge_cases import make_hetedge, planned
from hypothesis import given, settings
from hypothesis import strategies as st
from uara.solvers.hetedge.prices import Prices, _divided, _levels, _widened, start_prices

import uara
from uara.base.quantities import Floats
from uara.hetedge.instance import HetEdge
from uara.hetedge.latency import phases, rounds
from uara.hetedge.request_prices import earliest_ms, lower_bound
from uara.problem import evaluate
from uara.solver import Context


def begun(instance: HetEdge, **options: Any) -> tuple[Prices, Context[Any]]:
    context = Context(instance, uara.Options())
    prices = Prices(instance, context, **options)
    count = len(instance.requests)
    prices.know(planned(instance, 1), count, count)
    return prices, context


def proved(prices: Prices, price: Floats) -> float:
    """What prices prove with the potentials that they seem to have."""
    return prices.prove(price, prices.seen(price)[1])


def works(instance: HetEdge, size: int) -> Floats:
    """(K,) A request's least share of a batch of ``size`` like it, length by length."""
    given_, asked = instance.parameters, instance.requests
    size, found = min(size, given_.largest_batch, len(asked)), []
    for k in range(len(asked)):
        each = []
        for length in [0, *range(given_.shortest_speculation, given_.longest_speculation + 1)]:
            times = phases(instance.system, size, asked.prompt_tokens[k], asked.output_tokens[k], length)
            turns = float(rounds(asked.output_tokens[k], asked.acceptance_rate[k], length))
            passes = times.first_verify + (turns - 1) * times.verify
            chain = times.prefill + turns * (times.draft + times.send) + (turns - 1) * times.reply + passes
            each.append(max(float(passes), float(chain) / 2))
        found.append(min(each) / size)
    return np.array(found)


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 10_000), st.integers(1, 4))
def test_first_prices_are_an_exact_dual_of_one_machine(seed: int, together: int) -> None:
    """With the least potentials that they allow, they prove the best of all orders of one machine."""
    instance = make_hetedge(5, seed)
    price, work = start_prices(instance, together), works(instance, together)
    best = min(
        sum((5 - i) * work[k] for i, k in enumerate(order)) for order in itertools.permutations(range(5))
    )
    potential = sum(min((5 - i) * work - price) for i in range(5))
    assert price.sum() + potential == pytest.approx(best, rel=1e-9)
    assert (price >= work - 1e-9).all()


@given(st.floats(1, 1e6), st.floats(-1, 3))
def test_the_box_widens_with_success_and_shrinks_without(before_ms: float, part: float) -> None:
    promised_ms = before_ms * 1.5
    factor = _widened(before_ms, before_ms + part * (promised_ms - before_ms), promised_ms)
    assert factor == (
        0.7 if part * (promised_ms - before_ms) + before_ms <= before_ms else 1.5 if factor > 1 else 1.0
    )
    assert _widened(before_ms, promised_ms, promised_ms) == 1.5
    assert _widened(before_ms, before_ms * 1.01, promised_ms) == 1.0
    assert _widened(before_ms, before_ms, promised_ms) == 0.7


@given(st.lists(st.integers(0, 10_000), min_size=1, max_size=60), st.integers(1, 20))
def test_levels_are_few_and_begin_with_the_least(tokens: list[int], most: int) -> None:
    levels = _levels(np.array(tokens), most)
    assert levels == sorted(set(levels))
    assert set(levels) <= set(tokens)
    assert levels[0] == min(tokens)
    assert len(levels) <= most
    if len(set(tokens)) <= most:
        assert set(levels) == set(tokens)


@settings(max_examples=80)
@given(st.integers(0, 2**32 - 1))
def test_two_batches_are_filled_with_the_dearest_that_fit(seed: int) -> None:
    """Against all pairs of sets; requests are numbered by falling price."""
    rng = np.random.default_rng(seed)
    count = int(rng.integers(2, 7))
    in_a, in_b = rng.random(count) < 0.7, rng.random(count) < 0.7
    price = np.sort(rng.integers(1, 50, count).astype(float))[::-1]
    size_a, size_b = int(rng.integers(1, 4)), int(rng.integers(1, 4))
    pairs = [
        price[[*a, *b]].sum()
        for a in itertools.combinations(np.flatnonzero(in_a), size_a)
        for b in itertools.combinations(np.flatnonzero(in_b), size_b)
        if not set(a) & set(b)
    ]
    if not pairs:
        return
    prompt = rng.integers(1, 9, count)
    a, b = _divided(in_a, in_b, size_a, size_b, prompt)
    assert (len(a), len(b)) == (size_a, size_b)
    assert not set(a) & set(b)
    assert in_a[a].all()
    assert in_b[b].all()
    assert price[[*a, *b]].sum() == max(pairs)
    shared_a, shared_b = ([k for k in part if in_a[k] and in_b[k]] for part in (a, b))
    if shared_a and shared_b:
        assert prompt[shared_a].max() <= prompt[shared_b].min()


@settings(max_examples=6, deadline=None)
@given(st.integers(0, 10_000), st.booleans(), st.sampled_from([0.3, 1.0, 2.0]))
def test_what_prices_claim_is_what_their_certificate_proves(seed: int, disjoint: bool, scale: float) -> None:
    instance = make_hetedge(4, seed, longest_speculation=2)
    prices, context = begun(instance, disjoint=disjoint)
    columns = len(prices.groups.start)
    first = scale * start_prices(instance, 2)
    seen_ms, potential = prices.seen(first)
    bound_ms = prices.prove(first, potential)
    assert bound_ms == prices.bound_ms
    assert bound_ms <= seen_ms * (1 + 1e-9)
    assert prices.certificate is not None
    proven = lower_bound(instance, prices.certificate)
    size = sum(prices.certificate.record.request_price_ms) + abs(bound_ms)
    assert proven == pytest.approx(bound_ms, abs=1e-9 * size)
    assert proven <= evaluate(instance, planned(instance, 1)).objective_ms * (1 + 1e-9)
    assert len(prices.groups.start) >= columns
    assert context._ledger.certificate is prices.certificate
    assert context._ledger.bound_ms <= bound_ms
    stepwise = Prices(instance, Context(instance, uara.Options()), disjoint=False)
    stepwise.know(planned(instance, 1), 4, 4)
    again = stepwise.try_stepwise(first)
    assert again == pytest.approx(lower_bound(instance, stepwise.certificate), abs=1e-9 * size)


def test_improving_only_raises_and_worse_prices_are_not_kept() -> None:
    instance = make_hetedge(6, 2, longest_speculation=2)
    prices, _ = begun(instance)
    first = proved(prices, start_prices(instance, 2))
    target = evaluate(instance, planned(instance, 1)).objective_ms
    looks: list[int] = []

    def lower() -> float:
        looks.append(prices.rounds)
        return target

    prices.improve(target, 1e-4, lower)
    assert prices.bound_ms >= first
    assert looks == list(range(3, prices.rounds + 1, 3))
    best, certificate, centre = prices.bound_ms, prices.certificate, prices.centre_ms
    assert proved(prices, np.zeros(6)) < best
    assert prices.bound_ms == best
    assert prices.certificate is certificate
    assert prices.centre_ms is centre
    rounds_before = prices.rounds
    prices.improve(best, 1e-4)  # the gap is proven already
    assert prices.rounds == rounds_before


def test_prices_settle_near_what_the_known_groups_promise() -> None:
    instance = make_hetedge(6, 2, longest_speculation=2)
    prices, _ = begun(instance)
    first = start_prices(instance, 2)
    before, _ = prices.seen(first)
    settled = prices.settle(first, float(first.mean()))
    assert settled is not None
    idle_ms = 6 * earliest_ms(instance)
    after = settled.price_ms.sum() + settled.potential[0] + idle_ms
    assert before <= after * (1 + 1e-9)
    assert after <= settled.promised_ms * (1 + 1e-9)
    assert settled.promised_ms - after <= max(1e-4 * after, 0.1 * (settled.promised_ms - before)) * (1 + 1e-6)
    assert prices.prove(settled.price_ms, settled.potential) <= after * (1 + 1e-9)


@pytest.mark.parametrize("seed", range(3))
def test_apart_no_group_holds_a_request_twice_and_more_is_proven(seed: int) -> None:
    instance = make_hetedge(6, seed, longest_speculation=2)
    bounds = []
    for disjoint in (False, True):
        prices, _ = begun(instance, disjoint=disjoint)
        proved(prices, start_prices(instance, 2))
        prices.improve(evaluate(instance, planned(instance, 1)).objective_ms, 1e-4)
        bounds.append(prices.bound_ms)
    assert all(len(set(members)) == len(members) for members in prices.groups.members)
    assert bounds[1] >= bounds[0] * (1 - 1e-3)


def test_a_part_of_another_run_reports_nothing() -> None:
    instance = make_hetedge(4, 2, longest_speculation=2)
    prices, context = begun(instance, certify=False)
    proved(prices, start_prices(instance, 2))
    assert prices.certificate is not None
    assert context._ledger.certificate is None
    assert context._ledger.bound_ms == -np.inf


def test_where_time_is_up_nothing_is_claimed(monkeypatch: pytest.MonkeyPatch) -> None:
    instance = make_hetedge(5, 2, longest_speculation=2)
    prices, _ = begun(instance)
    monkeypatch.setattr(Context, "expired", lambda context: True)
    assert proved(prices, start_prices(instance, 2)) == -np.inf
    assert prices.try_stepwise(start_prices(instance, 2)) == -np.inf
    assert prices.certificate is None
    assert prices.bound_ms == -np.inf
