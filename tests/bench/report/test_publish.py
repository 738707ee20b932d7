from __future__ import annotations

import csv
import json
from pathlib import Path

import pytest

from uara.base.errors import InputError
from uara.bench import Results
from uara.bench.report.publish import publish


@pytest.mark.integration
def test_a_published_folder_holds_all_of_it(recorded: Path, tmp_path: Path) -> None:
    written = publish(recorded, tmp_path / "site")
    assert {path.name for path in written} == {path.name for path in (tmp_path / "site").iterdir()}
    assert Results.load(tmp_path / "site" / "results.parquet").counts() == Results.load(recorded).counts()
    assert json.loads((tmp_path / "site" / "suite.json").read_text())["name"] == "recorded"
    assert "<title>recorded" in (tmp_path / "site" / "index.html").read_text()
    with (tmp_path / "site" / "runs.csv").open() as handle:
        rows = list(csv.DictReader(handle))
    runs = Results.load(recorded).runs
    assert len(rows) == len(runs)
    assert [row["label"] for row in rows] == runs["label"].tolist()
    whole = [row[name] for row in rows for name in ("seed", "repetition", "threads", "cores") if row[name]]
    assert all(value.isdigit() for value in whole), "1, not 1.0"
    best = [float(row["objective_ms"]) for row in rows if row["objective_ms"]]
    assert best == runs["objective_ms"].dropna().tolist(), "written to the last digit"


def test_a_folder_with_files_of_these_names_is_left_alone(recorded: Path, tmp_path: Path) -> None:
    (tmp_path / "suite.json").write_text("mine")
    with pytest.raises(InputError, match="holds something else"):
        publish(recorded, tmp_path)
    (tmp_path / "index.html").write_text("<p>mine</p>")
    with pytest.raises(InputError, match="holds something else"):
        publish(recorded, tmp_path)
    assert (tmp_path / "suite.json").read_text() == "mine"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["index.html", "suite.json"]


@pytest.mark.integration
def test_publishing_again_gives_the_same_bytes(recorded: Path, tmp_path: Path) -> None:
    first = [path.read_bytes() for path in publish(recorded, tmp_path / "a")]
    assert [path.read_bytes() for path in publish(recorded, tmp_path / "b")] == first
