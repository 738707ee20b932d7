from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from uara.bench.store import Store, read_suite, read_table, to_table
from uara.errors import InputError


def row(run: str, **columns: Any) -> dict[str, Any]:
    return {"record": "run", "run_id": run, "status": "ok", "label": "s", "instance": "i", **columns}


def test_what_is_appended_is_read_back(tmp_path: Path) -> None:
    store = Store(tmp_path / "r.parquet")
    store.append(
        "a",
        [
            row(
                "a", objective_ms=1.5, groups=["g"], feature_channel="rt", measure_x=2.0, decision={"b": [1]}
            ),
            {"record": "point", "run_id": "a", "elapsed_s": 0.5},
        ],
    )
    store.append("b", [row("b", status="timeout", feature_devices=3.0)])
    assert store.statuses() == {"a": "ok", "b": "timeout"}
    rows = store.rows()
    assert rows[0]["decision"] == '{"b": [1]}'
    assert rows[0]["measure_x"] == 2.0
    assert rows[1]["elapsed_s"] == 0.5
    store.merge(rows, {"name": "n"})
    assert store.rows() == rows
    assert read_suite(store.path) == {"name": "n"}
    assert list(store.parts.glob("*")) == []
    table = read_table(store.path).to_pandas()
    assert table["feature_devices"].tolist()[2] == 3.0
    assert (tmp_path / "r.csv").read_text().count("\n") == 3


def test_the_later_record_of_a_run_counts_and_takes_its_points_along(tmp_path: Path) -> None:
    store = Store(tmp_path / "r.parquet")
    point = {"record": "point", "run_id": "a", "elapsed_s": 0.5}
    store.merge([row("a", status="error"), point, point], {})
    store.append("a", [row("a"), point])
    assert store.statuses() == {"a": "ok"}
    assert [each["record"] for each in store.rows()] == ["run", "point"]


def test_unfinished_writes_are_invisible(tmp_path: Path) -> None:
    store = Store(tmp_path / "r.parquet")
    store.append("a", [row("a")])
    (store.parts / ".b.json.x.json").write_bytes(b'[{"record": "run"')
    (store.parts / "c.json").write_bytes(b"")
    assert store.statuses() == {"a": "ok"}
    assert len(store.warnings) == 1
    assert "c.json" in store.warnings[0]


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
