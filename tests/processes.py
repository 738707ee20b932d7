"""What tests ask of processes."""

from __future__ import annotations

import psutil


def gone(pid: int) -> bool:
    """Whether a process is over: one that is dead and not reaped is (in a container, the first process may never)."""
    try:
        return psutil.Process(pid).status() in (psutil.STATUS_ZOMBIE, psutil.STATUS_DEAD)
    except psutil.NoSuchProcess:
        return True
