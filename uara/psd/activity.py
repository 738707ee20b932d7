"""Who was busy when: the common language of real runs, of the timeline, and of its pictures."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal, NamedTuple

Resource = Literal["device", "uplink", "server", "downlink"]
Kind = Literal["draft", "target", "upload", "download"]


class Activity(NamedTuple):
    """One stretch of work of one resource, in seconds from the task's start; ``round`` counts from 0."""

    resource: Resource
    kind: Kind
    start_s: float
    end_s: float
    round: int = -1


def merged(activities: Iterable[Activity]) -> list[tuple[float, float]]:
    """The union of the activities' stretches, as disjoint intervals in order."""
    union: list[tuple[float, float]] = []
    for start, end in sorted((each.start_s, each.end_s) for each in activities):
        if union and start <= union[-1][1]:
            union[-1] = union[-1][0], max(union[-1][1], end)
        else:
            union.append((start, end))
    return union


def busy_s(activities: Iterable[Activity]) -> float:
    """Time in which at least one of the activities runs."""
    return sum(end - start for start, end in merged(activities))
