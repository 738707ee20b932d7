"""The processes that workers are forked from, kept from one piece of work to the next.

A fresh interpreter for every piece of work would add its start to each. The next worker is forked, and waits, while
the last one's is being cleared away. None outlives the process that started it.
"""

from __future__ import annotations

import atexit
import os
import socket
import subprocess
import sys
import threading
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass

import psutil

from uara.base.errors import UaraError
from uara.isolation.process import START_S, Process
from uara.isolation.watcher import end_family

THREAD_VARIABLES = (
    "OMP_NUM_THREADS",
    "OPENBLAS_NUM_THREADS",
    "MKL_NUM_THREADS",
    "NUMEXPR_NUM_THREADS",
    "VECLIB_MAXIMUM_THREADS",
    "NUMBA_NUM_THREADS",
    "RAYON_NUM_THREADS",
    "TBB_NUM_THREADS",
)
"""Environment variables that pin the threads of numerical libraries."""


@dataclass(frozen=True)
class Home:
    """Where workers come from."""

    preload: str
    """Module that their template imports. If it has a function ``later``, that is called after the first fork: the
    first worker loads for itself what later ones find."""
    environment: Mapping[str, str] | None = None
    """Theirs; None: this process's own."""

    def surroundings(self, threads: int) -> dict[str, str]:
        """Environment of workers, this process's module path included, with the threads pinned."""
        path = os.pathsep.join(entry or os.getcwd() for entry in sys.path)
        pinned = dict.fromkeys(THREAD_VARIABLES, str(threads))
        given = os.environ if self.environment is None else self.environment
        return {**given, **pinned, "OMP_WAIT_POLICY": "PASSIVE", "PYTHONPATH": path}


class Template:
    """The process that workers are forked from."""

    def __init__(self, preload: str, environment: Mapping[str, str]) -> None:
        self.environment = environment
        self.control, theirs = socket.socketpair()
        self._next: Process | None = None
        program = "from uara.isolation.watcher import main; main()"
        with theirs:
            self._process = subprocess.Popen(
                [sys.executable, "-P", "-c", program, str(theirs.fileno()), preload],
                pass_fds=[theirs.fileno()],
                env=environment,
                stdin=subprocess.DEVNULL,
                start_new_session=True,  # an interrupt from the terminal is the supervisor's to handle
            )
        self._own = psutil.Process(self._process.pid)

    def alive(self) -> bool:
        """Whether it has not ended by now."""
        return self._process.poll() is None

    def process(self) -> Process:
        """A worker: the one that waits, or a new one."""
        waiting, self._next = self._next, None
        if waiting is not None:
            if waiting.started():
                return waiting
            waiting.close()
        return Process(self)

    def fork_ahead(self) -> None:
        """Have a worker wait for the next piece of work, if the template still lives."""
        if self._next is None:
            with suppress(OSError):
                self._next = Process(self)

    def end(self) -> None:
        """End it and all that it started: what a watcher that is gone left behind has fallen to it."""
        with suppress(psutil.Error):
            end_family(self._own)
        self._process.kill()
        self._process.wait()

    def close(self) -> None:
        """End it; workers that it forked are their watchers' to end."""
        if self._next is not None:
            self._next.close()
        self.control.close()
        self._process.kill()
        self._process.wait()


_templates = threading.local()


def template(home: Home, threads: int) -> Template:
    """This thread's template; it is kept for later work while the environment stays, and ends with this process."""
    if not hasattr(os, "fork"):
        raise UaraError(
            "work in processes of its own needs a system that can fork: Linux, macOS, or WSL on Windows"
        )
    known: dict[tuple[str, int], Template] = _templates.__dict__.setdefault("known", {})
    key, environment = (home.preload, threads), home.surroundings(threads)
    found = known.get(key)
    if found is not None and not (found.alive() and found.environment == environment):
        known.pop(key).close()
        found = None
    return found or known.setdefault(key, Template(home.preload, environment))


def process(home: Home, threads: int) -> Process:
    """A worker that is there and waits for its work; :class:`UaraError` if a fresh template gives none either."""
    for _ in range(2):
        source = template(home, threads)
        with suppress(OSError):  # it died between the look and the request
            found = source.process()
            if found.started():
                return found
            found.close()
        source.end()
    raise UaraError(f"no worker process came up within {START_S:g} s, twice")


@atexit.register
def close_templates() -> None:
    """End this thread's templates."""
    for each in _templates.__dict__.pop("known", {}).values():
        each.close()
