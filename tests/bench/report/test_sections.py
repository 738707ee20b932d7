from __future__ import annotations

import math
from importlib import resources
from pathlib import Path
from typing import Any

import pytest

from uara.bench import Results
from uara.bench.metrics import scored
from uara.bench.report.pages import anchor
from uara.bench.report.section import Facts, Section
from uara.bench.report.sections import (
    DRAWN,
    SECTIONS,
    data,
    ends,
    failures_table,
    gaps,
    instances,
    machines,
    payback,
    ranking,
    sections,
    split,
)

from ..conftest import made_up


@pytest.fixture(scope="module")
def built(recorded: Path) -> dict[str, Section]:
    return {section.anchor: section for section in sections(Facts.of(Results.load(recorded)))}


@pytest.mark.integration
def test_every_section_has_a_template_and_a_real_result_has_them_all(built: dict[str, Section]) -> None:
    folder = resources.files("uara.bench.report") / "sections"
    assert len(built) == len(SECTIONS)
    for section in built.values():
        assert (folder / f"{section.anchor}.html.j2").is_file()
    drawn = {section.anchor for section in built.values() if section.pictures}
    assert drawn == {make.__name__ for make in DRAWN}


def test_every_failed_run_is_listed_with_its_reason(built: dict[str, Section], recorded: Path) -> None:
    runs = Results.load(recorded).runs
    rows = built["failures"].values["table"].rows
    assert len(rows) == (runs["status"] != "ok").sum()
    assert any("ZeroDivisionError" in row[-1].text and "about to divide" in row[-1].note for row in rows)
    assert any(row[-1].text == "on purpose" for row in rows)


def test_what_each_run_prints_is_read_once() -> None:
    rows: list[dict[str, Any]] = [
        {"instance": name, "status": "error", "reason": "x" * 400, "log": "same"} for name in "ij"
    ]
    table = failures_table(scored(made_up(rows)))
    assert table is not None
    assert [row[-1].note for row in table.rows] == ["same", ""]
    assert all(len(row[-1].text) == 300 for row in table.rows)
    assert failures_table(scored(made_up([{"controllable_ms": 1.0}]))) is None


def test_of_a_long_log_both_ends_are_shown() -> None:
    assert ends("short") == "short"
    text = "first" + "." * 10_000 + "last"
    assert ends(text).startswith("first.")
    assert ends(text).endswith(".last")
    assert len(ends(text)) < 2100
    for length in range(1990, 2020):
        assert len(ends("x" * length)) <= length


def test_figures_say_what_is_missing(built: dict[str, Section]) -> None:
    sweep, lost, trade = built["paper"].values["figures"]
    assert sweep["claim"] == "grows"
    assert lost["missing"] == ["measure_nothing"]
    assert any(row[-1].text == "yes" for row in trade["table"].rows), "somebody is on the front"
    devices = sorted({row[1].value for row in sweep["table"].rows})
    assert devices == [6, 10, 16]


def test_the_claim_stands_beside_the_measurement(built: dict[str, Section]) -> None:
    (claim,) = built["paper"].values["claims"]
    first = [cell.text for cell in claim["table"].rows[0]]
    assert first[:2] == ["mean reduction", "20.0"]
    assert float(first[2]) > 0


def test_both_parts_of_the_gap_are_means_over_the_same_instances() -> None:
    """An instance without a bound has a gap of no kind."""
    rows = [
        {"instance": "i", "controllable_ms": 10.0, "bound_ms": 108.0, "measure_optimal_shares_ms": 109.0},
        {"instance": "j", "controllable_ms": 10.0, "measure_optimal_shares_ms": 105.0},
    ]
    section = gaps(Facts.of(made_up(rows)))
    assert section is not None
    (row,) = section.values["table"].rows
    assert [cell.value for cell in row[1:]] == pytest.approx([20.0, 10.0, 10.0])
    assert split(scored(made_up(rows[1:]))) is None


def test_training_pays_where_the_learned_solver_is_faster() -> None:
    rows = [
        {"label": "learned", "controllable_ms": 11.0, "runtime_s": 1.0, "training_s": 8.0},
        {"label": "slow", "controllable_ms": 10.0, "runtime_s": 3.0},
        {"label": "quick", "controllable_ms": 10.0, "runtime_s": 0.5},
    ]
    section = payback(Facts.of(made_up(rows)))
    assert section is not None
    found = {row[1].text: [cell.value for cell in row[2:]] for row in section.values["table"].rows}
    assert found["slow"] == pytest.approx([8.0, 2.0, 4.0, 10.0])
    assert found["quick"] == pytest.approx([8.0, -0.5, math.inf, 10.0])
    assert payback(Facts.of(made_up(rows[1:]))) is None


def test_each_instance_leads_to_its_page_with_what_is_known_of_it() -> None:
    rows = [
        {"instance": "i", "controllable_ms": 10.0, "certified_bound_ms": 109.0, "feature_devices": 3.0},
        {"instance": "j & k", "controllable_ms": 20.0, "bound_ms": 110.0, "feature_devices": 4.0},
        {"instance": "l", "status": "timeout", "feature_devices": 5.0},
    ]
    table = instances(Facts.of(made_up(rows))).values["table"]
    assert [column.name for column in table.columns] == [
        *("instance", "devices", "best controllable ms", "best solver", "optimality gap %", "bound")
    ]
    assert [row[0].link for row in table.rows] == [f"#{anchor(row['instance'])}" for row in rows]
    assert [row[4].value for row in table.rows] == pytest.approx([10.0, 50.0, math.inf])
    assert [row[-1].text for row in table.rows] == ["certified", "claimed", "none"]


def test_the_ranking_is_told_for_each_group_too() -> None:
    rows = [
        {"instance": name, "label": label, "controllable_ms": value, "groups": [name]}
        for name, values in (("i", (1.0, 2.0)), ("j", (4.0, 3.0)))
        for label, value in zip("ab", values, strict=True)
    ]
    suite = {"instances": [{"groups": ["i", "j", "empty"]}]}
    values = ranking(Facts.of(made_up(rows, **suite))).values
    best = {table.name: table.rows[0][0].text for table in values["groups"]}
    assert best == {"i": "a", "j": "b"}
    assert values["ranking"].name == "all instances"
    assert [[cell.text for cell in row[:2]] for row in values["pairs"].rows] == [["a", "b"]]


def test_machines_and_own_columns_are_told() -> None:
    rows = [
        {"controllable_ms": 1.0, "host": "h", "cpu": "c", "cores": 2, "threads": 1, "versions": '{"uara": "1"}',
         "started_at": "2026", "measure_loss": 1.0, "load_1min": 0.5},
    ]  # fmt: skip
    facts = Facts.of(made_up(rows))
    (machine,) = machines(facts).values["machines"]
    assert (machine["host"], machine["runs"], machine["versions"]) == ("h", 1, {"uara": "1"})
    assert data(facts).values["own"] == ["measure_loss"]
