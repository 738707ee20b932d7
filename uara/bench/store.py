"""Results in one long Parquet file: a row a run, a row a point of its trajectory, a row an instance.

While a suite runs, each finished run is a small file of its own beside it (JSON: it costs a hundredth of a
Parquet file), written whole or not at all; at the end they are merged into the one file, which takes the old
one's place in one step.
"""

from __future__ import annotations

import glob
import json
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from uara.base import files, locks
from uara.base.errors import InputError, UaraError, one_line
from uara.bench.columns import JSON_COLUMNS, RUN_KEYS, arrow, plain, to_table
from uara.bench.columns import POINT as POINT
from uara.bench.result_file import (
    CSV_BEGINS,
    FORMAT_VERSION,
    HTML_MARK,
    read_table,
    refuse_foreign,
    write_csv,
)

if TYPE_CHECKING:
    import pyarrow as pa

OLD = "old "
"""Prefix of the ``record`` of rows that belong to no run of the present suite: kept, in case it comes back."""


def check_results(path: Path, inputs: Collection[Path] = ()) -> None:
    """Refuse a result file, or what is written beside it, that would take the place of something else.

    Raises
    ------
    InputError
        If it does not end in ``.parquet``, is an input, or one of the three files holds what no bench has written.
    """
    files.check_output(path, suffixes=(".parquet",), inputs=inputs)
    for suffix, mark in (("", b"PAR1"), (".csv", CSV_BEGINS), (".html", HTML_MARK)):
        beside = path.with_suffix(suffix) if suffix else path
        if suffix:
            files.check_output(beside, suffixes=(suffix,), inputs=inputs)
        refuse_foreign(beside, mark)


class Store:
    """The results of a suite on disk.

    Parameters
    ----------
    path
        The Parquet file; unfinished work stands in the folder of the same name ending in ``.parts``.
    """

    def __init__(self, path: str | Path) -> None:
        self.path = Path(path)
        self.parts = self.path.with_name(self.path.name + ".parts")
        self.warnings: list[str] = []

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Keep others from writing the same results; the lock ends with this process, however it ends."""
        self.parts.mkdir(parents=True, exist_ok=True)
        with locks.exclusive(self.parts / "lock", f"another uara bench is writing {self.path}"):
            self._sweep()
            yield
        with suppress(OSError):
            self.parts.rmdir()

    def _sweep(self) -> None:
        """Remove what a killed command was writing."""
        for path in (self.path, self.path.with_suffix(".csv")):
            for left in path.parent.glob(f".{glob.escape(path.name)}.*{path.suffix}"):
                left.unlink(missing_ok=True)
        for left in self.parts.glob(".*.json*"):
            left.unlink(missing_ok=True)

    def statuses(self) -> dict[str, str]:
        """Status of each run that is recorded."""
        found: dict[str, str] = {}
        for rows in self._batches(["record", "run_id", "status"]):
            found |= {
                row["run_id"]: row["status"] for row in rows if row["record"].removeprefix(OLD) == "run"
            }
        return found

    def append(self, run_id: str, rows: Sequence[Mapping[str, Any]]) -> None:
        """Record a finished run: all of its rows, or none."""
        flat = [{name: plain(name, value) for name, value in row.items()} for row in rows]
        files.write_bytes(self.parts / f"{run_id}.json", json.dumps(flat, default=str).encode())

    def pending(self) -> bool:
        """Whether there are records that are not in the one file yet."""
        return any(self.parts.glob("[!.]*.json"))

    def rows(self) -> list[dict[str, Any]]:
        """Every row; of a run that is recorded twice, the later record."""
        newest: dict[str, list[dict[str, Any]]] = {}
        for rows in self._batches(None):
            fresh: dict[str, list[dict[str, Any]]] = {}
            for row in rows:
                key = row.get("run_id") or f"instance {row['instance']} {row['digest']}"
                known = {name: value for name, value in row.items() if value is not None}
                fresh.setdefault(key, []).append(known)
            newest |= fresh
        return [row for rows in newest.values() for row in rows]

    def merge(
        self, rows: Sequence[Mapping[str, Any]], suite: Mapping[str, Any], planned: Sequence[str] = ()
    ) -> None:
        """Write these rows as the one file, with the suite and its runs beside them, and clear the parts away."""
        pa = arrow()
        facts = {
            b"uara.bench.format": str(FORMAT_VERSION).encode(),
            b"uara.suite": json.dumps(suite).encode(),
            b"uara.planned": json.dumps(list(planned)).encode(),
        }
        table = to_table(rows).replace_schema_metadata(facts)
        with files.replacing(self.path) as temporary:
            pa.parquet.write_table(table, temporary, compression="zstd")
        written = set(_read_back(self.path, table))
        write_csv(self.path.with_suffix(".csv"), rows)
        for part in self.parts.glob("*.json"):
            if part.stem in written:
                part.unlink(missing_ok=True)

    def _batches(self, columns: list[str] | None) -> Iterator[list[dict[str, Any]]]:
        """Rows of the file, then of each part."""
        if self.path.exists():
            yield read_table(self.path, columns).to_pylist()
        for part in sorted(self.parts.glob("[!.]*.json")):
            try:
                yield _rows_of(part)
            except (
                ValueError,
                TypeError,
                OverflowError,
                RecursionError,
                UaraError,
                arrow().ArrowException,
            ) as error:
                self._set_aside(part, error)

    def _set_aside(self, part: Path, error: Exception) -> None:
        """Keep what is no record out of the way of the others, and say so."""
        aside = part.with_name(part.name + ".bad")
        with suppress(OSError):
            part.replace(aside)
        self.warnings.append(
            f"{part}: not a record; its run is done again ({one_line(error)}; kept as {aside.name})"
        )


def _rows_of(part: Path) -> list[dict[str, Any]]:
    """The rows of one part; raises one of many errors if they cannot be merged."""
    rows = _rows(
        json.loads(files.read_bytes(part))
    )  # a trajectory begins at infinity, which JSON proper lacks
    if any(row.get("run_id") != part.stem or row.get("record") not in ("run", "point") for row in rows):
        raise ValueError("rows of something else")
    if sum(row["record"] == "run" for row in rows) != 1:
        raise ValueError("not one run")
    for row in to_table(rows).select(JSON_COLUMNS).to_pylist():
        for text in filter(None, row.values()):
            json.loads(text)
    return rows


def _rows(record: Any) -> list[dict[str, Any]]:
    """The rows of a finished run; ``ValueError`` or ``TypeError`` if a record holds something else."""
    if not isinstance(record, list) or not record or not all(isinstance(row, dict) for row in record):
        raise TypeError("not a list of rows")
    runs = [row for row in record if row["record"].removeprefix(OLD) == "run"]
    if any(row.get(name) is None for row in runs for name in RUN_KEYS):
        raise ValueError("a run without a name")
    return record


def _read_back(path: Path, table: pa.Table) -> list[str]:
    """The runs in a file that has just been written; :class:`InputError` if it does not hold this table."""
    names, found = ["record", "run_id", "status"], read_table(path)
    if found.schema.names != table.schema.names or not found.select(names).equals(table.select(names)):
        raise InputError(
            "was written, but does not read as what was written: the parts are kept", source=str(path)
        )
    runs: list[str] = found["run_id"].to_pylist()
    return runs
