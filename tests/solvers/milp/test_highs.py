"""HiGHS stops when Ctrl-C comes, at whatever moment."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import pytest
from uara.solvers.common import highs


class Fake:
    """What HiGHS offers to ``run``, with a solve that lasts until it is cancelled."""

    def __init__(self) -> None:
        self.cancelled, self.running, self.begun = threading.Event(), threading.Event(), threading.Event()

    def run(self) -> None:
        self.running.set()
        self.begun.set()
        self.cancelled.wait(60)
        self.running.clear()

    def cancelSolve(self) -> None:  # noqa: N802
        self.cancelled.set()

    def resetGlobalScheduler(self, blocking: bool) -> None:  # noqa: N802
        pass


def interrupt_before(real: Callable[..., Any]) -> Callable[..., Any]:
    def broken(*_: Any, **__: Any) -> Any:
        raise KeyboardInterrupt

    return broken


def interrupt_after(real: Callable[..., Any]) -> Callable[..., Any]:
    def broken(*words: Any, **more: Any) -> Any:
        real(*words, **more)
        raise KeyboardInterrupt

    return broken


@pytest.mark.parametrize("moment", [interrupt_before, interrupt_after])
def test_a_ctrl_c_while_the_thread_starts_leaves_nothing_running(
    monkeypatch: pytest.MonkeyPatch, moment: Callable[..., Any]
) -> None:
    fake, start = Fake(), threading.Thread.start
    with monkeypatch.context() as patch:
        patch.setattr(threading.Thread, "start", moment(start))
        with pytest.raises(KeyboardInterrupt):
            highs.run(fake)
    assert not fake.running.is_set()
    others = [thread for thread in threading.enumerate() if thread is not threading.main_thread()]
    assert not [thread for thread in others if "work" in thread.name]


def test_a_ctrl_c_while_it_solves_cancels_it(monkeypatch: pytest.MonkeyPatch) -> None:
    fake, wait = Fake(), threading.Event.wait
    pending = [True]

    def interrupted(event: threading.Event, timeout: float | None = None) -> bool:
        if timeout == 0.05 and pending and fake.begun.is_set():
            pending.clear()
            raise KeyboardInterrupt
        return wait(event, timeout)

    monkeypatch.setattr(threading.Event, "wait", interrupted)
    with pytest.raises(KeyboardInterrupt):
        highs.run(fake)
    assert fake.cancelled.is_set()
    assert not fake.running.is_set()


def test_after_a_ctrl_c_another_model_is_solved() -> None:
    """highspy's own ``startSolve`` would hold a lock of the whole process for ever."""
    import highspy

    real = threading.Thread.start

    def broken(thread: threading.Thread) -> None:
        raise KeyboardInterrupt

    model = highspy.Highs()
    model.setOptionValue("output_flag", False)
    threading.Thread.start = broken  # type: ignore[method-assign]
    try:
        with pytest.raises(KeyboardInterrupt):
            highs.run(model)
    finally:
        threading.Thread.start = real  # type: ignore[method-assign]
    ended: list[bool] = []
    other = highspy.Highs()
    other.setOptionValue("output_flag", False)
    thread = threading.Thread(target=lambda: (highs.run(other), ended.append(True)), daemon=True)
    thread.start()
    thread.join(20)
    assert ended == [True]
