from __future__ import annotations

import math
from pathlib import Path

import hetedge_bars as bars
import hetedge_record
import hetedge_rolling as rolling
import hetedge_sweeps as sweeps
import hetedge_tables as study
import pytest

from uara.base.errors import InputError

PAGE = Path(__file__).parents[3] / "docs" / "hetedge.md"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Few recorded rows of every study."""
    hetedge_record.write(
        [
            bars.Row("hetedge_k20", "hetedge-bound", 0, 30.0, 17.0, 100.0, 99.0, 12.0),
            bars.Row("hetedge_k20_seed2", "hetedge-bound", 0, 30.0, 30.0, 100.0, 90.0, math.inf),
            bars.Row("hetedge_k20", "hetedge-dp", 0, 10.0, 10.0, 102.0, 0.0, math.inf),
            bars.Row("hetedge_k20", "hetedge-dp", 1, 10.0, 10.0, 100.5, 0.0, math.inf),
        ],
        tmp_path / "bars.csv",
    )

    def row(method: str, total_ms: float) -> sweeps.Row:
        return sweeps.Row("requests", 20.0, method, total_ms, 1.0, 1.0, 1.0, 1.0, 800.0)

    points = [row(method, 2000.0) for method in [*sweeps.METHODS, "best fixed length"]]
    points[0] = row("joint optimum", 1000.0)
    hetedge_record.write([*points, row(sweeps.SEARCHED, 900.0)], tmp_path / "sweeps.csv")
    hetedge_record.write([row("benchmark", 2000.0), row("joint optimum", 1000.0)], tmp_path / "ablation.csv")
    hetedge_record.write(
        [
            rolling.Row("azure_code", 0.1, "hetedge-dp", 4.0, 20.0, 30.0, 40.0),
            rolling.Row("azure_code", 0.1, "continuous batching", 3.0, 9.0, 9.5, 41.0),
        ],
        tmp_path / "rolling.csv",
    )
    return tmp_path


@pytest.mark.parametrize(
    ("name", "line"),
    [
        ("proofs", "| `hetedge_k20` | 100.000 s | 99.000 s | 1.00 % | 17 s | 0.5 %: 12 s |"),
        ("proofs", "| `hetedge_k20_seed2` | 100.000 s | 90.000 s | 10.00 % | 30 s | 0.5 %: not in 30 s |"),
        ("searches", "| `hetedge_k20` | 102.0, 100.5 s | 100.0 s | 2.00 % |"),
        ("savings", "| no batching | 50.0 % | 50.0 % | 55.0 % | 55.0 % | 60.0 % | 60.0 % |"),
        ("gaps", "| requests K | 20: 11.11 % |"),
        ("ablation", "| joint optimum | 1 s | -50.0 % | +25.0 % |"),
        ("arrivals", "| | code, 0.1 |"),
        ("arrivals", "| hetedge-dp | 4.0 / 20.0 |"),
        ("arrivals", "| continuous batching | **3.0** / 9.0 |"),
    ],
)
def test_tables_say_what_was_recorded(folder: Path, name: str, line: str) -> None:
    page = f"before\n<!-- hetedge table: {name} -->\nold\n<!-- end of table -->\nafter\n"
    text = study.filled(page, folder)
    assert line in text.splitlines()
    assert "old" not in text
    assert text.startswith("before\n")
    assert text.endswith("<!-- end of table -->\nafter\n")
    assert study.filled(text, folder) == text


def test_what_is_not_recorded_stays(tmp_path: Path) -> None:
    page = "<!-- hetedge table: ablation -->\nold\n<!-- end of table -->\n"
    assert study.filled(page, tmp_path) == page
    unproved = sweeps.Row("ablation", 0.0, "benchmark", 2.0, 1.0, 1.0, 1.0, 1.0)
    hetedge_record.write([unproved], tmp_path / "ablation.csv")
    assert study.filled(page, tmp_path) == page


def test_an_unknown_mark_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no table 'other'"):
        study.filled("<!-- hetedge table: other -->\n<!-- end of table -->\n", tmp_path)


def test_the_page_holds_what_is_recorded() -> None:
    text = PAGE.read_text(encoding="utf-8")
    assert "<!-- hetedge table: " in text
    assert study.filled(text, PAGE.parent / "hetedge") == text
