"""One run under supervision: start it, enforce its limits, collect what it says, say how it ended."""

from __future__ import annotations

import io
import os
import pickle
import signal
import time
from contextlib import suppress
from dataclasses import dataclass, field
from multiprocessing.connection import wait
from typing import Any

import psutil

from uara.bench import zygote
from uara.bench.child import Failure

POLL_S = 0.05
_FAMILY_S = 0.5  # looking for the run's own children means reading the whole process table
_MB = 1e6

Point = tuple[float, float, float, float, float]
"""elapsed_s, objective_ms, controllable_ms, bound_ms, gap."""


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
        """Seconds after the solver's clock began at which the run is ended."""
        return self.time_limit_s * 1.1 + self.grace_s


@dataclass
class Outcome:
    """How a run ended. ``status`` is ``ok`` here as soon as there is an answer; scoring comes later."""

    status: str = ""
    reason: str = ""
    answer: Any = None
    """What the work returned; nothing of it has been checked."""
    points: list[Point] = field(default_factory=list)
    setup_s: float | None = None
    ran_s: float | None = None
    """Seconds from the call of the solver to its end, if it was called and did not return."""
    wall_s: float = 0.0
    peak_memory_mb: float = 0.0
    threads_seen: int = 0
    log: str = ""


def supervise(job: bytes, allowance: Allowance, *, parent: int | None = None) -> Outcome:
    """Run a job in a process of its own.

    Parameters
    ----------
    job
        A pickled :class:`uara.bench.child.Work`.
    parent
        Process without which this one has no purpose: when it is gone, the run and this process end.
    """
    began = time.monotonic()
    process = zygote.template(allowance.threads).process()
    try:
        outcome = _Watch(process, job, allowance, parent).outcome()
        process.template.fork_ahead()
    finally:
        log = process.close()
    outcome.wall_s, outcome.log = time.monotonic() - began, log
    return outcome


class _Watch:
    def __init__(self, process: zygote.Process, job: bytes, allowance: Allowance, parent: int | None) -> None:
        self.process, self.job, self.allowance, self.parent = process, job, allowance, parent
        self.result = Outcome()
        self.deadline = time.monotonic() + allowance.setup_limit_s
        self.called_at: float | None = None
        self.late = f"imports and compilation took more than {allowance.setup_limit_s:g} s"
        self.seen: psutil.Process | None = None
        self.watcher: psutil.Process | None = None
        self.family: list[psutil.Process] = []
        self.family_at = 0.0

    def outcome(self) -> Outcome:
        while not self.result.status:
            pause = max(0.0, min(POLL_S, self.deadline - time.monotonic()))
            ready = wait([self.process.channel, self.process.status], pause)
            if self.process.channel in ready:
                self._receive()
            elif self.process.status in ready:
                self._end(*_died(self.process.exit_code()))
            if not self.result.status:
                self._check()
        self.process.kill()
        return self.result

    def _receive(self) -> None:
        try:
            kind, content = _read(self.process.channel.recv_bytes())
        except (EOFError, ConnectionError):
            if not wait([self.process.status], zygote.FAREWELL_S):
                self.process.kill()  # it closed its end and lives on
            self._end(*_died(self.process.exit_code()))
            return
        except Exception as error:  # no message of ours, or more than plain data
            self._end("error", f"its answer cannot be read: {type(error).__name__}: {error}")
            return
        result = self.result
        if kind == "started":
            self.process.pid = content
            with suppress(psutil.Error):
                self.seen = psutil.Process(content)
                self.watcher = self.seen.parent()
            self.process.channel.send_bytes(self.job)
        elif kind == "prepared":
            result.setup_s = content
        elif kind == "called":
            given = self.allowance
            self.called_at = time.monotonic()
            self.deadline = time.monotonic() + given.last_s
            self.late = f"still ran {given.last_s:g} s after it was given {given.time_limit_s:g} s"
        elif kind == "returned":
            self.called_at = None
            limit = self.allowance.setup_limit_s
            self.deadline = time.monotonic() + limit
            self.late = f"re-computing its bound and packing its answer took more than {limit:g} s"
        elif kind == "point":
            result.points.append(content)
        elif kind == "answer":
            self._measure()
            result.answer = content
            self._end("ok")
        else:
            failure: Failure = content
            self._measure()
            self._end(failure.status, failure.reason)

    def _check(self) -> None:
        self._measure()
        limit = self.allowance.memory_limit_mb
        if self.result.peak_memory_mb > limit:
            self._end("memory", f"used {self.result.peak_memory_mb:.0f} MB, more than {limit:g} MB")
        elif time.monotonic() >= self.deadline:
            self._end("timeout", self.late)
        elif self.parent is not None and os.getppid() != self.parent:
            self.process.kill()
            os._exit(1)

    def _measure(self) -> None:
        if self.seen is None or self.watcher is None:
            return
        if time.monotonic() - self.family_at > _FAMILY_S:
            self.family_at = time.monotonic()
            with suppress(psutil.Error):
                self.family = self.watcher.children(
                    recursive=True
                )  # the run, and what it left to its watcher
        used = threads = 0
        for process in {self.seen, *self.family}:
            with suppress(psutil.Error):
                used += process.memory_info().rss
                threads += process.num_threads()
        self.result.peak_memory_mb = max(self.result.peak_memory_mb, used / _MB)
        self.result.threads_seen = max(self.result.threads_seen, threads)

    def _end(self, status: str, reason: str = "") -> None:
        if self.called_at is not None:
            self.result.ran_s = time.monotonic() - self.called_at
        self.result.status, self.result.reason = status, reason


class _Reader(pickle.Unpickler):
    """Reads what a run sends: numbers, words, arrays and the toolkit's classes, whose code may run here."""

    def find_class(self, module: str, name: str) -> Any:
        if module.partition(".")[0] not in ("uara", "numpy"):
            raise pickle.UnpicklingError(f"{module}.{name} is not plain data")
        return super().find_class(module, name)


def _read(message: bytes) -> Any:
    return _Reader(io.BytesIO(message)).load()


def _died(code: int | None) -> tuple[str, str]:
    if code is None:
        return "error", "the process that runs are forked from ended"
    if code >= 0:
        return "error", f"its process ended with exit code {code} and without an answer"
    try:
        name = signal.Signals(-code).name
    except ValueError:
        name = f"signal {-code}"
    hint = ", perhaps by the system for want of memory" if -code == signal.SIGKILL else ""
    return "error", f"its process was ended by {name}{hint}"
