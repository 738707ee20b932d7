"""Who hears of it when machine code is really made: a first run takes seconds longer, and should say why."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

ABOUT_S = 10
"""Processor seconds that the kernels of a solver take, once an installation: 4 to 25."""
_ears: list[Callable[[str], None]] = []


@contextmanager
def hearing(ear: Callable[[str], None]) -> Iterator[None]:
    """Call ``ear`` with the name of each kernel that is compiled inside the block; not of those that were kept."""
    _ears.append(ear)
    try:
        yield
    finally:
        _ears.remove(ear)


def begins(name: str) -> None:
    """Say that a kernel is about to be compiled."""
    for ear in list(_ears):
        ear(name)


def said(solver: str = "") -> str:
    """The words for it."""
    return f"compiling{solver and ' '}{solver}, once (about {ABOUT_S} s)"
