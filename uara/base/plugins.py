"""What installed packages offer by entry points, read once a process: each look goes through every package's files."""

from __future__ import annotations

from functools import cache
from importlib import metadata
from typing import Any


@cache
def everything() -> Any:
    """The entry points of all installed packages (:class:`importlib.metadata.EntryPoints`), none of them loaded."""
    return metadata.entry_points()


def offered(group: str) -> dict[str, metadata.EntryPoint]:
    """Those of a group by name, in the order of their names."""
    points = sorted(everything().select(group=group), key=lambda point: point.name)
    return {point.name: point for point in points}
