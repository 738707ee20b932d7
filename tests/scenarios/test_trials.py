from __future__ import annotations

import numpy as np
import pytest

from uara.base.errors import InputError
from uara.problem import evaluate
from uara.scenarios.trials import optimum, trials

from ..cases import make_instance


def test_trials_are_small_different_and_solved_by_enumeration() -> None:
    found = trials()
    assert len({each.digest for each in found}) == len(found) >= 10
    rng = np.random.default_rng(0)
    for instance in found:
        best = evaluate(instance, optimum(instance))
        assert best.feasible
        start, server = instance.channel.pair_start, instance.channel.pair_server
        from uara import allocate

        for _ in range(5):
            picks = start[:-1] + (rng.random(len(start) - 1) * np.diff(start)).astype(int)
            other = evaluate(instance, allocate(instance, server[picks]))
            assert other.objective_ms >= best.objective_ms - 1e-9 * abs(best.controllable_ms)


def test_enumeration_refuses_what_is_too_much() -> None:
    with pytest.raises(InputError, match="more than 2000"):
        optimum(make_instance(20, 3))
