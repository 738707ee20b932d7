"""Algorithm 1 by a policy that sees who is served where: ends are searched under its weights, the best is kept."""

from __future__ import annotations

import numpy as np
import pytest
from cases import make_instance, random_association
from uara.solvers.masac.association import associate, by_cost, cost_ms, shared
from uara.solvers.masac.looked_at import looked_at
from uara.solvers.masac.policy import Policy

from uara.p1.model import coefficients, evaluate


def test_the_answer_is_no_worse_than_any_of_its_starts_and_ends() -> None:
    policy = Policy.load()
    for seed in range(4):
        instance = make_instance(25, 5, seed, payload=10.0**seed)
        numbers, sight = coefficients(instance), policy.sight(instance)
        starts = [random_association(instance, seed), by_cost(numbers, np.exp(sight.wishes()))]
        best = evaluate(instance, looked_at(numbers, sight, starts)).controllable_ms
        for start in starts:
            band, compute = np.exp(sight.log_weights(numbers.pairs_of(start)[None])[0]).T
            end = associate(numbers, band, compute, start)
            for each in (start, end):
                pair = numbers.pairs_of(each)
                answer = shared(numbers, each, *np.exp(sight.at_members(pair[None])[0]).T)
                assert best <= evaluate(instance, answer).controllable_ms * (1 + 1e-9)


def test_without_time_the_starts_are_answered(monkeypatch: pytest.MonkeyPatch) -> None:
    instance = make_instance(25, 5, 1)
    numbers, sight = coefficients(instance), Policy.load().sight(instance)
    start = random_association(instance, 1)
    told: list[object] = []
    monkeypatch.setattr("uara.solvers.masac.looked_at.AT_ONCE", 1)
    answer = looked_at(numbers, sight, [start], lambda: True, told.append)
    np.testing.assert_array_equal(answer.association, start)
    assert len(told) == 1


@pytest.mark.parametrize("seed", range(3))
def test_costs_are_the_scorers(seed: int) -> None:
    instance = make_instance(20, 4, seed, payload=100.0)
    numbers, start = coefficients(instance), random_association(instance, seed)
    rng = np.random.default_rng(seed)
    answer = shared(numbers, start, rng.uniform(0.01, 1, 20), rng.uniform(0.1, 1, 20))
    score = evaluate(instance, answer)
    assert score.feasible
    assert cost_ms(numbers, numbers.pairs_of(start), answer) == pytest.approx(
        score.controllable_ms, rel=1e-12
    )


def test_the_second_start_is_each_devices_cheapest_server_beside_those_before() -> None:
    """Against the rise of each server's cost, computed device by device."""
    numbers = coefficients(make_instance(15, 4, 5, missing=0.0))
    share = np.full(len(numbers.server), 0.2)
    chosen, roots = by_cost(numbers, share), np.zeros(4)
    gap = numbers.local_ms - numbers.uplink_ms / share
    alone = numbers.wait_ms + numbers.sync_weight_per_ms * gap**2 + numbers.band_cost_ms * share
    for device in np.argsort(-numbers.of_devices(numbers.root_work), kind="stable"):
        mine = slice(numbers.start[device], numbers.start[device + 1])
        root = numbers.root_work[mine]
        rise = ((roots + root) ** 2 - roots**2) / numbers.work_per_ms + alone[mine]
        assert rise[chosen[device]] == pytest.approx(rise.min(), rel=1e-9)
        roots[chosen[device]] += root[0]
