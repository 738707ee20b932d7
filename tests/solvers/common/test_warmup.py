"""The rehearsal before the clock starts: which instance, which options, how often."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from cases import make_instance
from uara.solvers.common.warmup import knotty_instance, rehearse
from uara.solvers.exact import ExactOptions, compile_exact
from uara.solvers.milp.relaxation import compile_relaxation
from uara.solvers.milp.solver import compile_milp

from uara import Context, Instance, allocate, evaluate, solve
from uara.p1.smallest import smallest_instance
from uara.registry import NoOptions


def test_a_rehearsal_is_a_run_on_the_smallest_instance_by_default() -> None:
    seen: list[tuple[Instance, Context[Any]]] = []

    def function(instance: Instance, context: Context[Any]) -> None:
        seen.append((instance, context))

    options, own = ExactOptions(gap=0.5), make_instance(3, 2)
    rehearse(function, options)
    rehearse(function, NoOptions(), own)
    assert seen[0][0] is smallest_instance()
    assert seen[0][1].options is options
    assert seen[0][1].time_limit_s == np.inf
    assert seen[1][0] is own


def test_an_error_of_the_solver_is_not_hidden() -> None:
    def broken(instance: Instance, context: Context[Any]) -> None:
        raise ValueError("no machine code")

    with pytest.raises(ValueError, match="no machine code"):
        rehearse(broken, NoOptions())


def test_the_knotty_instance_is_made_once_and_is_one() -> None:
    instance = knotty_instance()
    assert knotty_instance() is instance
    assert (len(instance.devices), len(instance.servers)) == (14, 5)
    assert evaluate(instance, allocate(instance, np.zeros(14, dtype=int))).feasible
    two = solve(instance, "price", options={"gap": 1e-9})
    assert two.gap is not None
    assert two.gap > 1e-9  # neither prices nor one row close it, so that a rehearsal reaches the columns
    whole = solve(instance, "exact", options={"gap": 1e-9})
    assert whole.details["nodes"] >= 1
    assert whole.details["columns"] > 5
    assert whole.gap is not None
    assert whole.gap <= 1e-9 * (1 + 1e-6)


@pytest.mark.parametrize("prepare", [compile_exact, compile_milp, compile_relaxation])
def test_a_process_warms_up_once(prepare: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    prepare()
    monkeypatch.setattr("uara.solvers.common.warmup.rehearse", lambda *_: pytest.fail("again"))
    prepare()
