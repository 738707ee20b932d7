"""Processes for runs: a template process that has imported the toolkit, and forks for each run.

A fresh interpreter for every run would add its start to every run. The template imports once and
forks in milliseconds. Between it and the run stands a watcher, which reports how the run ended, and
ends the run if the supervisor is gone: no run outlives the command that started it. What a run leaves
behind falls to its watcher (on Linux, also what left its group), which ends it. The next run's process is
forked, and waits, while the last one's is being cleared away and its answer scored.

    supervisor -- template (one a supervisor and thread count) -- watcher -- run (leads its own group)
"""

from __future__ import annotations

import atexit
import gc
import os
import select
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import threading
from contextlib import suppress
from multiprocessing.connection import Connection, wait
from typing import IO

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
_STATUS = struct.Struct("!i")
FAREWELL_S = 5.0
"""How long the end of a process that was killed is waited for."""
_PR_SET_CHILD_SUBREAPER = 36
_SWEEPS = 20
_LOG_BYTES = 4000


class Process:
    """A run's process, as its supervisor holds it.

    Attributes
    ----------
    channel
        Messages to and from the run.
    status
        Becomes readable when the run's process has ended, or the template died.
    """

    def __init__(self, template: Template) -> None:
        self.template = template
        ours, theirs = socket.socketpair()
        self.status, watcher = socket.socketpair()
        self._log = tempfile.TemporaryFile()  # noqa: SIM115 - open as long as the run
        with theirs, watcher:
            handles = [theirs.fileno(), watcher.fileno(), self._log.fileno()]
            socket.send_fds(template.control, [b"f"], handles)
        self.channel = Connection(ours.detach())
        self.pid: int | None = None

    def alive(self) -> bool:
        """Whether neither the run nor the template has ended, as far as anybody said."""
        return not wait([self.status], 0)

    def kill(self) -> None:
        """End the run and its children."""
        if self.pid is not None:
            with suppress(ProcessLookupError, PermissionError):
                os.killpg(self.pid, signal.SIGKILL)

    def exit_code(self) -> int | None:
        """Exit code, negative for a signal, once :attr:`status` is readable; None if the template died."""
        data = self.status.recv(_STATUS.size)
        return int(_STATUS.unpack(data)[0]) if len(data) == _STATUS.size else None

    def close(self) -> str:
        """End the run, wait a while until its watcher has ended all that it started, and return what it last wrote."""
        self.kill()
        self.channel.close()
        with suppress(OSError):  # the watcher is gone, or takes too long
            self.status.settimeout(FAREWELL_S)
            self.status.sendall(b"e")
            while self.status.recv(64):
                pass
        self.status.close()
        with self._log:
            return _tail(self._log)


def _tail(log: IO[bytes]) -> str:
    size = log.seek(0, os.SEEK_END)
    log.seek(max(0, size - _LOG_BYTES))
    return log.read().decode(errors="replace").strip()


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
                    "from uara.bench.zygote import main; main()",
                    str(theirs.fileno()),
                ],
                pass_fds=[theirs.fileno()],
                env=self.environment,
                stdin=subprocess.DEVNULL,
                start_new_session=True,  # an interrupt from the terminal is the supervisor's to handle
            )

    def fits(self, threads: int) -> bool:
        """Whether it still lives, and this process's environment is what it was."""
        return self._process.poll() is None and self.environment == _environment(threads)

    def process(self) -> Process:
        """A process for a run: the one that waits, or a new one."""
        waiting, self._next = self._next, None
        if waiting is not None:
            if waiting.alive():
                return waiting
            waiting.close()
        return Process(self)

    def fork_ahead(self) -> None:
        """Have a process wait for the next run, if the template still lives."""
        if self._next is None:
            with suppress(OSError):
                self._next = Process(self)

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


@atexit.register
def close_templates() -> None:
    """End this thread's templates."""
    for each in _templates.__dict__.pop("by_threads", {}).values():
        each.close()


def main() -> None:
    """The template process: fork a watcher for each request until the supervisor is gone."""
    import psutil  # noqa: F401 - watchers find it loaded

    from uara.bench.child import installed

    control = socket.socket(fileno=int(sys.argv[1]))
    installed()
    waiting = [_preload]
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # watchers are not waited for
    while True:
        try:
            message, handles, _, _ = socket.recv_fds(control, 1, 3)
        except ConnectionError:
            return
        if not message:
            return
        if os.fork() == 0:
            control.close()
            _watch(*handles)
            os._exit(0)
        for handle in handles:
            os.close(handle)
        if waiting:
            waiting.pop()()
            gc.freeze()  # a collection in a run would touch, and so copy, every object that it shares with this process


def _preload() -> None:
    """What most runs need; solvers themselves are imported in the run, on its own account.

    It is done after the first fork: the first run loads these for itself, the later ones find them.
    """
    import inspect

    import scipy.optimize  # noqa: F401

    from uara.bench.p1 import load_kernels

    load_kernels()
    inspect.getmodule(_preload.__code__)  # finds all modules' files, as a solver's options will ask for


def _watch(channel: int, status: int, log: int) -> None:
    """Fork the run, wait for its end or for the supervisor's, and say how it ended."""
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    wake, ring = socket.socketpair()
    for end in (wake, ring):
        end.setblocking(False)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    signal.set_wakeup_fd(ring.fileno())
    _adopt_orphans()
    run = os.fork()
    if run == 0:
        signal.set_wakeup_fd(-1)
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        for handle in (wake.detach(), ring.detach(), status):
            os.close(handle)
        _become_run(channel, log)
    os.close(channel)
    os.close(log)
    poll = select.poll()
    poll.register(wake, select.POLLIN)
    poll.register(status, select.POLLIN)  # the supervisor lets go, or is gone
    while True:
        ended, code = os.waitpid(run, os.WNOHANG)
        if ended:
            break
        if any(handle == status for handle, _ in poll.poll()):
            with suppress(ProcessLookupError):
                os.killpg(run, signal.SIGKILL)
            with suppress(ProcessLookupError):
                os.kill(run, signal.SIGKILL)  # it may not lead its group yet
            _, code = os.waitpid(run, 0)
            break
        with suppress(BlockingIOError):
            wake.recv(64)
    _end_family(run)
    with suppress(OSError):
        os.write(status, _STATUS.pack(os.waitstatus_to_exitcode(code)))


def _adopt_orphans() -> None:
    """Have the system hand this process what its descendants leave behind, instead of the first process."""
    if sys.platform == "linux":
        import ctypes

        ctypes.CDLL(None).prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


def _end_family(run: int) -> None:
    """End all that a run which has ended left behind."""
    import psutil

    with suppress(ProcessLookupError, PermissionError):
        os.killpg(run, signal.SIGKILL)
    for _ in range(_SWEEPS):  # what is killed may have children that fall to this process
        if _childless():
            return
        family = psutil.Process().children(recursive=True)
        for each in family:
            with suppress(psutil.Error):
                each.kill()
        psutil.wait_procs(family, timeout=1.0)


def _childless() -> bool:
    """Whether no child is left; those that have ended are reaped."""
    try:
        while os.waitpid(-1, os.WNOHANG)[0]:
            pass
    except ChildProcessError:
        return True
    return False


def _become_run(channel: int, log: int) -> None:
    from uara.bench.child import serve

    os.setsid()
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    os.dup2(log, 1)
    os.dup2(log, 2)
    os.close(log)
    os.set_inheritable(channel, False)
    code = 1
    try:
        serve(Connection(channel))
        code = 0
    finally:
        with suppress(Exception):
            sys.stdout.flush()
            sys.stderr.flush()
        os._exit(code)
