from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from uara.base.errors import InputError
from uara.bench.columns import to_table
from uara.bench.result_file import read_table


def row(run: str, **columns: Any) -> dict[str, Any]:
    known = {"record": "run", "run_id": run, "status": "ok", "label": "s", "instance": "i"}
    return {**known, "objective_ms": 2.0, "controllable_ms": 1.0, **columns}


@pytest.mark.parametrize("content", [b"", b"PAR1", b"label,objective\n", b"\x00" * 100])
def test_a_file_that_is_no_result_is_one_error(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "x.parquet"
    path.write_bytes(content)
    with pytest.raises(InputError, match=r"x.parquet: not a result file"):
        read_table(path)


def test_other_parquet_files_and_other_formats_are_refused(tmp_path: Path) -> None:
    import pyarrow as pa
    import pyarrow.parquet

    pa.parquet.write_table(pa.table({"a": [1]}), tmp_path / "x.parquet")
    with pytest.raises(InputError, match="not one of uara bench"):
        read_table(tmp_path / "x.parquet")
    newer = to_table([row("a")]).replace_schema_metadata({b"uara.bench.format": b"9"})
    pa.parquet.write_table(newer, tmp_path / "y.parquet")
    with pytest.raises(InputError, match="format version 9"):
        read_table(tmp_path / "y.parquet")
    with pytest.raises(InputError, match="no such file"):
        read_table(tmp_path / "z.parquet")


def test_a_file_from_before_a_column_is_read_as_if_it_were_empty(tmp_path: Path) -> None:
    import pyarrow as pa
    import pyarrow.parquet

    old = to_table([row("a")]).drop_columns(["load_1min", "proven"])
    pa.parquet.write_table(old, tmp_path / "x.parquet")
    table = read_table(tmp_path / "x.parquet").to_pandas()
    assert table["load_1min"].isna().all()
    assert table["proven"].isna().all()
