"""Slacks against lists of all groups."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hetedge_cases import make_hetedge

from uara.hetedge.batch_kinds import kinds_of, rooms
from uara.hetedge.least_slack import Asked, Found, Stretch, alone_slacks, pair_slacks
from uara.hetedge.played import played


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("disjoint", [False, True])
def test_slacks_only_sink_and_name_the_group_that_has_them(seed: int, disjoint: bool) -> None:
    instance = make_hetedge(6, seed, longest_speculation=2)
    rng = np.random.default_rng(seed)
    price = rng.uniform(10, 2000, 6)
    levels = instance.requests.prompt_tokens.tolist(), instance.requests.output_tokens.tolist()
    ranked, kinds = kinds_of(instance, price, *levels, disjoint=disjoint)
    potential = rng.uniform(-500, 500, 7)
    asked = Asked(ranked.price, potential, disjoint, *rooms(instance))
    stretch, widest = Stretch(1, 5, 3.0), len(kinds.start) - 1
    found = Found(np.zeros(6), np.full(6, -1), np.full(6, -1))
    alone_slacks(kinds, asked, stretch, found)
    after_alone = found.slack.copy()
    assert (after_alone <= 0).all()
    assert (found.second == -1).all()
    for size_a, size_b in itertools.product(range(1, widest + 1), repeat=2):
        before = found.slack.copy()
        pair_slacks(kinds, asked, stretch, size_a, size_b, found)
        assert (found.slack <= before).all()
    assert found.slack[0] == 0.0  # outside of the stretch
    for i in np.flatnonzero(found.slack < 0):
        t, u = int(found.first[i]), int(found.second[i])
        sizes = [int(np.searchsorted(kinds.start, kind, side="right")) for kind in (t, u) if kind >= 0]
        end_a, end_b, free = played(kinds.cost[t], kinds.cost[u] if u >= 0 else np.zeros(9), 3.0)
        cost = sizes[0] * end_a + (sizes[1] * end_b if u >= 0 else 0.0) + (6 - i - sum(sizes)) * free
        worth = kinds.worth[t] + (kinds.worth[u] if u >= 0 else 0.0)
        slack = cost - worth - potential[i] + potential[i + sum(sizes)]
        if u >= 0 and disjoint:  # their requests may have to be shared out, which is worth less
            assert found.slack[i] >= slack - 1e-9 * (abs(slack) + 1)
        else:
            assert found.slack[i] == pytest.approx(slack, rel=1e-9)
