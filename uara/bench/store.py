"""Results in one long Parquet file: a row a run, a row a point of its trajectory, a row an instance.

While a suite runs, each finished run is a small file of its own beside it (JSON: it costs a hundredth of a
Parquet file), written whole or not at all; at the end they are merged into the one file, which takes the old
one's place in one step.
"""

from __future__ import annotations

import glob
import json
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from uara.base import files, locks, sheets
from uara.base.errors import InputError, UaraError, one_line
from uara.base.extras import needs

if TYPE_CHECKING:
    import pyarrow as pa

FORMAT_VERSION = 1
_TEXT = (
    *("record", "run_id", "suite", "instance", "digest", "kind", "label", "solver", "options"),
    *("status", "reason", "ended", "proven", "started_at", "host", "cpu", "platform", "python", "commit"),
    *("versions", "details", "decision", "certificate", "log", "content"),
)
_WHOLE = ("seed", "repetition", "threads", "threads_seen", "cores", "memory_mb")
_REAL = (
    *("time_limit_s", "memory_limit_mb", "training_s", "elapsed_s", "objective_ms", "controllable_ms"),
    *("bound_ms", "certified_bound_ms", "gap", "latency_mean_ms", "latency_p95_ms", "energy_j"),
    *("runtime_s", "setup_s", "wall_s", "peak_memory_mb", "load_1min"),
)
JSON_COLUMNS = ("options", "versions", "details", "decision", "certificate")
"""Text columns that hold JSON."""
OLD = "old "
"""Prefix of the ``record`` of rows that belong to no run of the present suite: kept, in case it comes back."""
RUN_KEYS = ("run_id", "instance", "status")
"""Columns that every run fills."""
CSV_BEGINS, HTML_MARK = b"run_id,suite,instance,", "· uara bench</title>".encode()
"""How the table for people begins, and what stands near the beginning of a report: the marks of files of ours."""
BULKY = ("decision", "certificate", "log", "content")
"""Columns that tables for people leave out."""
POINT = ("elapsed_s", "objective_ms", "controllable_ms", "bound_ms", "gap")
"""Columns of a trajectory point."""


def arrow() -> Any:
    """The pyarrow module, or the error that says how to get it."""
    needs("pyarrow.parquet", extra="bench")
    return needs("pyarrow", extra="bench")


def schema_of(rows: Iterable[Mapping[str, Any]]) -> pa.Schema:
    """Columns of the file: the fixed ones, and the features and measures that these rows have."""
    pa = arrow()
    fields = [pa.field(name, pa.string()) for name in _TEXT]
    fields += [pa.field(name, pa.int64()) for name in _WHOLE]
    fields += [pa.field(name, pa.float64()) for name in _REAL]
    fields.append(pa.field("groups", pa.list_(pa.string())))
    words: dict[str, bool] = {}
    for row in rows:
        for name, value in row.items():
            if name.startswith(("feature_", "measure_")) and value is not None:
                words[name] = words.get(name, False) or (
                    name.startswith("feature_") and isinstance(value, str)
                )
    own = [pa.field(name, pa.string() if words[name] else pa.float64()) for name in sorted(words)]
    return pa.schema(fields + own)


def to_table(rows: Sequence[Mapping[str, Any]]) -> pa.Table:
    """Rows as an Arrow table; nested values become JSON."""
    plain = [{name: _plain(name, value) for name, value in row.items()} for row in rows]
    schema = schema_of(plain)
    columns = {name: [row.get(name) for row in plain] for name in schema.names}
    for name in schema.names:
        if name.startswith("feature_") and schema.field(name).type == arrow().string():  # a word in any row
            columns[name] = [None if value is None else str(value) for value in columns[name]]
    return arrow().table(columns, schema=schema)


def _plain(name: str, value: Any) -> Any:
    if name in JSON_COLUMNS and value is not None and not isinstance(value, str):
        return json.dumps(value, sort_keys=True, default=str)
    return value


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


def refuse_foreign(path: Path, mark: bytes) -> None:
    """:class:`uara.InputError` if a file exists whose beginning is not that of a file of ours."""
    if path.is_file():
        with path.open("rb") as handle:
            begins = handle.read(4096)
        if begins and mark not in begins:
            raise InputError("holds something else than uara bench writes: move it first", source=str(path))


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
        plain = [{name: _plain(name, value) for name, value in row.items()} for row in rows]
        files.write_bytes(self.parts / f"{run_id}.json", json.dumps(plain, default=str).encode())

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


def read_table(path: Path, columns: list[str] | None = None) -> pa.Table:
    """Read a result file.

    Raises
    ------
    InputError
        If it is none, or of another format version.
    """
    pa = arrow()
    try:
        table = pa.parquet.read_table(path, columns=columns)
    except FileNotFoundError:
        raise InputError("no such file", source=str(path)) from None
    except (OSError, pa.ArrowException) as error:
        raise InputError(f"not a result file: {str(error).splitlines()[0]}", source=str(path)) from None
    found = (table.schema.metadata or {}).get(b"uara.bench.format", str(FORMAT_VERSION).encode())
    if found != str(FORMAT_VERSION).encode():
        raise InputError(
            f"format version {_shown(found)}, but {FORMAT_VERSION} is what this uara reads", source=str(path)
        )
    if not {"record", "run_id"} <= {*table.column_names, *(columns or ())}:
        raise InputError("a Parquet file, but not one of uara bench", source=str(path))
    if len(set(table.column_names)) < len(table.column_names):
        raise InputError("two columns have one name", source=str(path))
    return table if columns is not None else _checked(table, path)


def _checked(table: pa.Table, path: Path) -> pa.Table:
    """The table with every fixed column, each of its own type; a column that came later holds nothing."""
    pa = arrow()
    for field in schema_of(()):
        if field.name not in table.column_names:
            table = table.append_column(field, pa.nulls(len(table), field.type))
        elif table.schema.field(field.name).type != field.type:
            raise InputError(f"the column {field.name} does not hold {field.type}", source=str(path))
    own = {"measure_": [pa.float64()], "feature_": [pa.float64(), pa.string()]}
    for field in table.schema:
        if field.type not in own.get(field.name[:8], [field.type]):
            raise InputError(f"the column {field.name} holds {field.type}", source=str(path))
    runs = table.filter(pa.compute.field("record") == "run")
    solved = runs.filter(pa.compute.field("status") == "ok")
    for rows, names in ((runs, RUN_KEYS), (solved, ("objective_ms", "controllable_ms"))):
        for name in names:
            if rows[name].null_count:
                raise InputError(f"a run has no {name}", source=str(path))
    if len(runs["run_id"].unique()) < len(runs):
        raise InputError("a run is recorded twice", source=str(path))
    return table


def read_suite(path: Path) -> tuple[dict[str, Any], frozenset[str]]:
    """The suite that a result file was made from, and the runs that it plans; none if the file does not say.

    Raises
    ------
    InputError
        As :func:`read_table`, or if what it says is no suite.
    """
    from uara.bench.suite import Recorded

    metadata = read_table(path, ["record", "run_id"]).schema.metadata or {}
    try:
        suite = files.parse_json(metadata.get(b"uara.suite", b"{}"))
        planned = files.parse_json(metadata.get(b"uara.planned", b"[]"))
        if not isinstance(suite, dict):
            raise InputError("is no object", path="$.uara.suite")
        known = {name: suite[name] for name in Recorded.model_fields if name in suite}
        files.validate({**known, "planned": planned}, Recorded, path="$.uara.suite")
    except InputError as error:
        raise error.in_source(str(path)) from None
    return {"name": path.stem, **suite}, frozenset(planned)


def _shown(content: bytes) -> str:
    return content.decode(errors="replace")[:20]


def write_csv(path: Path, rows: Sequence[Mapping[str, Any]]) -> None:
    """The runs as a table for people: no trajectories, no allocations."""
    runs = [row for row in rows if row["record"] == "run"]
    names = [name for name in schema_of(runs).names if name not in (*BULKY, "record", "elapsed_s")]
    sheets.write(path, names, ([_cell(name, row.get(name)) for name in names] for row in runs))


def _cell(name: str, value: Any) -> Any:
    if value is None:
        return ""
    if name == "groups":
        return " ".join(value)
    return _plain(name, value)
