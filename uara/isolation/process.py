"""A worker as its supervisor holds it; :mod:`uara.isolation.watcher` is its other side.

Whom the supervisor may end is what the template and the watchers say, which it started: never what a worker says.
"""

from __future__ import annotations

import os
import socket
import time
from collections.abc import Callable
from contextlib import suppress
from multiprocessing.connection import wait
from typing import Protocol

import psutil

from uara.isolation.watcher import ENDED, STARTED, end

START_S = 60.0
"""How long a process that was asked for is waited for, the template's own start included."""
FAREWELL_S = 20.0
"""How long a watcher may take to end all that a worker left behind."""
PIECE = 1 << 16
"""Bytes that are read at once."""


class Source(Protocol):
    """What workers are forked from: :class:`uara.isolation.template.Template`."""

    control: socket.socket
    """Takes requests for workers."""

    def fork_ahead(self) -> None:
        """Have a worker wait for the next piece of work."""

    def end(self) -> None:
        """End it and all that it started."""


class Process:
    """A worker, and the watcher that it is a child of.

    Attributes
    ----------
    channel
        Bytes to and from the worker; it never blocks.
    status
        Becomes readable when the watcher has something to say: then :meth:`hear`.
    log
        What the worker prints; it never blocks.
    worker, watcher
        The two processes, once the watcher has said who they are.
    exit_code
        The worker's, negative for a signal, once it has ended; None if the watcher went without a word.
    gone
        Whether the watcher's end is closed.
    log_bytes
        Of what the worker prints, the last that is kept.
    """

    def __init__(self, template: Source) -> None:
        self.template = template
        self.channel, theirs = socket.socketpair()
        self.status, watcher = socket.socketpair()
        self.log, log = os.pipe()
        self.worker: psutil.Process | None = None
        self.watcher: psutil.Process | None = None
        self.exit_code: int | None = None
        self.gone = False
        self.log_bytes = 0
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
        if self.worker is None and len(self._told) >= STARTED.size:
            with suppress(psutil.Error):
                self.watcher, self.worker = map(psutil.Process, STARTED.unpack_from(self._told))
        if len(self._told) == STARTED.size + ENDED.size:
            self.exit_code = ENDED.unpack_from(self._told, STARTED.size)[0]

    def hear_until(self, done: Callable[[], bool], seconds: float) -> bool:
        """Whether something is so, for which the watcher is listened to for so long."""
        until = time.monotonic() + seconds
        while not done() and wait([self.status], max(0.0, until - time.monotonic())):
            self.hear()
        return done()

    def started(self, seconds: float = START_S) -> bool:
        """Whether the worker is there, waited for so long."""
        self.hear_until(lambda: self.worker is not None or self.ended, seconds)
        return self.worker is not None and self.alive()

    @property
    def ended(self) -> bool:
        """Whether the worker has ended, or its watcher."""
        return self.gone or self.exit_code is not None

    def alive(self) -> bool:
        """Whether neither the worker nor its watcher has ended by now."""
        return not self.hear_until(lambda: self.ended, 0.0)

    def read_log(self) -> bool:
        """Take in some of what the worker printed, and keep the last of it; False at its end."""
        try:
            piece = os.read(self.log, PIECE)
        except BlockingIOError:
            return False
        self._printed = (self._printed + piece)[-self.log_bytes :]
        return bool(piece)

    def kill(self) -> None:
        """Have the watcher end the worker and all that it started."""
        with suppress(OSError):
            self.status.sendall(b"e")

    def close(self) -> str:
        """End the worker and all that it started, and return what it last wrote."""
        self.kill()
        with suppress(OSError):
            self.hear_until(lambda: self.gone, FAREWELL_S)
        if self.exit_code is None:  # the watcher was ended or stopped before it could
            self.template.end()
            if self.worker is not None:
                end([self.worker])
        for _ in range(1 << 4):  # a pipe holds at most a megabyte
            if not self.read_log():
                break
        self._close_handles()
        return self._printed.decode(errors="replace")

    def _close_handles(self) -> None:
        self.channel.close()
        self.status.close()
        os.close(self.log)
