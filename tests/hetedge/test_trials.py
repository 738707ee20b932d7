"""The instances that solvers of the batched system are tried on: small, different, made once."""

from __future__ import annotations

import uara
from uara.hetedge.trials import large, trials


def test_each_is_solved_and_of_its_own_regime() -> None:
    found = {each.name: each for each in trials()}
    assert len({each.digest for each in found.values()}) == len(found) == len(trials())
    sizes = {name: len(each.requests) for name, each in found.items()}
    assert sizes["one-request"] == 1
    assert max(sizes.values()) <= 6
    for instance in found.values():
        assert uara.solve(instance, "hetedge-rules").evaluation.feasible


def test_they_are_made_once() -> None:
    assert trials() is trials()


def test_a_large_one_is_large() -> None:
    assert len(large().requests) == 2000
