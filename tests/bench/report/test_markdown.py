from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from uara.base.cells import Table
from uara.base.errors import InputError
from uara.base.inks import to_markdown
from uara.bench import Results
from uara.bench.metrics import scored
from uara.bench.report.markdown import gaps_by_size, renew, tables_of
from uara.bench.results import by_group
from uara.cli import main

from ..conftest import made_up

README = "# T\n<!-- uara bench table: recorded-ranking -->\nold\n<!-- end of table -->\nafter\n"


@pytest.fixture(scope="module")
def tables(recorded: Path) -> dict[str, Table]:
    return tables_of(Results.load(recorded))


@pytest.mark.integration
def test_every_row_of_a_table_has_the_columns_of_its_head(recorded: Path) -> None:
    results = Results.load(recorded)
    tables = tables_of(results)
    names = {"ranking", "instances", "claims", "machine"} | {
        f"ranking-{group}" for group in by_group(results, scored(results))
    }
    assert set(tables) == {f"recorded-{name}" for name in names}
    for table in tables.values():
        assert table.rows
        assert {len(row) for row in table.rows} == {len(table.columns)}


def test_a_mark_with_labels_gives_a_short_table_of_them(tables: dict[str, Table], tmp_path: Path) -> None:
    readme = tmp_path / "README.md"
    readme.write_text(README.replace("ranking -->", "ranking | random | tma (allocation=optimal) -->"))
    assert renew(readme, tables)
    lines = readme.read_text().splitlines()[2:]
    assert lines[0] == "| solver | primal gap % | optimality gap % | latency ms | runtime s |"
    assert sorted(line.split(" | ")[0] for line in lines[2:4]) == ["| random", "| tma (allocation=optimal)"]
    assert lines[4].startswith(("<!--", "The same")) or lines[4] == ""
    assert not renew(readme, tables)
    readme.write_text(README.replace("ranking -->", "ranking | nobody -->"))
    with pytest.raises(InputError, match="'nobody' is none of its solvers"):
        renew(readme, tables)


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
    (table,) = gaps_by_size(runs).values()
    assert to_markdown(table) == (
        "| optimality gap %, E \\ M (2 to 2 instances each) | 30 | 60 |\n|---:|---:|---:|\n"
        "| 4 | 7.00 | 10.00 |\n| 8 | 11.00 | 14.00 |"
    )
    assert gaps_by_size(runs[runs["feature_servers"] == 4]) == {}


def test_renewing_touches_the_marks_alone(tables: dict[str, Table], tmp_path: Path) -> None:
    readme = tmp_path / "README.md"
    readme.write_text(README)
    assert renew(readme, tables, write=False)
    assert readme.read_text() == README
    assert renew(readme, tables)
    text = readme.read_text()
    assert text.startswith("# T\n<!-- uara bench table: recorded-ranking -->\n| solver | rank |")
    assert text.endswith("|\n<!-- end of table -->\nafter\n")
    assert not renew(readme, tables)


@pytest.mark.integration
def test_a_file_without_marks_is_refused(recorded: Path, tmp_path: Path) -> None:
    (tmp_path / "README.md").write_text("<!-- uara bench table: other-ranking -->\nx\n<!-- end of table -->")
    with pytest.raises(InputError, match="holds no mark of recorded-ranking"):
        renew(tmp_path / "README.md", tables_of(Results.load(recorded)))


def test_results_without_a_run_are_an_error() -> None:
    with pytest.raises(InputError, match="holds no runs"):
        tables_of(made_up([], [{"run_id": "x"}]))


@pytest.mark.integration
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


@pytest.mark.integration
@pytest.mark.parametrize(
    ("form", "word"), [("latex", "\\toprule"), ("csv", "solver,"), ("markdown", "|---|")]
)
def test_the_command_prints_every_form(
    recorded: Path, capsys: pytest.CaptureFixture[str], form: str, word: str
) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["bench", "table", str(recorded), "--format", form])
    assert ended.value.code == 0
    out = capsys.readouterr().out
    assert word in out
    assert "recorded-machine" in out
