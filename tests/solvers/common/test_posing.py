"""A model is handed over before the time that is left is read."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
from cases import make_instance
from clocks import Hands
from uara.solvers.common.posing import posed

from uara import Options
from uara.base.clock import Clock
from uara.solver import Context


class Persistent:
    """A solver that translates a model by itself, which takes seconds."""

    def __init__(self, hands: Hands, takes_s: float) -> None:
        self.hands, self.takes_s, self.given = hands, takes_s, []  # type: tuple[Hands, float, list[Any]]
        self.config = SimpleNamespace(
            auto_updates={"check_for_new_objective": True, "update_parameters": True}
        )

    def set_instance(self, model: Any) -> None:
        self.given.append(model)
        self.hands.at_s += self.takes_s


def context_of(monkeypatch: pytest.MonkeyPatch, hands: Hands, limit_s: float) -> Context[Options]:
    monkeypatch.setattr("uara.solver.Clock", lambda: Clock(hands))
    return Context(make_instance(2, 1), Options(), time_limit_s=limit_s)


def test_the_time_that_handing_over_takes_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    hands = Hands()
    solver, model = Persistent(hands, 3.0), object()
    options = posed(solver, model, context_of(monkeypatch, hands, 10.0))
    assert solver.given == [model]
    assert options["time_limit"] == 7.0
    assert options["auto_updates"] == {"check_for_new_objective": False, "update_parameters": False}
    assert solver.config.auto_updates["update_parameters"]  # the solver's own settings stay


def test_no_time_is_left_where_it_took_all(monkeypatch: pytest.MonkeyPatch) -> None:
    hands = Hands()
    assert posed(Persistent(hands, 30.0), object(), context_of(monkeypatch, hands, 10.0))["time_limit"] == 0.0


def test_without_a_limit_none_is_set_and_others_are_handed_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    hands = Hands()
    context = context_of(monkeypatch, hands, float("inf"))
    assert set(posed(Persistent(hands, 1.0), object(), context)) == {"auto_updates"}
    assert posed(SimpleNamespace(), object(), context) == {}
    assert posed(SimpleNamespace(), object(), context_of(monkeypatch, hands, 5.0)) == {"time_limit": 5.0}
