"""Memory of this machine, and refusing what does not fit before any of it is taken."""

from __future__ import annotations

import os
import re
from pathlib import Path

from uara.base.errors import InputError

BYTES_PER_GB = 1e9
_SYSTEM = Path("/proc/meminfo")


def available_bytes() -> float:
    """Memory that can still be had without swapping; infinite where the system does not say."""
    try:
        found = re.search(r"^MemAvailable:\s+(\d+) kB", _SYSTEM.read_text(encoding="ascii"), re.MULTILINE)
        if found is not None:
            return float(found[1]) * 1024
        return float(os.sysconf("SC_PHYS_PAGES")) * os.sysconf("SC_PAGE_SIZE")
    except (OSError, ValueError):
        return float("inf")


def require_memory(needed_bytes: float, what: str, *, path: str | None = None) -> None:
    """Refuse what takes more memory than there is.

    Raises
    ------
    InputError
        States what is needed and what is free.
    """
    free = available_bytes()
    if needed_bytes > free:
        raise InputError(
            f"{what} takes about {needed_bytes / BYTES_PER_GB:.2g} GB, and {free / BYTES_PER_GB:.2g} GB are free",
            path=path,
        )
