"""Whatever part of a suite was done, there are tables, a report and a comparison, in words where a figure is not."""

from __future__ import annotations

import json
import math
from typing import Any

import pytest

from uara.base.inks import to_markdown
from uara.bench import Results
from uara.bench.compare import compare_results
from uara.bench.metrics import contradictions
from uara.bench.report import render
from uara.bench.report.markdown import tables_of
from uara.bench.terminal import ranking_records, show_comparison, show_ranking

from .conftest import made_up

SUITE: dict[str, Any] = {
    "name": "s",
    "time_limit_s": 1.0,
    "memory_limit_mb": 1.0,
    "seeds": [0],
    "repetitions": 1,
    "planned_runs": 9,
    "instances": [{"groups": ["g"]}, {"groups": ["elsewhere"]}],
    "figures": [
        {
            "title": "lines",
            "group": group,
            "x": "feature_devices",
            "y": y,
            "kind": kind,
            "along": along,
            "claim": "",
        }
        for group in ("g", "elsewhere")
        for y in ("latency_mean_ms", "status", "measure_nothing")
        for kind, along in (("lines", None), ("pareto", None), ("pareto", "feature_devices"))
    ],
    "claims": [
        {
            "text": "t",
            "source": "s",
            "solver": "a",
            "against": ["b"],
            "groups": [group],
            "measure": "latency_mean_ms",
        }
        for group in ("g", "elsewhere")
    ],
}
HERE = {"cpu": "c", "host": "h", "cores": 2, "memory_mb": 1, "threads": 1, "python": "3", "platform": "p"}
HERE |= {"versions": "{}", "groups": ["g"], "started_at": "2026-01-01", "load_1min": 1.0}
OK = {**HERE, "label": "a", "controllable_ms": 1.0, "feature_devices": 3.0}
SKIPPED = {"label": "b", "status": "skipped", "groups": ["g"], "reason": "why"}
PARTS: dict[str, list[dict[str, Any]]] = {
    "one solver, one instance, no bound": [OK],
    "two solvers": [OK, {**OK, "label": "b", "controllable_ms": 2.0}],
    "only failures": [{**HERE, "label": label, "status": "timeout"} for label in "ab"],
    "only skipped": [SKIPPED, {**SKIPPED, "label": "a"}],
    "one skipped": [OK, SKIPPED],
    "one failed": [OK, {**HERE, "label": "b", "status": "error", "reason": "x"}],
    "another kind": [{**OK, "kind": "hetedge", "feature_devices": None, "feature_requests": 3.0}],
    "no group": [{**OK, "groups": []}],
    "nothing to decide": [{**OK, "controllable_ms": 0.0, "bound_ms": 100.0, "gap": 0.0}],
    "a bound of one alone": [
        {**OK, "bound_ms": 100.5, "gap": 0.5},
        {**HERE, "label": "b", "status": "memory"},
    ],
    "learned": [{**OK, "training_s": 9.0}, {**HERE, "label": "b", "status": "memory", "training_s": 9.0}],
    "text for a feature": [{**OK, "feature_devices": "many"}],
}


@pytest.mark.integration
@pytest.mark.parametrize("part", PARTS)
def test_every_part_has_tables_and_a_report(part: str, capsys: pytest.CaptureFixture[str]) -> None:
    results = made_up(PARTS[part], **SUITE)
    page = render(results)
    assert (
        "nan" not in page.replace("nobody", "").lower().split("<main")[1].split("<h2>every number")[0].split()
    )
    tables = tables_of(results)
    assert "s-ranking-elsewhere" not in tables
    assert json.loads(json.dumps(ranking_records(results), allow_nan=False))
    show_ranking(results, [])
    show_comparison(compare_results(results, results))
    assert "planned runs have not been done yet" in capsys.readouterr().out
    assert contradictions(results) == []
    assert "nan" not in "".join(map(to_markdown, tables.values()))
    for other in PARTS.values():
        compare_results(results, made_up(other, **SUITE)).to_plain()


def test_a_figure_of_words_is_said_to_be_missing() -> None:
    page = render(made_up([OK], **SUITE))
    assert "Not measured: no run has status" in page
    assert "Not measured: no run has measure_nothing" in page


def test_nothing_to_decide_is_no_excess() -> None:
    row = made_up(PARTS["nothing to decide"]).ranking().iloc[0]
    assert (row["excess"], row["gap_to_bound"], row["rank"]) == (0.0, 0.0, 1)
    worse = {**OK, "label": "b", "controllable_ms": 1.0}
    table = made_up([*PARTS["nothing to decide"], worse]).ranking().set_index("label")
    assert math.isinf(table["excess"]["b"])


def test_the_report_stays_small_whatever_a_solver_says() -> None:
    """A failure of many runs, each with a reason and a log of megabytes."""
    text = "x" * 2_000_000
    rows = [
        {**HERE, "label": "a", "seed": k, "status": "error", "reason": text, "log": text} for k in range(20)
    ]
    page = render(made_up(rows, **SUITE))
    assert len(page) < 200_000
    assert "xxx" in page


def test_results_of_no_run_are_refused() -> None:
    from uara.base.errors import InputError

    with pytest.raises(InputError, match="holds no runs"):
        render(Results(made_up([], [{"run_id": "x"}]).table, SUITE))
