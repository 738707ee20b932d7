from __future__ import annotations

import dataclasses
import math
from pathlib import Path
from typing import Any

import pytest
from cases import make_instance
from hetedge_cases import make_hetedge

from uara import InputError, Result, solve
from uara.answers import tables as answer_tables
from uara.base import sheets
from uara.p1.answers import COLUMNS, tables

RESULT = solve(make_instance(7, 3, name="se<ven"), "max-sinr")


def test_a_frame_is_a_table() -> None:
    pytest.importorskip("pandas")
    found = tables(RESULT.instance, RESULT.decision)  # type: ignore[arg-type]
    for name, frame in (
        (None, RESULT.to_frame()),
        ("devices", RESULT.to_frame("devices")),
        ("servers", RESULT.to_frame("servers")),
    ):
        assert {column: frame[column].tolist() for column in frame} == found[name or "devices"]
    with pytest.raises(InputError, match="'pairs' is not one of devices, servers"):
        RESULT.to_frame("pairs")


def test_files_hold_the_devices(tmp_path: Path) -> None:
    answer_tables.check(tmp_path / "a.csv", "p1")
    answer_tables.save(RESULT, tmp_path / "a.csv")
    names, rows = sheets.read(tmp_path / "a.csv")
    assert tuple(names) == COLUMNS
    assert [float(row[10]) for row in rows] == RESULT.evaluation.device_latency_ms.tolist()  # type: ignore[attr-defined]
    answer_tables.check(tmp_path / "a.csv", "p1")
    pandas, _ = pytest.importorskip("pandas"), pytest.importorskip("pyarrow")
    answer_tables.check(tmp_path / "a.parquet", "p1")
    answer_tables.save(RESULT, tmp_path / "a.parquet")
    assert pandas.read_parquet(tmp_path / "a.parquet").equals(RESULT.to_frame())


def test_tables_of_others_and_kinds_without_are_refused(tmp_path: Path) -> None:
    (tmp_path / "mine.csv").write_text("my,own\n")
    with pytest.raises(InputError, match="holds a table with other columns"):
        answer_tables.check(tmp_path / "mine.csv", "p1")
    with pytest.raises(InputError, match="answers of kind hetedge have no tables"):
        answer_tables.check(tmp_path / "a.csv", "hetedge")


def test_a_summary_is_five_lines() -> None:
    lines = repr(RESULT).splitlines()
    assert len(lines) == 5
    assert lines[0] == "Result: max-sinr on se<ven, seed 0"
    assert f"{RESULT.evaluation.objective_ms:,.1f} ms" in lines[2]
    assert "bound" not in repr(RESULT)
    assert "se&lt;ven" in RESULT._repr_html_()
    assert RESULT._repr_html_().count("<tr>") == 5
    proven = repr(dataclasses.replace(RESULT, bound_ms=RESULT.evaluation.objective_ms))
    assert f"bound {RESULT.evaluation.objective_ms:,.1f} ms, gap 0.0000 %" in proven


def test_what_is_not_finite_is_a_word() -> None:
    class Lost:
        objective_ms = controllable_ms = energy_j = math.inf
        latency_ms: Any = {"mean": math.inf, "p95": math.inf}
        feasible = False

    lost: Result = dataclasses.replace(RESULT, evaluation=Lost())  # type: ignore[arg-type]
    assert "infeasible" in repr(lost)
    assert "objective  infinite ms" in repr(lost)


def test_an_allocation_has_its_name() -> None:
    assert RESULT.allocation is RESULT.decision
    other = solve(make_hetedge(), "hetedge-dp")
    assert not hasattr(other, "allocation")
    assert len(repr(other).splitlines()) == 5
    with pytest.raises(InputError, match="answers of kind hetedge have no tables"):
        other.to_frame()
