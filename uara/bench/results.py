"""Results as data frames."""

from __future__ import annotations

import html
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from uara.base import files
from uara.base.deferred import deferred
from uara.base.errors import InputError, printable
from uara.base.extras import needs
from uara.bench.columns import POINT, arrow
from uara.bench.result_file import read_suite, read_table

if TYPE_CHECKING:
    import pandas as pd


_standings = deferred("uara.bench.standings:of_results")
_ranking = deferred("uara.bench.ranking:of_results")  # it looks at results, not the reverse


def frames() -> Any:
    """The pandas module, or the error that says how to get it."""
    return needs("pandas", extra="bench")


@dataclass(frozen=True)
class Results:
    """The rows of a result file.

    Attributes
    ----------
    table
        Every row, as in the file; the column ``record`` tells runs, points and instances apart.
    suite
        The suite as plain data.
    planned
        Identifiers of the runs that the suite plans; empty where the file is from before they were kept.
    warnings
        What the command that wrote the file could not use.
    """

    table: pd.DataFrame
    suite: dict[str, Any]
    source: str = ""
    planned: frozenset[str] = frozenset()
    warnings: tuple[str, ...] = ()

    @classmethod
    def load(cls, path: str | Path) -> Results:
        """Read a result file; :class:`uara.InputError` if it is none."""
        whole = {arrow().int64(): frames().Int64Dtype()}  # NumPy's integers know no missing values
        path = Path(path)
        suite, planned = read_suite(path)
        return cls(read_table(path).to_pandas(types_mapper=whole.get), suite, str(path), planned)

    def _part(self, record: str) -> pd.DataFrame:
        rows = self.table[self.table["record"] == record]
        return rows.drop(columns="record").reset_index(drop=True)

    @cached_property
    def runs(self) -> pd.DataFrame:
        """One row a run of the suite; what is left of runs that it no longer has is in :attr:`table` alone.

        A run that left itself out, as one that lacks an extra does, is an ``error`` where others of its solver did not:
        leaving out what is hard must not help.
        """
        runs = self._part("run").drop(columns=["elapsed_s", "content"])
        chosen = (runs["status"] == "skipped") & runs["started_at"].notna()
        others = (~chosen & (runs["status"] != "skipped")).groupby(runs["label"]).transform("any")
        runs.loc[chosen & others, "status"] = "error"
        return runs

    @cached_property
    def points(self) -> pd.DataFrame:
        """One row a point of a run's trajectory."""
        names = ["run_id", "instance", "label", "solver", "seed", "repetition", *POINT]
        return self._part("point")[names]

    @cached_property
    def instances(self) -> pd.DataFrame:
        """One row an instance."""
        return self._part("instance")[["instance", "digest", "kind", "content"]]

    def __repr__(self) -> str:
        runs = self.runs
        ends = ", ".join(f"{count} {name}" for name, count in self.counts().items())
        lines = [f"Results: {self.suite.get('name', '')} {self.source}".rstrip()]
        lines += [f"  runs       {len(runs)}: {ends}", f"  solvers    {runs['label'].nunique()}"]
        lines += [f"  instances  {runs['instance'].nunique()}"]
        if self.missing:
            lines.append(f"  missing    {self.missing} planned runs")
        return "\n".join(map(printable, lines))

    def _repr_html_(self) -> str:
        """The ranking, for a notebook."""
        from uara.base.inks import to_html

        if not self.counts().get("ok"):
            return f"<pre>{html.escape(repr(self))}</pre>"
        return to_html(_standings(self))

    def counts(self) -> dict[str, int]:
        """Number of runs of each status."""
        return {str(status): int(count) for status, count in self.runs["status"].value_counts().items()}

    def refuse_empty(self) -> None:
        """:class:`uara.InputError` if there is no run to show."""
        if self.runs.empty:
            raise InputError("holds no runs", source=self.source or "results")

    def ranking(self) -> pd.DataFrame:
        """One row a solver, the best first; see :func:`uara.bench.ranking.overall`."""
        ranked: pd.DataFrame = _ranking(self)
        return ranked

    @property
    def missing(self) -> int:
        """Planned runs that have no row yet."""
        if self.planned:
            return len(self.planned.difference(self.runs["run_id"]))
        return max(0, int(self.suite.get("planned_runs", 0)) - len(self.runs))

    def problem(self, name: str) -> Any:
        """An instance that is kept inside the results; None where it was too large for that."""
        import tempfile

        import uara.problem

        content = self.instances.groupby("instance")["content"].last().get(name)
        if not isinstance(content, str):
            return None
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "instance.json"
            path.write_text(content, encoding="utf-8")
            return uara.problem.load(path)

    @staticmethod
    def decoded(text: Any) -> Any:
        """The content of a JSON column; :class:`uara.InputError` if it is none."""
        return (
            files.parse_json(text.encode(), "a JSON column of the results") if isinstance(text, str) else None
        )


def by_group(results: Results, runs: pd.DataFrame) -> dict[str, pd.DataFrame]:
    """The runs on the instances of each group that a suite has, where there are any."""
    entries = results.suite.get("instances", [])
    groups = dict.fromkeys(group for entry in entries for group in entry["groups"])
    found = {group: of_group(runs, group) for group in groups}
    return {group: own for group, own in found.items() if len(own)}


def of_group(runs: pd.DataFrame, group: str) -> pd.DataFrame:
    """The runs on the instances of a group."""
    return runs[runs["groups"].map(lambda groups: group in groups)]


def machines(results: Results) -> list[dict[str, Any]]:
    """Each machine and software that had a part, with its number of runs."""
    names = ["host", "cpu", "cores", "memory_mb", "platform", "python", "commit", "versions", "threads"]
    runs = results.runs[results.runs["host"].notna()]
    found = []
    for values, own in runs.groupby(names, sort=False, dropna=False):
        facts: dict[str, Any] = dict(zip(names, values, strict=True))
        facts |= {"runs": len(own), "versions": Results.decoded(facts["versions"]) or {}}
        facts |= {"first": own["started_at"].min(), "last": own["started_at"].max()}
        facts |= {"hours": own["wall_s"].sum() / 3600, "load": float(own["load_1min"].astype(float).median())}
        found.append(facts)
    return found
