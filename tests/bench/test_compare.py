from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from uara.bench import Results
from uara.bench.compare import Change, Comparison, compare_results

from .conftest import made_up

pytestmark = pytest.mark.integration


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
    geometric = (2.0 * 2.1 * 1.9 / (1.0 * 1.1 * 0.9)) ** (1 / 3)
    assert change.ratio == pytest.approx(geometric - 1)
    assert (change.old, change.new) == ("0.9966555", "1.998332")
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


def seeded(values: list[float], **columns: Any) -> list[dict[str, Any]]:
    return [{"seed": k, "controllable_ms": value, **columns} for k, value in enumerate(values)]


def cells(outcome: Comparison, what: str) -> dict[str, Change]:
    return {change.instance: change for change in outcome.changes if change.what == what}


def test_runs_are_paired_by_seed() -> None:
    """Two per cent on every seed stand out, however much the seeds differ among themselves."""
    old = [10.0, 14.0, 25.0, 9.0]
    new = [value * factor for value, factor in zip(old, [1.02, 1.021, 1.019, 1.02], strict=True)]
    change = cells(compare_results(made_up(seeded(old)), made_up(seeded(new))), "controllable_ms")["i"]
    assert change.verdict == "worse"
    assert change.ratio == pytest.approx(0.02, abs=1e-4)
    assert 0.018 < change.low < change.high < 0.022
    shuffled = made_up(seeded(new)[::-1])
    assert cells(compare_results(made_up(seeded(old)), shuffled), "controllable_ms")["i"] == change


def test_a_seed_that_one_file_lacks_does_not_count() -> None:
    old, new = made_up(seeded([10.0, 20.0])), made_up(seeded([10.0, 20.0, 90.0]))
    assert compare_results(old, new).changes == []


def test_without_a_seed_in_common_runs_are_unpaired_and_a_note_says_so() -> None:
    old = made_up(seeded([10.0, 11.0, 12.0]))
    new = made_up([{**row, "seed": row["seed"] + 7} for row in seeded([12.0, 10.0, 11.5])])
    outcome = compare_results(old, new)
    assert cells(outcome, "controllable_ms")["i"].verdict == "noise"
    assert any("no seed in common" in note for note in outcome.notes)


def test_one_answer_each_of_two_seeds_proves_nothing() -> None:
    """The same seed repeats its answer, so that one run is a fact; another seed is another draw."""
    old = made_up(seeded([10.0]))
    other = made_up([{**row, "seed": 7} for row in seeded([11.0])])
    assert cells(compare_results(old, other), "controllable_ms")["i"].verdict == "noise"
    assert cells(compare_results(old, made_up(seeded([11.0]))), "controllable_ms")["i"].verdict == "worse"


def test_few_repetitions_borrow_the_noise_of_their_solver() -> None:
    """Two timings each say little; those of eight instances together say how noisy the solver is."""

    def timed(factor: float, count: int) -> Any:
        rows = [
            {"instance": f"i{k}", "repetition": j, "controllable_ms": 1.0, "runtime_s": time * (k + 1)}
            for k in range(count)
            for j, time in enumerate([factor, factor * (1.0 + 0.1 * (-1) ** k)])
        ]
        return made_up(rows)

    alone = cells(compare_results(timed(1.0, 1), timed(1.5, 1)), "runtime_s")["i0"]
    together = cells(compare_results(timed(1.0, 8), timed(1.5, 8)), "runtime_s")["i0"]
    assert together.high - together.low < 0.6 * (alone.high - alone.low)
    assert together.verdict == "worse"


def test_a_noisy_cell_keeps_its_noise() -> None:
    """Eleven instances with steady times must not make the twelfth look steady."""
    noisy = {0: 1.0, 1: 3.0, 2: 0.5}

    def timed(last: dict[int, float]) -> Any:
        rows = [
            {"instance": f"i{k}", "repetition": j, "controllable_ms": 1.0, "runtime_s": 1.0 + 0.01 * j}
            for k in range(11)
            for j in range(3)
        ]
        rows += [
            {"instance": "last", "repetition": j, "controllable_ms": 1.0, "runtime_s": time}
            for j, time in last.items()
        ]
        return made_up(rows)

    slower = timed({j: 1.7 * time for j, time in noisy.items()})
    assert cells(compare_results(timed(noisy), slower), "runtime_s")["last"].verdict == "noise"


def test_verdicts_are_adjusted_for_the_number_of_cells() -> None:
    """A p-value of 2 % among thirty others is no news; its own interval still leaves zero out."""
    old = made_up([row for k in range(30) for row in seeded([10.0] * 3, instance=f"i{k}", label=f"s{k}")])
    moved = [10.0 * factor for factor in (1.02, 1.024, 1.029)]
    new = made_up(
        [
            row
            for k in range(30)
            for row in seeded(moved if k == 0 else [10.0] * 3, instance=f"i{k}", label=f"s{k}")
        ]
    )
    change = cells(compare_results(old, new), "controllable_ms")["i0"]
    assert change.low > 0
    assert change.p_value > 0.05
    assert change.verdict == "noise"
    alone = compare_results(made_up(seeded([10.0] * 3)), made_up(seeded(moved)))
    assert cells(alone, "controllable_ms")["i"].verdict == "worse"


@pytest.mark.parametrize(("repetitions", "seeds"), [(2, 1), (3, 1), (1, 3)])
def test_false_verdicts_are_as_rare_as_they_should_be(repetitions: int, seeds: int) -> None:
    """Nothing changed: at most 5 % of the comparisons may say otherwise, also where instances differ in noise."""
    rng = np.random.default_rng(6)

    def drawn() -> Any:
        rows = []
        for k in range(6):
            scale = 0.3 if k % 3 == 0 else 0.1
            for seed in range(seeds):
                for repetition in range(repetitions):
                    noise = np.exp(rng.normal(0, scale, 2))
                    row = {"instance": f"i{k}", "seed": seed, "repetition": repetition}
                    rows.append(row | {"controllable_ms": 10 * noise[0], "runtime_s": noise[1]})
        return made_up(rows)

    trials = 25
    wrong = 0
    for _ in range(trials):
        changes = compare_results(drawn(), drawn()).changes
        wrong += any(change.verdict != "noise" for change in changes)
    assert wrong <= 4, "with a rate of 5 %, more than 4 of 25 happen once in 140 times"


def test_the_mean_over_all_instances_takes_drops_for_units() -> None:
    factors = np.random.default_rng(1).uniform(1.05, 1.07, 12) + 0.2 * (np.arange(12) % 2)

    def over(names: list[str]) -> list[Change]:
        old = made_up([{"instance": name, "controllable_ms": 10.0} for name in names])
        new = made_up(
            [
                {"instance": name, "controllable_ms": 10.0 * factor}
                for name, factor in zip(names, factors, strict=True)
            ]
        )
        found = compare_results(old, new).changes
        return [one for one in found if (one.instance, one.what) == ("(all)", "controllable_ms")]

    (drops,) = over([f"drop{k}" for k in range(12)])
    (variants,) = over([f"drop{k % 2}[m{k}]" for k in range(12)])
    assert drops.verdict == "worse"
    assert variants.verdict == "noise"
    assert variants.ratio == pytest.approx(drops.ratio)
    means = np.log(factors).reshape(6, 2).mean(axis=0)
    half = 12.7062 * abs(means[0] - means[1]) / 2
    expected = np.expm1([means.mean() - half, means.mean() + half])
    assert (variants.low, variants.high) == pytest.approx(expected, rel=1e-4), "one degree of freedom"
    assert over([f"drop@w={k}" for k in range(12)]) == []


def test_a_bound_that_turns_vacuous_is_worse() -> None:
    old, new = (made_up(runs([1.0], bound_ms=bound)) for bound in (109.0, -5.0))
    assert verdicts(compare_results(old, new).changes) == {("i", "bound_ms"): "worse"}
    assert verdicts(compare_results(new, old).changes) == {("i", "bound_ms"): "better"}


def test_other_conditions_are_told() -> None:
    same = {"host": "h", "cpu": "fast", "threads": 1, "memory_limit_mb": 4000.0, "load_1min": 0.2}
    other = {"host": "k", "cpu": "slow", "threads": 2, "memory_limit_mb": 8000.0, "load_1min": 3.0}
    old = made_up([*runs([1.0], **same), *runs([1.0], label="t", **same)])
    new = made_up(
        [*runs([1.0], time_limit_s=60.0, **other), *runs([1.0], label="t", time_limit_s=10.0, **other)]
    )
    notes = compare_results(old, new).notes
    for expected in (
        "host: h -> k",
        "cpu: fast -> slow",
        "time_limit_s: 10 -> 60 (s)",
        "memory_limit_mb: 4000 -> 8000 (s, t)",
        "threads: 1 -> 2 (s, t)",
        "load of the machine (median): 0.2 -> 3.0",
    ):
        assert expected in notes
    assert compare_results(old, old).notes == []
    unknown = made_up(runs([1.0], **{**same, "load_1min": None}))
    assert "load of the machine (median): unknown -> 3.0" in compare_results(unknown, new).notes


def test_what_newly_fails_is_worse_and_nothing_else_of_it_is_better() -> None:
    """The hard seed fails, and what is left looks twice as good."""
    old = made_up(
        [*seeded([10.0, 10.0, 10.0]), *seeded([10.0] * 3, instance="j"), *seeded([1.0], label="calm")]
    )
    gone = [*seeded([5.0, 5.0]), {"seed": 2, "status": "timeout"}]
    new = made_up([*gone, *seeded([5.0] * 3, instance="j"), *seeded([1.0], label="calm")])
    outcome = compare_results(old, new)
    assert verdicts(outcome.changes) == {
        ("i", "status"): "worse",
        ("j", "controllable_ms"): "changed",
        ("j", "latency_mean_ms"): "changed",
    }
    again = compare_results(new, made_up([*seeded([2.5, 2.5]), gone[2]]))
    assert verdicts(again.changes)["i", "controllable_ms"] == "better", "what failed before is no news"


def test_what_is_not_done_yet_is_told() -> None:
    half = made_up(runs([1.0]), planned_runs=3)
    assert "2 planned runs of the new results have not been done yet" in compare_results(half, half).notes
