"""Work under supervision: start a worker, enforce its limits, collect what it says, say how it ended.

Times are this process's own: the clock goes from the moment at which the content is handed over, after the worker
has prepared, to the arrival of the whole answer. Nothing is taken off it on the worker's word.
"""

from __future__ import annotations

import os
import select
import signal
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from uara.base.errors import InputError, UaraError
from uara.base.files import Record
from uara.isolation import messages
from uara.isolation.messages import Failed, Prepared
from uara.isolation.meter import Meter
from uara.isolation.process import PIECE, Process
from uara.isolation.template import Home, process

POLL_S = 0.05
_CLOSED_S = 5.0  # a process that closed its channel is given so long to end
_MB = 1e6

Hear = Callable[[float, Any], object]
"""Takes the seconds that a worker has had, and what it reports; an exception ends the worker."""


@dataclass(frozen=True)
class Allowance:
    """Limits of one piece of work."""

    time_limit_s: float
    memory_limit_mb: float
    threads: int = 1
    setup_limit_s: float = 300.0
    """For imports and compilation."""
    grace_s: float = 2.0
    log_bytes: int = 4000
    """Of what the worker prints, the last that is kept."""

    @property
    def last_s(self) -> float:
        """Seconds after it was given its content at which the worker is ended."""
        return self.time_limit_s * 1.1 + self.grace_s


@dataclass
class Outcome:
    """How work ended. ``status`` is ``ok`` here as soon as there is an answer; scoring comes later."""

    status: str = ""
    reason: str = ""
    answer: Record | None = None
    """What the work returned: of the right form, and nothing more."""
    setup_s: float | None = None
    ran_s: float | None = None
    """Seconds from handing over the content to the answer, or to the end without one."""
    returned: bool = False
    """Whether the code under trial returned what could not be used, by its own word."""
    error: UaraError | None = None
    """What the work raised, where that was one of uara's own errors."""
    wall_s: float = 0.0
    peak_memory_mb: float = 0.0
    threads_seen: int = 0
    log: str = ""


@dataclass(frozen=True)
class Assignment:
    """What a worker is asked to do, and the forms of what it may say."""

    home: Home
    work: bytes
    """A pickled :class:`uara.isolation.line.Work`."""
    answer: type[Record]
    content: bytes = b""
    """What the work is done on; it is handed over when the worker has prepared."""
    point: type[Record] | None = None
    """What it may report on the way, if anything."""


def supervise(
    asked: Assignment, allowance: Allowance, *, hear: Hear | None = None, parent: int | None = None
) -> Outcome:
    """Have a process of its own do some work.

    Parameters
    ----------
    hear
        Takes what the worker reports on the way.
    parent
        Process without which this one has no purpose: when it is gone, the worker and this process end.
    """
    began = time.monotonic()
    worker = process(asked.home, allowance.threads)
    worker.log_bytes = allowance.log_bytes
    try:
        watch = _Watch(worker, asked, allowance, hear)
        outcome = watch.outcome(parent)
        worker.template.fork_ahead()
    finally:
        log = worker.close()
    outcome.wall_s, outcome.log = time.monotonic() - began, messages.tidy_log(log)
    return outcome


class _Watch:
    def __init__(self, process: Process, asked: Assignment, allowance: Allowance, hear: Hear | None) -> None:
        self.process, self.asked, self.allowance, self.hear = process, asked, allowance, hear
        self.result = Outcome()
        self.due: dict[str, type[Record]] = {"prepared": Prepared, "failed": Failed}
        self.frames = messages.Frames()
        self.outbox = memoryview(messages.framed(asked.work))
        self.began = self.heard_at = time.monotonic()
        self.given_at: float | None = None
        self.deadline = self.began + allowance.setup_limit_s
        self.late = f"imports and compilation took more than {allowance.setup_limit_s:g} s"
        self.meter = Meter(process)

    def outcome(self, parent: int | None) -> Outcome:
        process = self.process
        poll = select.poll()
        poll.register(process.status, select.POLLIN)
        poll.register(process.log, select.POLLIN)
        while not self.result.status:
            poll.register(process.channel, select.POLLIN | (select.POLLOUT if self.outbox else 0))
            pause = max(0.0, min(POLL_S, self.deadline - time.monotonic()))
            ready = dict(poll.poll(pause * 1e3))
            if process.log in ready and not process.read_log():
                poll.unregister(process.log)
            event = ready.get(process.channel.fileno(), 0)
            if event & select.POLLOUT:
                self._send()
            if event & ~select.POLLOUT:
                self._receive()
            elif process.status.fileno() in ready:
                process.hear()
                if process.ended:
                    self._end(*self._died())
            if not self.result.status:
                self._check(parent)
        process.kill()
        return self.result

    def _send(self) -> None:
        with suppress(BlockingIOError, ConnectionError):  # an end that is closed is seen where it is read
            self.outbox = self.outbox[self.process.channel.send(self.outbox[:PIECE]) :]

    def _receive(self) -> None:
        try:
            data = self.process.channel.recv(PIECE)
        except BlockingIOError:
            return
        except ConnectionError:
            data = b""
        if not data:
            self._closed()
            return
        self.heard_at = time.monotonic()
        try:
            for frame in self.frames.feed(data):
                self._heed(*messages.read(frame, self.due))
                if self.result.status:
                    return
        except InputError as error:
            self._end("error", f"sent what is no message: {error}")

    def _heed(self, kind: str, message: Record) -> None:
        now = self.heard_at
        if isinstance(message, Prepared):
            given = self.allowance
            self.due = {"answer": self.asked.answer, "failed": Failed}
            if self.asked.point is not None:
                self.due["point"] = self.asked.point
            self.result.setup_s = now - self.began
            self.given_at, self.deadline = now, now + given.last_s
            self.late = f"still ran {given.last_s:g} s after it was given {given.time_limit_s:g} s"
            self.outbox = memoryview(bytes(self.outbox) + messages.framed(self.asked.content))
        elif isinstance(message, Failed):
            self.result.returned, self.result.error = message.returned, message.rebuilt()
            self._end(message.status, message.reason)
        elif kind == "answer":
            self.result.answer = message
            self._end("ok")
        elif self.hear is not None and self.given_at is not None:
            try:
                self.hear(now - self.given_at, message)
            except Exception as error:
                self._end("error", f"reported what cannot be scored: {type(error).__name__}: {error}")

    def _closed(self) -> None:
        """Its end of the channel is closed: it is over, or ought to be."""
        if self.process.hear_until(lambda: self.process.ended, _CLOSED_S):
            self._end(*self._died())
        else:
            self._end("error", "closed its channel without an answer" + self.frames.pending)

    def _died(self) -> tuple[str, str]:
        return "error", died(self.process.exit_code) + self.frames.pending

    def _check(self, parent: int | None) -> None:
        self.meter.read()
        used_mb, limit_mb = self.meter.peak_bytes / _MB, self.allowance.memory_limit_mb
        if used_mb > limit_mb:
            self._end("memory", f"used {used_mb:.0f} MB, more than {limit_mb:g} MB")
        elif time.monotonic() >= self.deadline:
            self._end("timeout", self.late + self.frames.pending)
        elif parent is not None and os.getppid() != parent:
            self.process.kill()
            os._exit(1)

    def _end(self, status: str, reason: str = "") -> None:
        if self.given_at is not None:
            self.result.ran_s = (self.heard_at if status == "ok" else time.monotonic()) - self.given_at
        self.meter.read()
        self.result.peak_memory_mb, self.result.threads_seen = self.meter.peak_bytes / _MB, self.meter.threads
        self.result.status, self.result.reason = status, messages.tidy(reason)


def died(code: int | None) -> str:
    """How a process ended that has not answered, in words."""
    if code is None:
        return "the process that watches it ended before it"
    if code >= 0:
        return f"its process ended with exit code {code} and without an answer"
    try:
        name = signal.Signals(-code).name
    except ValueError:
        name = f"signal {-code}"
    hint = ", perhaps by the system for want of memory" if -code == signal.SIGKILL else ""
    return f"its process was ended by {name}{hint}"
