"""One run under supervision: start it, enforce its limits, collect what it says, say how it ended.

Times are this process's own: the run's clock goes from the moment at which the instance is handed over, after
the solver is prepared, to the arrival of the whole answer. Nothing is taken off it on the run's word.
"""

from __future__ import annotations

import os
import pickle
import select
import signal
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from multiprocessing.connection import wait

import psutil

from uara.base.errors import InputError
from uara.base.files import Record
from uara.bench.execution import isolate, messages
from uara.bench.execution.messages import Failed, Prepared, Report

POLL_S = 0.05
_FAMILY_S = 0.5  # looking for the run's own children means reading the whole process table
_SHARED_PART = 0.1  # at most this part of the time goes into asking what they share
_CLOSED_S = 5.0  # a process that closed its channel is given so long to end
_MB = 1e6

Hear = Callable[[float, Report], None]
"""Takes the seconds that a run has had, and what it reports; an exception ends the run."""


@dataclass(frozen=True)
class Allowance:
    """Limits of one run."""

    time_limit_s: float
    memory_limit_mb: float
    threads: int = 1
    setup_limit_s: float = 300.0
    """For imports and compilation, and again for re-computing the bound of an answer."""
    grace_s: float = 2.0

    @property
    def last_s(self) -> float:
        """Seconds after it was given its instance at which the run is ended."""
        return self.time_limit_s * 1.1 + self.grace_s


@dataclass
class Outcome:
    """How a run ended. ``status`` is ``ok`` here as soon as there is an answer; scoring comes later."""

    status: str = ""
    reason: str = ""
    answer: Record | None = None
    """What the work returned: of the right form, and nothing more."""
    setup_s: float | None = None
    ran_s: float | None = None
    """Seconds from handing over the instance to the answer, or to the end without one."""
    returned: bool = False
    """Whether its solver returned what could not be used, by its own word."""
    wall_s: float = 0.0
    peak_memory_mb: float = 0.0
    threads_seen: int = 0
    log: str = ""


def supervise(
    job: bytes,
    problem: bytes,
    allowance: Allowance,
    *,
    answer: type[Record],
    hear: Hear | None = None,
    parent: int | None = None,
) -> Outcome:
    """Run a job in a process of its own.

    Parameters
    ----------
    job
        A pickled :class:`uara.bench.execution.child.Work`.
    problem
        The pickled instance; it is handed over when the solver is prepared.
    answer
        The form of its answer.
    hear
        Takes what the run reports on the way; a run that nobody listens to may not report.
    parent
        Process without which this one has no purpose: when it is gone, the run and this process end.
    """
    began = time.monotonic()
    process = isolate.process(allowance.threads)
    try:
        watch = _Watch(process, allowance, problem, answer, hear)
        outcome = watch.outcome(job, parent)
        process.template.fork_ahead()
    finally:
        log = process.close()
    outcome.wall_s, outcome.log = time.monotonic() - began, messages.tidy_log(log)
    return outcome


class _Watch:
    def __init__(
        self,
        process: isolate.Process,
        allowance: Allowance,
        problem: bytes,
        answer: type[Record],
        hear: Hear | None,
    ) -> None:
        self.process, self.allowance, self.problem, self.hear = process, allowance, problem, hear
        self.result = Outcome()
        self.due: dict[str, type[Record]] = {"prepared": Prepared, "failed": Failed}
        self.then: dict[str, type[Record]] = {"answer": answer, "failed": Failed}
        if hear is not None:
            self.then["point"] = Report
        self.frames = messages.Frames()
        self.outbox = memoryview(b"")
        self.began = self.heard_at = time.monotonic()
        self.given_at: float | None = None
        self.deadline = self.began + allowance.setup_limit_s
        self.late = f"imports and compilation took more than {allowance.setup_limit_s:g} s"
        self.meter = _Meter(process, self.result)

    def outcome(self, job: bytes, parent: int | None) -> Outcome:
        process = self.process
        self.outbox = memoryview(messages.framed(job))
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
            self.outbox = self.outbox[self.process.channel.send(self.outbox[: isolate.PIECE]) :]

    def _receive(self) -> None:
        try:
            data = self.process.channel.recv(isolate.PIECE)
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
                self._heed(messages.read(frame, self.due))
                if self.result.status:
                    return
        except InputError as error:
            self._end("error", f"sent what is no message: {error}")

    def _heed(self, message: Record) -> None:
        now = self.heard_at
        if isinstance(message, Prepared):
            given = self.allowance
            self.due = self.then
            self.result.setup_s = now - self.began
            self.given_at, self.deadline = now, now + given.last_s
            self.late = f"still ran {given.last_s:g} s after it was given {given.time_limit_s:g} s"
            self.outbox = memoryview(bytes(self.outbox) + messages.framed(pickle.dumps(self.problem)))
        elif isinstance(message, Report) and self.hear is not None and self.given_at is not None:
            try:
                self.hear(now - self.given_at, message)
            except Exception as error:
                self._end("error", f"reported what cannot be scored: {type(error).__name__}: {error}")
        elif isinstance(message, Failed):
            self.result.returned = message.returned
            self._end(message.status, message.reason)
        else:
            self.result.answer = message
            self._end("ok")

    def _closed(self) -> None:
        """Its end of the channel is closed: it is over, or ought to be."""
        until = time.monotonic() + _CLOSED_S
        while not self.process.ended and wait([self.process.status], max(0.0, until - time.monotonic())):
            self.process.hear()
        if self.process.ended:
            self._end(*self._died())
        else:
            self._end("error", "closed its channel without an answer" + self.frames.pending)

    def _died(self) -> tuple[str, str]:
        return "error", died(self.process.exit_code) + self.frames.pending

    def _check(self, parent: int | None) -> None:
        self.meter.read()
        limit = self.allowance.memory_limit_mb
        if self.result.peak_memory_mb > limit:
            self._end("memory", f"used {self.result.peak_memory_mb:.0f} MB, more than {limit:g} MB")
        elif time.monotonic() >= self.deadline:
            self._end("timeout", self.late + self.frames.pending)
        elif parent is not None and os.getppid() != parent:
            self.process.kill()
            os._exit(1)

    def _end(self, status: str, reason: str = "") -> None:
        if self.given_at is not None:
            self.result.ran_s = (self.heard_at if status == "ok" else time.monotonic()) - self.given_at
        self.meter.read()
        self.result.status, self.result.reason = status, messages.tidy(reason)


class _Meter:
    """Memory and threads of a run and all its children."""

    def __init__(self, process: isolate.Process, result: Outcome) -> None:
        self.process, self.result = process, result
        self.family: list[psutil.Process] = []
        self.family_at = self.shared_at = 0.0

    def read(self) -> None:
        """Look at them, and keep the most that was seen."""
        run, watcher, now = self.process.run, self.process.watcher, time.monotonic()
        if run is None or watcher is None:
            return
        if now - self.family_at > _FAMILY_S:
            self.family_at = now
            with suppress(psutil.Error):  # the run, and what it left to its watcher
                self.family = watcher.children(recursive=True)
        members = {run, *self.family}
        used = threads = 0
        for process in members:
            with suppress(psutil.Error):
                used += process.memory_info().rss
                threads += process.num_threads()
        most = self.result.peak_memory_mb * _MB
        if len(members) > 1 and used > most:  # what they share was counted once for each
            used = 0
            if now >= self.shared_at:
                used = sum(map(_part_of, members))
                spent = time.monotonic() - now
                self.shared_at = now + spent / _SHARED_PART
        self.result.peak_memory_mb = max(most, used) / _MB
        self.result.threads_seen = max(self.result.threads_seen, threads)


def _part_of(process: psutil.Process) -> int:
    """Resident bytes of a process; a page that n processes share counts 1/n, where the system tells."""
    with suppress(psutil.NoSuchProcess):
        try:
            full = process.memory_full_info()
            return int(getattr(full, "pss", full.rss))
        except psutil.AccessDenied:
            return int(process.memory_info().rss)
    return 0


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
