"""Processes for runs, as their supervisor holds them; :mod:`uara.bench.execution.watcher` is their other side.

A fresh interpreter for every run would add its start to every run. A template imports the toolkit once and
forks in milliseconds; no run outlives the command that started it. The next run's process is forked, and waits,
while the last one's is being cleared away and its answer scored.

Whom the supervisor may end is what the template and the watchers say, which it started: never what a run says.
"""

from __future__ import annotations

import atexit
import os
import socket
import subprocess
import sys
import threading
import time
from contextlib import suppress
from multiprocessing.connection import wait

import psutil

from uara.base.errors import UaraError
from uara.bench.execution.watcher import ENDED, STARTED, SWEEPS

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
START_S = 60.0
"""How long a process that was asked for is waited for, the template's own start included."""
FAREWELL_S = 20.0
"""How long a watcher may take to end all that a run left behind."""
PIECE = 1 << 16
"""Bytes that are read at once."""
_LOG_BYTES = 4000


class Process:
    """A run's process, as its supervisor holds it.

    Attributes
    ----------
    channel
        Bytes to and from the run; it never blocks.
    status
        Becomes readable when the watcher has something to say: then :meth:`hear`.
    log
        What the run prints; it never blocks.
    run, watcher
        The two processes, once the watcher has said who they are.
    exit_code
        The run's, negative for a signal, once it has ended; None if the watcher went without a word.
    gone
        Whether the watcher's end is closed.
    """

    def __init__(self, template: Template) -> None:
        self.template = template
        self.channel, theirs = socket.socketpair()
        self.status, watcher = socket.socketpair()
        self.log, log = os.pipe()
        self.run: psutil.Process | None = None
        self.watcher: psutil.Process | None = None
        self.exit_code: int | None = None
        self.gone = False
        self._told = self._printed = b""
        try:
            with theirs, watcher:
                handles = [theirs.fileno(), watcher.fileno(), log]
                socket.send_fds(template.control, [b"f"], handles)
        except OSError:
            self._close_handles()
            raise
        finally:
            os.close(log)
        self.channel.setblocking(False)
        os.set_blocking(self.log, False)

    def hear(self) -> None:
        """Take in what the watcher says."""
        data = self.status.recv(64)
        self.gone = not data
        self._told += data
        if self.run is None and len(self._told) >= STARTED.size:
            with suppress(psutil.Error):
                self.watcher, self.run = map(psutil.Process, STARTED.unpack_from(self._told))
        if len(self._told) == STARTED.size + ENDED.size:
            self.exit_code = ENDED.unpack_from(self._told, STARTED.size)[0]

    def started(self, seconds: float = START_S) -> bool:
        """Whether the run's process is there, waited for so long."""
        until = time.monotonic() + seconds
        while not self.run and not self.ended and wait([self.status], max(0.0, until - time.monotonic())):
            self.hear()
        return self.run is not None and self.alive()

    @property
    def ended(self) -> bool:
        """Whether the run has ended, or its watcher."""
        return self.gone or self.exit_code is not None

    def alive(self) -> bool:
        """Whether neither the run nor its watcher has ended by now."""
        while not self.ended and wait([self.status], 0):
            self.hear()
        return not self.ended

    def read_log(self) -> bool:
        """Take in some of what the run printed, and keep the last of it; False at its end."""
        try:
            piece = os.read(self.log, PIECE)
        except BlockingIOError:
            return False
        self._printed = (self._printed + piece)[-_LOG_BYTES:]
        return bool(piece)

    def kill(self) -> None:
        """Have the watcher end the run and all that it started."""
        with suppress(OSError):
            self.status.sendall(b"e")

    def close(self) -> str:
        """End the run and all that it started, and return what it last wrote."""
        self.kill()
        until = time.monotonic() + FAREWELL_S
        with suppress(OSError):
            while not self.gone and wait([self.status], max(0.0, until - time.monotonic())):
                self.hear()
        if self.exit_code is None:  # the watcher was ended or stopped before it could
            self.template.end()
            with suppress(psutil.Error):
                self.run and self.run.kill()  # it knows whether this is still the same process
        for _ in range(1 << 4):  # a pipe holds at most a megabyte
            if not self.read_log():
                break
        self._close_handles()
        return self._printed.decode(errors="replace")

    def _close_handles(self) -> None:
        self.channel.close()
        self.status.close()
        os.close(self.log)


class Template:
    """The process that runs are forked from, for one number of threads."""

    def __init__(self, threads: int) -> None:
        self.control, theirs = socket.socketpair()
        self.environment = _environment(threads)
        self._next: Process | None = None
        with theirs:
            self._process = subprocess.Popen(
                [
                    sys.executable,
                    "-P",
                    "-c",
                    "from uara.bench.execution.watcher import main; main()",
                    str(theirs.fileno()),
                ],
                pass_fds=[theirs.fileno()],
                env=self.environment,
                stdin=subprocess.DEVNULL,
                start_new_session=True,  # an interrupt from the terminal is the supervisor's to handle
            )
        self._own = psutil.Process(self._process.pid)

    def fits(self, threads: int) -> bool:
        """Whether it still lives, and this process's environment is what it was."""
        return self._process.poll() is None and self.environment == _environment(threads)

    def process(self) -> Process:
        """A process for a run: the one that waits, or a new one."""
        waiting, self._next = self._next, None
        if waiting is not None:
            if waiting.started():
                return waiting
            waiting.close()
        return Process(self)

    def fork_ahead(self) -> None:
        """Have a process wait for the next run, if the template still lives."""
        if self._next is None:
            with suppress(OSError):
                self._next = Process(self)

    def end(self) -> None:
        """End it and all that it started: what a watcher that is gone left behind has fallen to it."""
        with suppress(psutil.Error):
            for _ in range(SWEEPS):
                if not (family := self._own.children(recursive=True)):
                    break
                for each in family:
                    with suppress(psutil.Error):
                        each.kill()
                psutil.wait_procs(family, timeout=1.0)
        self._process.kill()
        self._process.wait()

    def close(self) -> None:
        """End it; runs that it forked are their watchers' to end."""
        if self._next is not None:
            self._next.close()
        self.control.close()
        self._process.kill()
        self._process.wait()


def _environment(threads: int) -> dict[str, str]:
    """Environment of runs: this process's, its module path included, with the threads pinned."""
    path = os.pathsep.join(entry or os.getcwd() for entry in sys.path)
    pinned = dict.fromkeys(THREAD_VARIABLES, str(threads))
    return {**os.environ, **pinned, "OMP_WAIT_POLICY": "PASSIVE", "PYTHONPATH": path}


_templates = threading.local()


def template(threads: int) -> Template:
    """This thread's template for a number of threads; it is kept for later runs, and ends with this process."""
    known: dict[int, Template] = _templates.__dict__.setdefault("by_threads", {})
    if threads in known and not known[threads].fits(threads):
        known.pop(threads).close()
    if threads not in known:
        known[threads] = Template(threads)
    return known[threads]


def process(threads: int) -> Process:
    """A process for a run that is there and waits for its work.

    Raises
    ------
    UaraError
        If there is none, from a fresh template either.
    """
    for _ in range(2):
        source = template(threads)
        with suppress(OSError):  # it died between the look and the request
            found = source.process()
            if found.started():
                return found
            found.close()
        source.end()
    raise UaraError(f"no process for a run came up within {START_S:g} s, twice")


@atexit.register
def close_templates() -> None:
    """End this thread's templates."""
    for each in _templates.__dict__.pop("by_threads", {}).values():
        each.close()
