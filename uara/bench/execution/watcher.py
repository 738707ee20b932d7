"""The far side of the harness: the template that runs are forked from, and the watcher of each run.

    supervisor -- template (one a supervisor and thread count) -- watcher -- run (leads its own group)

The template imports the toolkit once and forks in milliseconds. A watcher tells the supervisor who the run is and
how it ended, over a socket that the run does not hold, and ends the run when it is told to or the supervisor is
gone. What a run leaves behind falls to its watcher (on Linux, also what left its group), which ends it.
"""

from __future__ import annotations

import gc
import os
import select
import signal
import socket
import struct
import sys
from contextlib import suppress

STARTED = struct.Struct("!ii")
"""What a watcher says first: its own process and the run's."""
ENDED = struct.Struct("!i")
"""What it says last: the run's exit code, negative for a signal."""
SWEEPS = 20
"""How often what was left behind is looked for: what is killed may have children that fall to its watcher."""
_PR_SET_CHILD_SUBREAPER = 36


def main() -> None:
    """The template process: fork a watcher for each request until the supervisor is gone."""
    import psutil  # noqa: F401 - watchers find it loaded

    from uara.registry import installed

    control = socket.socket(fileno=int(sys.argv[1]))
    _adopt_orphans()
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

    from uara.problem import warm_up_all

    warm_up_all()
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
        wake.detach(), ring.detach()
        _become_run(channel, log)
    os.close(channel)
    os.close(log)
    with suppress(OSError):
        os.write(status, STARTED.pack(os.getpid(), run))
    poll = select.poll()
    poll.register(wake, select.POLLIN)
    poll.register(status, select.POLLIN)  # the supervisor lets go, or is gone
    while True:
        ended, code = os.waitpid(run, os.WNOHANG)
        if ended:
            break
        if any(handle == status for handle, _ in poll.poll()):
            # It has not been waited for: no other process or group can have its number.
            with suppress(ProcessLookupError):
                os.killpg(run, signal.SIGKILL)
            os.kill(run, signal.SIGKILL)  # it may not lead its group yet
            _, code = os.waitpid(run, 0)
            break
        with suppress(BlockingIOError):
            wake.recv(64)
    _end_family()
    with suppress(OSError):
        os.write(status, ENDED.pack(os.waitstatus_to_exitcode(code)))


def _adopt_orphans() -> None:
    """Have the system hand this process what its descendants leave behind, instead of the first process."""
    if sys.platform == "linux":
        import ctypes

        ctypes.CDLL(None).prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


def _end_family() -> None:
    """End all that a run which has ended left behind."""
    import psutil

    for _ in range(SWEEPS):
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
    """Give up all that the run is not to have, and do its work."""
    from uara.bench.execution.child import Line, serve

    os.setsid()
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    os.dup2(log, 1)
    os.dup2(log, 2)
    os.closerange(3, channel)
    os.closerange(channel + 1, os.sysconf("SC_OPEN_MAX"))
    os.set_inheritable(channel, False)
    code = 1
    try:
        serve(Line(socket.socket(fileno=channel)))
        code = 0
    finally:
        with suppress(Exception):
            sys.stdout.flush()
            sys.stderr.flush()
        os._exit(code)
