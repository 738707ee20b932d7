"""Locks between processes, which end with their holder, however it ends."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from uara.base.errors import InputError


@contextmanager
def exclusive(path: Path, busy: str | None = None) -> Iterator[None]:
    """Keep other processes out while the block runs.

    The system gives the lock up when its holder ends. The file is there while the lock is held; one that a killed
    holder left hinders nobody.

    Parameters
    ----------
    path
        A file for the lock alone, in a folder that exists.
    busy
        Error for those who come while another holds the lock; where left out, they wait.

    Raises
    ------
    InputError
        ``busy``, or if there can be no lock at this place.
    """
    try:
        handle = _hold(path, wait=busy is None)
    except BlockingIOError:
        raise InputError(busy or "is locked", source=str(path.parent)) from None
    except OSError as error:
        raise InputError(f"cannot be locked: {error.strerror}", source=str(path)) from None
    with handle:
        try:
            yield
        finally:
            if not os.fstat(handle.fileno()).st_size:  # what holds something is somebody's file
                path.unlink(missing_ok=True)


def _hold(path: Path, *, wait: bool) -> BinaryIO:
    try:
        import fcntl
    except ImportError:
        problem = "cannot be locked on this system: use Linux, macOS, or WSL on Windows"
        raise InputError(problem, source=str(path.parent)) from None

    while True:
        handle = path.open("ab")
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
            if _is_at(handle, path):
                return handle
        except BaseException:
            handle.close()
            raise
        handle.close()  # its last holder took the file away meanwhile


def _is_at(handle: BinaryIO, path: Path) -> bool:
    try:
        return os.path.samestat(os.fstat(handle.fileno()), path.stat())
    except FileNotFoundError:
        return False
