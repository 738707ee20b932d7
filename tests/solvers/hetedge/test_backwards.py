"""The cheapest chain against a list of all groups, each played round by round."""

from __future__ import annotations

import itertools
from typing import NamedTuple

import numpy as np
import pytest
from hetedge_cases import make_hetedge
from hypothesis import given, settings
from hypothesis import strategies as st
from truth.hetedge import batch_times, memory_ok
from truth.hetedge_prices import batches, played
from uara.solvers.hetedge import backwards
from uara.solvers.hetedge.backwards import cheapest_chain

from uara.base.quantities import Floats
from uara.hetedge.batch_kinds import kinds_of, ranked_by, rooms, tables_of
from uara.hetedge.instance import HetEdge
from uara.hetedge.least_slack import Asked, Found
from uara.hetedge.request_prices import least_chain, least_tail_ms


class Chain(NamedTuple):
    potential: Floats
    found: Found | None
    calls: list[tuple[int, int]]


def chain_of(
    instance: HetEdge, price: Floats, *, disjoint: bool, known: float = np.inf, looks: int = 10**9
) -> Chain:
    """The chain, where every position is said to cost ``known`` for the rest of it at first."""
    levels = instance.requests.prompt_tokens.tolist(), instance.requests.output_tokens.tolist()
    tables = tables_of(instance, *levels)
    ranked, _ = ranked_by(tables, price)
    kinds = kinds_of(tables, ranked, disjoint=disjoint)
    potential, calls = np.zeros(len(price) + 1), []
    answers = iter([False] * looks) if looks < 10**9 else None

    def write(first: int, stop: int, least: Floats) -> None:
        calls.append((first, stop))
        for i in range(stop - 1, first - 1, -1):
            least[i] = min(known, 1e9)

    asked = Asked(ranked.price, potential, disjoint, *rooms(instance))
    expired = (lambda: False) if answers is None else lambda: next(answers, True)
    found = cheapest_chain(kinds, asked, least_tail_ms(instance), write, expired)
    return Chain(potential, found, calls)


def truth(instance: HetEdge, price: Floats) -> list[float]:
    """(K + 1,) The least reduced cost of a chain from every position on; pairs share no request."""
    count, listed = len(price), batches(instance)
    times = {batch: batch_times(instance, list(batch[0]), batch[1]) for batch in listed}
    tail = min(each["send"] + min(each["first_verify"], each["verify"]) for each in times.values())
    groups = [[batch] for batch in listed]
    groups += [[a, b] for a, b in itertools.permutations(listed, 2) if not set(a[0]) & set(b[0])]
    fitting = [
        group
        for group in groups
        if memory_ok(instance, [[(list(members), length) for members, length in group]])
    ]
    least = [np.inf] * count + [0.0]
    for i in range(count - 1, -1, -1):
        for group in fitting:
            size = sum(len(members) for members, _ in group)
            if i + size > count:
                continue
            ends, free = played([times[batch] for batch in group], tail if i else 0.0)
            cost = sum(len(batch[0]) * end for batch, end in zip(group, ends, strict=True))
            cost += (count - i - size) * free - sum(price[k] for members, _ in group for k in members)
            least[i] = min(least[i], cost + least[i + size])
    return least


@settings(max_examples=12, deadline=None)
@given(st.integers(0, 10_000), st.sampled_from([0.0, 0.5, 2.0]))
def test_it_is_at_most_the_cheapest_chain_of_all_groups_and_nearly_that(seed: int, worth: float) -> None:
    rng = np.random.default_rng(seed)
    instance = make_hetedge(int(rng.integers(1, 4)), seed, longest_speculation=1)
    count = len(instance.requests)
    alone = truth(instance, np.zeros(count))[0] / count
    price = worth * alone * rng.uniform(0.5, 1.5, count)
    listed = np.array(truth(instance, price))
    potential, found, _ = chain_of(instance, price, disjoint=True)
    assert found is not None
    low = potential[0] + least_chain(found.slack, 2 * instance.parameters.largest_batch)
    size = float(np.abs(price).sum() + np.abs(listed).max())
    assert low <= listed[0] + 1e-9 * size
    assert low >= listed[0] - 0.05 * size
    assert (found.slack <= 0).all()
    shared, slack, _ = chain_of(instance, price, disjoint=False)
    assert slack is not None
    assert (
        shared[0] + least_chain(slack.slack, 2 * instance.parameters.largest_batch) <= listed[0] + 1e-9 * size
    )


@pytest.mark.parametrize("block", [1, 2, 3, 100])
def test_blocks_reach_every_position_from_the_last_to_the_first(
    block: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(backwards, "BLOCK", block)
    instance = make_hetedge(7, 4, longest_speculation=1)
    _, found, calls = chain_of(instance, np.full(7, 10.0), disjoint=False)
    assert found is not None
    assert calls[0][1] == 7
    assert calls[-1][0] == 0
    assert all(first < stop for first, stop in calls)
    assert [stop for _, stop in calls[1:]] == [first for first, _ in calls[:-1]]
    assert all(stop - first <= max(block, 1) for first, stop in calls)
    assert calls[-1] == (0, 1)  # the first position alone has a free verify node


def test_blocks_end_with_about_the_same_chain(monkeypatch: pytest.MonkeyPatch) -> None:
    instance = make_hetedge(7, 4, longest_speculation=2)
    price = np.full(7, 50.0)
    ends = []
    for block in (1, 3, 100):
        monkeypatch.setattr(backwards, "BLOCK", block)
        potential, found, _ = chain_of(instance, price, disjoint=False)
        assert found is not None
        ends.append(float(potential[0]) + least_chain(found.slack, 2 * instance.parameters.largest_batch))
    assert ends == pytest.approx([ends[0]] * 3, rel=1e-6)


@pytest.mark.parametrize("looks", [0, 1, 3])
def test_where_time_is_up_there_is_nothing(looks: int) -> None:
    instance = make_hetedge(7, 4, longest_speculation=1)
    assert chain_of(instance, np.full(7, 10.0), disjoint=False, looks=looks).found is None


def test_what_is_known_to_be_cheap_is_believed_no_more_than_it_is_true() -> None:
    """Potentials that are too low only stay so: what they prove is less, and no slack is made up."""
    instance = make_hetedge(5, 2, longest_speculation=1)
    price = np.full(5, 10.0)
    honest = chain_of(instance, price, disjoint=False)
    modest = chain_of(instance, price, disjoint=False, known=-1e6)
    assert honest.found is not None
    assert modest.found is not None
    assert (modest.potential[:-1] == -1e6).all()
    assert (modest.found.slack == 0).all()
    assert honest.potential[0] > -1e6
