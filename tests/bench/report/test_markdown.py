from __future__ import annotations

import math
from pathlib import Path

import pandas as pd
import pytest

from uara.base.errors import InputError
from uara.bench import Results
from uara.bench.metrics import scored
from uara.bench.report.markdown import gaps_by_size, markdown_tables, renew
from uara.bench.results import by_group
from uara.cli import main

from ..conftest import made_up

README = "# T\n<!-- uara bench table: recorded-ranking -->\nold\n<!-- end of table -->\nafter\n"


def test_every_row_of_a_table_has_the_columns_of_its_head(recorded: Path) -> None:
    results = Results.load(recorded)
    tables = markdown_tables(results)
    names = {"ranking", "instances", "claims", "machine"} | {
        f"ranking-{group}" for group in by_group(results, scored(results))
    }
    assert set(tables) == {f"recorded-{name}" for name in names}
    for text in tables.values():
        lines = text.splitlines()
        assert len(lines) >= 3
        assert len({line.replace("\\|", "").count("|") for line in lines}) == 1


def test_the_table_says_what_the_ranking_says(recorded: Path) -> None:
    results = Results.load(recorded)
    lines = markdown_tables(results)["recorded-ranking"].splitlines()[2:]
    for line, (_, row) in zip(lines, results.ranking().iterrows(), strict=True):
        cells = [cell.strip() for cell in line.strip("|").split(" | ")]
        assert cells[1] == row["label"]
        if math.isinf(row["excess"]):
            assert cells[2].startswith("∞")
        else:
            assert float(cells[2]) == pytest.approx(100 * row["excess"], abs=6e-4)


def test_gaps_of_learned_solvers_stand_by_size() -> None:
    rows = [
        (label, servers, devices, drop, 0.01 * servers + 0.001 * devices + shift, training)
        for label, training in (("learned", 60.0), ("rule", None))
        for servers in (4.0, 8.0)
        for devices in (30.0, 60.0)
        for drop, shift in (("a", -0.01), ("b", 0.01))
    ]
    runs = pd.DataFrame(
        rows, columns=["label", "feature_servers", "feature_devices", "drop", "gap_to_bound", "training_s"]
    )
    runs["instance"] = runs["drop"] + runs.index.astype(str)
    runs["status"], runs["answered"] = "ok", True
    assert gaps_by_size(runs) == {
        "learned": "| E \\ M (2 to 2 instances each) | 30 | 60 |\n|---|---|---|\n"
        "| 4 | 7.00 | 10.00 |\n| 8 | 11.00 | 14.00 |"
    }
    assert gaps_by_size(runs[runs["feature_servers"] == 4]) == {}


def test_renewing_touches_the_marks_alone(recorded: Path, tmp_path: Path) -> None:
    tables = markdown_tables(Results.load(recorded))
    readme = tmp_path / "README.md"
    readme.write_text(README)
    assert renew(readme, tables, write=False)
    assert readme.read_text() == README
    assert renew(readme, tables)
    text = readme.read_text()
    assert text.startswith("# T\n<!-- uara bench table: recorded-ranking -->\n| rank |")
    assert text.endswith("|\n<!-- end of table -->\nafter\n")
    assert not renew(readme, tables)


def test_a_file_without_marks_is_refused(recorded: Path, tmp_path: Path) -> None:
    (tmp_path / "README.md").write_text("<!-- uara bench table: other-ranking -->\nx\n<!-- end of table -->")
    with pytest.raises(InputError, match="holds no mark of recorded-ranking"):
        renew(tmp_path / "README.md", markdown_tables(Results.load(recorded)))


def test_results_without_a_run_are_an_error() -> None:
    with pytest.raises(InputError, match="holds no runs"):
        markdown_tables(made_up([], [{"run_id": "x"}]))


def test_the_command_checks_and_renews(recorded: Path, tmp_path: Path) -> None:
    readme = tmp_path / "README.md"
    readme.write_text(README)

    def code(*words: str) -> object:
        with pytest.raises(SystemExit) as ended:
            main(["bench", "table", str(recorded), "--readme", str(readme), *words])
        return ended.value.code

    assert code("--check") == 1
    assert readme.read_text() == README
    assert code() == 0
    assert code("--check") == 0
