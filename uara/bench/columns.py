"""The columns of a result file, and rows as an Arrow table of them."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from uara.base.extras import needs

if TYPE_CHECKING:
    import pyarrow as pa

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
RUN_KEYS = ("run_id", "instance", "status")
"""Columns that every run fills."""
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
    flat = [{name: plain(name, value) for name, value in row.items()} for row in rows]
    schema = schema_of(flat)
    columns = {name: [row.get(name) for row in flat] for name in schema.names}
    for name in schema.names:
        if name.startswith("feature_") and schema.field(name).type == arrow().string():  # a word in any row
            columns[name] = [None if value is None else str(value) for value in columns[name]]
    return arrow().table(columns, schema=schema)


def plain(name: str, value: Any) -> Any:
    """A value as its column holds it: nested ones as JSON."""
    if name in JSON_COLUMNS and value is not None and not isinstance(value, str):
        return json.dumps(value, sort_keys=True, default=str)
    return value
