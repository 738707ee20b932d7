"""What the scripts that measure proofs do with what they measured: nothing is counted that was not proven."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import auto_beside
import proof_bars
import pytest
from proof_bars import BEGIN, END, bars, reached, rows_of, table, write


def row(instance: str = "e8_m90", gap: float | None = 5e-7, **changed: Any) -> dict[str, Any]:
    plain = {
        "group": "shipped",
        "instance": instance,
        "wanted": 1e-6,
        "servers": 8,
        "devices": 90,
        "gap": gap,
        "seconds": 1.5,
        "check_seconds": 0.5,
        "nodes": 3.0,
        "refused": [],
    }
    return {**plain, **changed}


def test_only_what_the_checker_accepts_is_reached() -> None:
    assert reached(row())
    assert not reached(row(gap=2e-6))
    assert not reached(row(gap=None))
    assert not reached(row(refused=["objective: claimed 1 ms, found 2 ms"]))


def test_every_bar_counts_its_own_rows() -> None:
    rows = [row(wanted=1e-4, seconds=1.0), row("e20_m90", wanted=1e-4, seconds=3.0), row(gap=2e-6)]
    lines = list(bars(rows))
    assert "| shipped, 1e-4 within 2 s | 1 of 2; median" in "\n".join(lines)
    assert "| shipped, 1e-6 within 60 s | 0 of 1 |" in lines
    assert "| answers that the exact checker refuses | 0 of 3 |" in lines
    assert "exact check at e8_m90, within 5 s | 0.50 to 0.50 s" in "\n".join(lines)


def test_the_table_says_what_fell_short() -> None:
    lines = table([row(), row("e20_m180", gap=2e-5, seconds=60.0, servers=20, devices=180)])
    assert lines[2].startswith("| e8_m90 | not run | 1.5 | not run | 5.0e-07 |")
    assert "2.0e-05 after 60" in lines[3]


def test_a_log_goes_on_where_it_was(tmp_path: Path) -> None:
    log = tmp_path / "log.jsonl"
    assert rows_of(log) == []
    again = row(seconds=2.0)
    log.write_text("\n".join(map(json.dumps, [row(), row("e4_m30"), again])) + '\n{"group": "ship')
    assert rows_of(log) == [again, row("e4_m30")]


def test_the_page_keeps_what_is_around_the_table(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text(f"before\n{BEGIN}\nold\n{END}\nafter\n")
    write([row()], page)
    text = page.read_text()
    assert text.startswith("before\n")
    assert text.endswith("\nafter\n")
    assert "old" not in text
    assert "e8_m90" in text


def test_the_jobs_cover_what_is_asked() -> None:
    everything = [job.key for job in proof_bars.jobs(30)]
    assert len(everything) == len(set(everything)) == 3 * 19 + 4 + 2 * 30
    assert len({name for group, name, _ in everything if group == "shipped"}) == 19


@pytest.mark.integration
def test_a_job_is_solved_and_checked() -> None:
    job = next(job for job in proof_bars.jobs(0) if job.instance == "e4_m30")
    found = proof_bars.run(job)
    assert reached(found)
    assert found["wanted"] == 1e-4
    assert json.loads(json.dumps(found)) == found


@pytest.mark.integration
def test_networks_are_drawn_once_for_all() -> None:
    names = [name for name, _, _ in auto_beside.networks()]
    assert len(set(names)) == auto_beside.NETWORKS
    assert names == [name for name, _, _ in auto_beside.networks()]


def test_who_is_behind_is_counted() -> None:
    def run(solver: str, objective: float, bound: float) -> dict[str, Any]:
        figures = {"objective_ms": objective, "certified_ms": bound, "controllable_ms": 100.0}
        gap = (objective - bound) / 100.0
        return {"network": "n", "solver": solver, "limit_s": 2.0, "gap": gap, **figures}

    lines = list(
        auto_beside.table(
            [run("price", 1000.0, 990.0), run("exact", 1000.0, 998.0), run("auto", 1001.0, 995.0)]
        )
    )
    assert lines[2].startswith("| 2 s | `price` | 1 | 1 | 1.0e-02 | 0 | 0.0e+00 | 0 | 0 |")
    assert lines[3].startswith("| 2 s | `exact` | 1 | 1 | 1.0e-02 | 1 | 3.0e-02 | 0 | 0 |")
