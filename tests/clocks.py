"""Clocks for runs whose time must not be that of the machine."""

from __future__ import annotations

import pytest

from uara.base.clock import Clock


class Hands:
    """A clock that stands until it is moved, or that each look moves on."""

    def __init__(self, step_s: float = 0.0) -> None:
        self.at_s, self.step_s = 0.0, step_s

    def __call__(self) -> float:
        self.at_s += self.step_s
        return self.at_s


def set_clock(monkeypatch: pytest.MonkeyPatch, step_s: float = 0.0) -> Hands:
    """Every run from here on keeps the time of the clock that is returned."""
    hands = Hands(step_s)
    monkeypatch.setattr("uara.solver.Clock", lambda: Clock(hands))
    return hands
