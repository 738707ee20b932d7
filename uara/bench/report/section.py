"""What a section of the report is, and what it is made from."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any

from uara.bench.metrics import references, scored
from uara.bench.report.drawing import Picture
from uara.bench.results import Results

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True)
class Facts:
    """A result file as the report sees it."""

    results: Results
    runs: pd.DataFrame
    """As :func:`uara.bench.metrics.scored` gives them."""
    known: pd.DataFrame
    """As :func:`uara.bench.metrics.references` gives it."""
    places: Mapping[str, int]
    """Colour of each solver's label."""

    @classmethod
    def of(cls, results: Results) -> Facts:
        """What follows from the rows of a result file."""
        runs = scored(results)
        places = {label: place for place, label in enumerate(dict.fromkeys(runs["label"]))}
        return cls(results, runs, references(results), places)

    @cached_property
    def _points(self) -> dict[Any, pd.DataFrame]:
        return dict(tuple(self.results.points.groupby("instance", sort=False)))

    def curves(self, instance: str) -> dict[str, pd.DataFrame]:
        """The trajectories of the runs on an instance, by ``run_id``."""
        points = self._points.get(instance)
        return {} if points is None else dict(tuple(points.groupby("run_id", sort=False)))


@dataclass(frozen=True)
class Section:
    """A section of the report; its template is ``sections/ANCHOR.html.j2``."""

    anchor: str
    title: str
    link: str
    """What leads to it at the top of the page."""
    values: Mapping[str, Any] = field(default_factory=dict)
    """What its template knows as ``here``."""
    pictures: Sequence[Picture] = ()
    """Those in it, in the order of their files."""
