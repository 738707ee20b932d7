from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from uara.bench import Results
from uara.bench.metrics import scored
from uara.bench.report import charts, render, sections

from ..conftest import HOSTILE, made_up


@pytest.fixture(scope="module")
def built(recorded: Path) -> dict[str, Any]:
    return sections.build(Results.load(recorded))


def test_every_failed_run_is_listed_with_its_reason(built: dict[str, Any], recorded: Path) -> None:
    runs = Results.load(recorded).runs
    rows = built["failures"].rows
    assert len(rows) == (runs["status"] != "ok").sum()
    assert any("ZeroDivisionError" in row[-1].text and "about to divide" in row[-1].note for row in rows)
    assert any(row[-1].text == "on purpose" for row in rows)


def test_both_profiles_count_the_same_failures(recorded: Path) -> None:
    runs = scored(Results.load(recorded))
    found = charts.profiles(runs)
    for label in ("bench_trials:raises", "max-sinr"):
        solved = {name: one[label].at(1e12) for name, one in found.items()}
        share = (runs[runs["label"] == label]["status"] == "ok").sum() / runs["instance"].nunique()
        assert solved["quality"] == pytest.approx(share)
        assert solved["time"] <= solved["quality"]


def test_figures_say_what_is_missing(built: dict[str, Any]) -> None:
    sweep, lost, trade = built["figures"]
    assert sweep["claim"] == "grows"
    assert lost["missing"] == ["measure_nothing"]
    assert any(row[-1].text == "yes" for row in trade["table"].rows), "somebody is on the front"
    devices = sorted({row[1].value for row in sweep["table"].rows})
    assert devices == [6, 8, 10, 12, 14, 16]


def test_the_claim_stands_beside_the_measurement(built: dict[str, Any]) -> None:
    (claim,) = built["claims"]
    first = [cell.text for cell in claim["table"].rows[0]]
    assert first[:2] == ["mean reduction", "20.0"]
    assert float(first[2]) > 0


def test_warnings_are_loud() -> None:
    rows = [
        {"label": "a", "controllable_ms": 1.0, "commit": "x"},
        {"label": "b", "status": "timeout", "commit": "y"},
        {"label": "c", "controllable_ms": 2.0, "bound_ms": 101.5, "commit": "x"},
    ]
    results = made_up(rows, planned_runs=9)
    text = " ".join(sections.warnings(results, scored(results)))
    for words in (
        "Contradiction",
        "6 planned runs",
        "b never succeeded: timeout",
        "2 states of the code",
        "no test can tell",
    ):
        assert words in text


def test_a_green_harness_full_of_timeouts_is_not_green() -> None:
    results = made_up(
        [{"label": "a", "status": "timeout", "host": "h"}],
        name="n",
        time_limit_s=1,
        memory_limit_mb=1,
        seeds=[0],
        repetitions=1,
    )
    text = render(results)
    assert "a never succeeded: timeout" in text


def test_hostile_text_is_escaped(recorded: Path) -> None:
    text = render(Results.load(recorded))
    assert "<img" not in text
    assert "price &lt;img src=x onerror=" in text
    assert HOSTILE not in text


def test_rendering_is_repeatable(recorded: Path) -> None:
    results = Results.load(recorded)
    assert render(results) == render(results)


def test_both_parts_of_the_gap_are_means_over_the_same_instances() -> None:
    """An instance without a bound has a gap of no kind."""
    rows = [
        {"instance": "i", "controllable_ms": 10.0, "bound_ms": 108.0, "measure_optimal_shares_ms": 109.0},
        {"instance": "j", "controllable_ms": 10.0, "measure_optimal_shares_ms": 105.0},
    ]
    (row,) = sections.gap_split(scored(made_up(rows)))["split"].rows
    assert [cell.value for cell in row[1:]] == pytest.approx([0.2, 0.1, 0.1])
    assert sections.gap_split(scored(made_up(rows[1:])))["split"] is None


def test_an_interval_that_does_not_exist_is_a_dash() -> None:
    place = [name for name, *_ in sections.RANKING].index("interval")
    for count, shown in ((5, False), (6, True)):
        rows = [
            {"label": label, "instance": f"i{k}", "controllable_ms": value + k * (label == "b")}
            for k in range(count)
            for label, value in (("a", 10.0), ("b", 11.0))
        ]
        table = sections.ranking_table(scored(made_up(rows)), "all")
        assert [row[place].text != "–" for row in table.rows] == [shown, shown]
