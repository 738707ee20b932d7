"""The far side of the supervisor: the template that workers are forked from, and the watcher of each.

A watcher tells the supervisor who the worker is and how it ended, over a socket that the worker does not hold, and
ends the worker when it is told to or the supervisor is gone. What a worker leaves behind falls to its watcher (on
Linux, also what left its group), which ends it.
"""

from __future__ import annotations

import gc
import io
import os
import select
import signal
import socket
import struct
import sys
import time
from collections.abc import Sequence
from contextlib import suppress
from importlib import import_module
from multiprocessing.connection import Connection

import psutil

from uara.isolation.line import Line, flush, serve

STARTED = struct.Struct("!ii")
"""What a watcher says first: its own process and the worker's."""
ENDED = struct.Struct("!i")
"""What it says last: the worker's exit code, negative for a signal."""
_SWEEPS = 20  # what is killed may have children that fall to its watcher
_GONE_S = 1.0
_LOOK_S = 0.002
_PR_SET_CHILD_SUBREAPER = 36


def main() -> None:
    """The template process: fork a watcher for each request until the supervisor is gone."""
    control = socket.socket(fileno=int(sys.argv[1]))
    _adopt_orphans()
    later = getattr(import_module(sys.argv[2]), "later", None)
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
        if later is not None:
            later()
            later = None
            gc.freeze()  # a collection in a worker would touch, and so copy, every object that it shares with this


def _watch(channel: int, status: int, log: int) -> None:
    """Fork the worker, wait for its end or for the supervisor's, and say how it ended."""
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    wake, ring = socket.socketpair()
    for end in (wake, ring):
        end.setblocking(False)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    signal.set_wakeup_fd(ring.fileno())
    _adopt_orphans()
    worker = os.fork()
    if worker == 0:
        signal.set_wakeup_fd(-1)
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        wake.detach(), ring.detach()
        _become_worker(channel, log)
    os.close(channel)
    os.close(log)
    with suppress(OSError):
        os.write(status, STARTED.pack(os.getpid(), worker))
    poll = select.poll()
    poll.register(wake, select.POLLIN)
    poll.register(status, select.POLLIN)  # the supervisor lets go, or is gone
    while True:
        ended, code = os.waitpid(worker, os.WNOHANG)
        if ended:
            break
        if any(handle == status for handle, _ in poll.poll()):
            # It has not been waited for: no other process or group can have its number.
            with suppress(ProcessLookupError):
                os.killpg(worker, signal.SIGKILL)
            os.kill(worker, signal.SIGKILL)  # it may not lead its group yet
            _, code = os.waitpid(worker, 0)
            break
        with suppress(BlockingIOError):
            wake.recv(64)
    if not _childless():
        end_family(psutil.Process())
    with suppress(OSError):
        os.write(status, ENDED.pack(os.waitstatus_to_exitcode(code)))


def _adopt_orphans() -> None:
    """Have the system hand this process what its descendants leave behind, instead of the first process."""
    if sys.platform == "linux":
        import ctypes

        ctypes.CDLL(None).prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


def end_family(parent: psutil.Process) -> None:
    """End all that a process has started, or that has fallen to it."""
    for _ in range(_SWEEPS):
        # A child that ends during a look hides its own from it; by the next look they have fallen to their watcher.
        if not (family := _living(parent) or _living(parent)):
            return
        end(family)


def _living(parent: psutil.Process) -> list[psutil.Process]:
    return [each for each in parent.children(recursive=True) if not _over(each)]


def end(processes: Sequence[psutil.Process]) -> None:
    """Kill processes that are still the ones that they were, and see them gone."""
    for each in processes:
        with suppress(psutil.Error):
            each.kill()
    until = time.monotonic() + _GONE_S
    while not all(map(_over, processes)) and time.monotonic() < until:
        time.sleep(_LOOK_S)


def _over(process: psutil.Process) -> bool:
    """Whether a process has ended; a zombie has, whoever ought to reap it."""
    try:
        return process.status() in (psutil.STATUS_ZOMBIE, psutil.STATUS_DEAD)
    except psutil.NoSuchProcess:
        return True


def _childless() -> bool:
    """Whether no child is left; those that have ended are reaped."""
    try:
        while os.waitpid(-1, os.WNOHANG)[0]:
            pass
    except ChildProcessError:
        return True
    return False


def _become_worker(channel: int, log: int) -> None:
    """Give up all that the worker is not to have, and do its work."""
    os.setsid()
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    os.dup2(log, 1)
    os.dup2(log, 2)
    os.closerange(3, channel)
    os.closerange(channel + 1, os.sysconf("SC_OPEN_MAX"))
    os.set_inheritable(channel, False)
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(
            line_buffering=True
        )  # a worker that crashes or is ended has said what it printed
    code = 1
    try:
        serve(Line(Connection(channel)))
        code = 0
    finally:
        flush()
        os._exit(code)
