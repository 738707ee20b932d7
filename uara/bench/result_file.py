"""Reading a result file, every column of its own type; the table for people beside it; files of others left alone."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from uara.base import files, sheets
from uara.base.errors import InputError
from uara.bench.columns import BULKY, RUN_KEYS, arrow, plain, schema_of

if TYPE_CHECKING:
    import pyarrow as pa

FORMAT_VERSION = 1
CSV_BEGINS, HTML_MARK = b"run_id,suite,instance,", "· uara bench</title>".encode()
"""How the table for people begins, and what stands near the beginning of a report: the marks of files of ours."""


def refuse_foreign(path: Path, mark: bytes) -> None:
    """:class:`uara.InputError` if a file exists whose beginning is not that of a file of ours."""
    if path.is_file():
        with path.open("rb") as handle:
            begins = handle.read(4096)
        if begins and mark not in begins:
            raise InputError("holds something else than uara bench writes: move it first", source=str(path))


def read_table(path: Path, columns: list[str] | None = None) -> pa.Table:
    """Read a result file; :class:`uara.InputError` if it is none, or of another format version."""
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
    """The suite that a result file was made from, and the runs that it plans; none if the file does not say."""
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
    return plain(name, value)
