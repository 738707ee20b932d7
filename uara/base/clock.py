"""The clock of a run: it stands while answers are scored and progress is shown."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar

_SECONDS: ContextVar[Callable[[], float]] = ContextVar("seconds", default=time.perf_counter)


@contextmanager
def processor_time() -> Iterator[None]:
    """Clocks made in this block count the seconds of the processor, whoever else uses it: for measurements."""
    before = _SECONDS.set(time.process_time)
    try:
        yield
    finally:
        _SECONDS.reset(before)


class Clock:
    """Wall time since the start, without the time spent in :meth:`paused`.

    Parameters
    ----------
    now
        Where the seconds come from; the wall, unless in :func:`processor_time`.

    Attributes
    ----------
    rung
        Whether the run's time limit has been reached.
    """

    def __init__(self, now: Callable[[], float] | None = None) -> None:
        self._now = now or _SECONDS.get()
        self._start = self._now()
        self._paused_s = 0.0
        self._stopped_at: float | None = None
        self.rung = False

    def wall_s(self) -> float:
        """Seconds since the start, pauses included."""
        return self._now() - self._start

    def elapsed_s(self) -> float:
        """Seconds on the clock."""
        now = self._now() if self._stopped_at is None else self._stopped_at
        return now - self._start - self._paused_s

    @contextmanager
    def paused(self) -> Iterator[None]:
        """Time in this block does not count; a block within one changes nothing."""
        if self._stopped_at is not None:
            yield
            return
        self._stopped_at = self._now()
        try:
            yield
        finally:
            self._paused_s += self._now() - self._stopped_at
            self._stopped_at = None
