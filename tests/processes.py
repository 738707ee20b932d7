"""What tests ask of processes."""

from __future__ import annotations

import psutil


def gone(pid: int) -> bool:
    """Whether a process is over: a zombie is, whose parent (in a container, the first process) may never reap it."""
    try:
        return bool(psutil.Process(pid).status() == psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return True
