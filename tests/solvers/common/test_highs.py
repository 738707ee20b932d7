"""HiGHS in a thread: it solves, its errors and a Ctrl-C come through, and nothing goes on behind them."""

from __future__ import annotations

import threading
from typing import Any

import pytest
from uara.solvers.common import highs as module
from uara.solvers.common.highs import run


class Endless:
    """Stands for HiGHS: runs until it is told to stop."""

    def __init__(self) -> None:
        self.begun, self.told, self.over = (threading.Event() for _ in range(3))

    def run(self) -> None:
        self.begun.set()
        assert self.told.wait(30.0)
        self.over.set()

    def cancelSolve(self) -> None:  # noqa: N802 - HiGHS's name
        self.told.set()

    def resetGlobalScheduler(self, blocking: bool) -> None:  # noqa: N802
        assert not blocking


def test_a_program_is_solved() -> None:
    import highspy

    highs: Any = highspy.Highs()  # type: ignore[no-untyped-call]
    highs.setOptionValue("output_flag", False)
    highs.addVar(2.0, 5.0)
    highs.changeColCost(0, 3.0)
    run(highs)
    assert highs.getInfo().objective_function_value == 6.0


def test_ctrl_c_ends_it_and_goes_on_up(monkeypatch: pytest.MonkeyPatch) -> None:
    solver = Endless()

    class Interrupted(threading.Event):
        """The event on whose wait the main thread hears of the Ctrl-C, once HiGHS runs."""

        heard = False

        def wait(self, timeout: float | None = None) -> bool:
            if not Interrupted.heard and solver.begun.wait(30.0):
                Interrupted.heard = True
                raise KeyboardInterrupt
            return super().wait(timeout)

    class Threads:
        Event, Thread = Interrupted, threading.Thread

    monkeypatch.setattr(module, "threading", Threads)
    with pytest.raises(KeyboardInterrupt):
        run(solver)
    assert solver.over.is_set(), "nothing runs on"
