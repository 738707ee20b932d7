from __future__ import annotations

from pathlib import Path

import pytest

from uara.base.errors import InputError
from uara.bench import Results
from uara.bench.compare import compare_results
from uara.bench.terminal import failures, ranking_records, show_comparison, show_ranking

from .conftest import made_up

pytestmark = pytest.mark.integration


def test_records_are_plain_json(recorded: Path) -> None:
    import json

    records = ranking_records(Results.load(recorded))
    assert json.loads(json.dumps(records, allow_nan=False)) == records
    assert any(record["proven_gap"] is None for record in records)


def test_the_ranking_is_printed_with_markup_escaped(
    recorded: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    show_ranking(Results.load(recorded), [Path("somewhere.parquet")])
    text = capsys.readouterr().out
    assert "bench_trials:raises" in text
    assert "error" in text
    assert "written: somewhere.parquet" in text


def test_a_bracket_in_a_label_is_a_bracket(capsys: pytest.CaptureFixture[str]) -> None:
    rows = [
        {"label": "a[red]b", "controllable_ms": 1.0},
        {"label": "a[red]b", "controllable_ms": 1.0, "instance": "j"},
    ]
    show_ranking(made_up(rows, name="[bold]n"), [])
    text = capsys.readouterr().out
    assert "a[red]b" in text
    assert "[bold]n" in text


def test_names_cannot_steer_the_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    name = "a\x1b[2J\u202eb\nc"
    rows = [{"label": name, "controllable_ms": 1.0, "instance": name}]
    show_ranking(made_up(rows, name=name), [])
    show_comparison(compare_results(made_up(rows), made_up([{**rows[0], "controllable_ms": 2.0}])))
    text = capsys.readouterr().out
    assert "\x1b[2J" not in text
    assert "\u202e" not in text
    assert "a\\x1b[2J\\u202eb" in text


def test_results_without_a_run_are_an_error() -> None:
    nothing = made_up([], [{"run_id": "x"}], name="n")
    with pytest.raises(InputError, match="holds no runs"):
        show_ranking(nothing, [])
    with pytest.raises(InputError, match="holds no runs"):
        ranking_records(nothing)


def test_a_comparison_is_printed(capsys: pytest.CaptureFixture[str]) -> None:
    old, new = made_up([{"controllable_ms": 1.0}]), made_up([{"controllable_ms": 2.0, "commit": "d"}])
    show_comparison(compare_results(old, new))
    text = capsys.readouterr().out
    assert "worse" in text
    assert "100.00" in text
    assert "commit: c -> d" in text


def test_failures_are_told_with_their_reasons(capsys: pytest.CaptureFixture[str]) -> None:
    rows = [
        {"label": "good", "controllable_ms": 1.0},
        {"label": "bad", "status": "error", "reason": "ValueError: no\nroom", "instance": "i"},
        {"label": "bad", "status": "error", "reason": "ValueError: no\nroom", "instance": "j"},
        {"label": "slow", "status": "timeout", "reason": None},
    ]
    lines = failures(made_up(rows))
    assert lines == [
        "error: bad (2 runs, as on i): ValueError: no room",
        "timeout: slow (on i): no reason is recorded",
    ]
    many = [{"label": f"s{k}", "status": "error", "reason": "r"} for k in range(13)]
    assert failures(made_up([rows[0], *many]))[-1] == "and 3 further reasons, which the report lists"
    show_ranking(made_up(rows), [])
    assert "ValueError: no room" in capsys.readouterr().out


def test_a_comparison_in_the_form_of_a_file(capsys: pytest.CaptureFixture[str]) -> None:
    old, new = made_up([{"controllable_ms": 1.0}]), made_up([{"controllable_ms": 2.0}])
    show_comparison(compare_results(old, new), "csv")
    assert capsys.readouterr().out.startswith("solver,instance,what,old,new,change %,")


def test_results_are_shown_in_a_few_lines() -> None:
    results = made_up([{"label": "a<b", "controllable_ms": 1.0}], name="n")
    assert len(repr(results).splitlines()) == 4
    assert "1: 1 ok" in repr(results)
    assert "a&lt;b" in results._repr_html_()
    assert results._repr_html_().startswith("<table>")
    failed = made_up([{"status": "error", "label": "<x>"}], name="<n>")
    assert "&lt;n&gt;" in failed._repr_html_()
