from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from uara.bench import Results
from uara.bench.compare import Change, compare_results

from .conftest import made_up


def runs(seconds: list[float], value: float = 10.0, **columns: Any) -> list[dict[str, Any]]:
    return [
        {"repetition": k, "controllable_ms": value, "runtime_s": time, **columns}
        for k, time in enumerate(seconds)
    ]


def verdicts(changes: list[Change]) -> dict[tuple[str, str], str]:
    return {(change.instance, change.what): change.verdict for change in changes}


def test_a_file_against_itself_has_no_changes(recorded: Path) -> None:
    results = Results.load(recorded)
    outcome = compare_results(results, results)
    assert outcome.changes == []
    assert outcome.notes == []
    assert not outcome.worse


def test_timing_noise_is_called_noise_and_a_slowdown_is_not() -> None:
    old = made_up(runs([1.0, 1.1, 0.9]))
    assert verdicts(compare_results(old, made_up(runs([1.02, 1.5, 0.95]))).changes) == {
        ("i", "runtime_s"): "noise"
    }
    slower = compare_results(old, made_up(runs([2.0, 2.1, 1.9])))
    assert verdicts(slower.changes) == {("i", "runtime_s"): "worse"}
    (change,) = slower.changes
    assert change.low < 1.0 < change.high
    assert change.ratio == pytest.approx(1.0)
    faster = compare_results(made_up(runs([2.0, 2.1])), made_up(runs([1.0, 1.01])))
    assert verdicts(faster.changes) == {("i", "runtime_s"): "better"}


def test_one_timing_proves_nothing() -> None:
    outcome = compare_results(made_up(runs([1.0])), made_up(runs([9.0])))
    assert verdicts(outcome.changes) == {("i", "runtime_s"): "noise"}


def test_tiny_runtimes_are_equal() -> None:
    assert compare_results(made_up(runs([1e-4, 1e-4])), made_up(runs([9e-3, 9e-3]))).changes == []


def test_worse_answers_and_weaker_bounds_are_worse() -> None:
    old = made_up(runs([1.0], bound_ms=109.0))
    outcome = compare_results(old, made_up(runs([1.0], 10.5, bound_ms=108.0)))
    assert verdicts(outcome.changes) == {
        ("i", "controllable_ms"): "worse",
        ("i", "latency_mean_ms"): "worse",
        ("i", "bound_ms"): "worse",
    }
    assert outcome.worse
    assert not compare_results(made_up(runs([1.0], 10.5, bound_ms=108.0)), old).worse


def test_new_failures_and_mended_ones() -> None:
    good, failed = made_up(runs([1.0])), made_up([{"status": "timeout"}])
    assert verdicts(compare_results(good, failed).changes) == {("i", "status"): "worse"}
    assert verdicts(compare_results(failed, good).changes) == {("i", "status"): "better"}
    assert verdicts(compare_results(failed, made_up([{"status": "memory"}])).changes) == {
        ("i", "status"): "changed"
    }


def test_overall_change_has_an_interval_over_the_instances() -> None:
    rng = np.random.default_rng(0)
    factors = rng.uniform(1.05, 1.2, 12)
    old = made_up([{"instance": f"i{k}", "controllable_ms": 10.0} for k in range(12)])
    new = made_up([{"instance": f"i{k}", "controllable_ms": 10.0 * f} for k, f in enumerate(factors)])
    (change,) = [
        each
        for each in compare_results(old, new).changes
        if each.instance == "(all)" and each.what == "controllable_ms"
    ]
    assert change.ratio == pytest.approx(np.exp(np.log(factors).mean()) - 1)
    assert 0 < change.low < change.ratio < change.high
    assert change.verdict == "worse"


def test_other_software_and_other_coverage_are_told() -> None:
    old = made_up(runs([1.0], commit="aaa"))
    outcome = compare_results(old, made_up(runs([1.0], commit="bbb", label="other")))
    assert any("aaa -> bbb" in note for note in outcome.notes)
    assert any("nothing in common" in note for note in outcome.notes)
    changed = compare_results(old, made_up(runs([1.0], commit="aaa", digest="another")))
    assert any("in the old results only" in note for note in changed.notes), "same name, other data"


def test_the_command(recorded: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    from uara.cli import main

    shutil.copy(recorded, tmp_path / "copy.parquet")
    with pytest.raises(SystemExit) as ended:
        main(["bench", "compare", str(recorded), str(tmp_path / "copy.parquet"), "--json", "--fail-on-worse"])
    assert ended.value.code == 0
    assert '"worse": false' in capsys.readouterr().out
