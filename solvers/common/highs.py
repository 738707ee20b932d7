"""Running HiGHS so that Ctrl-C ends it."""

from __future__ import annotations

import threading
from typing import Any


def run(highs: Any) -> None:
    """Solve in a thread of its own, so that Ctrl-C arrives here: HiGHS is told to stop, then it goes on up.

    Not highspy's ``startSolve``: a Ctrl-C inside it leaves HiGHS running, or locked for the whole process.
    """
    stopped, ended = threading.Event(), threading.Event()

    def work() -> None:
        try:
            if not stopped.is_set():
                highs.run()
                highs.resetGlobalScheduler(False)
        finally:
            ended.set()

    thread = threading.Thread(target=work, daemon=True)
    try:
        thread.start()
        while not ended.wait(0.05):
            pass
    except BaseException:
        stopped.set()
        highs.cancelSolve()
        while thread.is_alive() and not ended.wait(0.05):  # else it will see that it is not wanted
            pass
        raise
