"""Memory and threads of a worker and all its children."""

from __future__ import annotations

import time
from contextlib import suppress

import psutil

from uara.isolation.process import Process

_FAMILY_S = 0.5  # looking for the worker's own children means reading the whole process table
_SHARED_PART = 0.1  # at most this part of the time goes into asking what they share


class Meter:
    """Keeps the most that was seen."""

    def __init__(self, process: Process) -> None:
        self.process = process
        self.peak_bytes = self.threads = 0
        self.family: list[psutil.Process] = []
        self.family_at = self.shared_at = 0.0

    def read(self) -> None:
        """Look at them."""
        worker, watcher, now = self.process.worker, self.process.watcher, time.monotonic()
        if worker is None or watcher is None:
            return
        if now - self.family_at > _FAMILY_S:
            self.family_at = now
            with suppress(psutil.Error):  # the worker, and what it left to its watcher
                self.family = watcher.children(recursive=True)
        members = {worker, *self.family}
        used = threads = 0
        for process in members:
            with suppress(psutil.Error):
                used += process.memory_info().rss
                threads += process.num_threads()
        if len(members) > 1 and used > self.peak_bytes:  # what they share was counted once for each
            used = 0
            if now >= self.shared_at:
                used = sum(map(_part_of, members))
                spent = time.monotonic() - now
                self.shared_at = now + spent / _SHARED_PART
        self.peak_bytes, self.threads = max(self.peak_bytes, used), max(self.threads, threads)


def _part_of(process: psutil.Process) -> int:
    """Resident bytes of a process; a page that n processes share counts 1/n, where the system tells."""
    with suppress(psutil.NoSuchProcess):
        try:
            full = process.memory_full_info()
            return int(getattr(full, "pss", full.rss))
        except psutil.AccessDenied:
            return int(process.memory_info().rss)
    return 0
