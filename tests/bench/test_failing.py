"""Failing never helps: an ok run that becomes a failure improves no figure of its solver."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from uara.bench import Results
from uara.bench.claims import measured
from uara.bench.compare import compare_results
from uara.bench.metrics import scored
from uara.bench.ranking import duels, overall, payback, per_instance
from uara.bench.report.curves import mean_gap_curves, profiles
from uara.bench.report.markdown import gaps_by_size
from uara.bench.report.sections import split

from .conftest import made_up

FAILURES = ("error", "timeout", "memory", "infeasible")
HIGHER_IS_BETTER = ("solved",)
CLAIM = {"solver": "a", "against": ["b"], "groups": ["g"]}
Rows = list[dict[str, Any]]
Case = tuple[str, Rows, Rows]
numbers = st.sampled_from([1.0, 1.0001, 2.0, 3.0, 50.0, 1e3, 1e9])
shares = st.sampled_from([0.0, 0.01, 0.5, 1.0, 1.5])


@st.composite
def rows(draw: st.DrawFn) -> list[dict[str, Any]]:
    """Runs of up to three solvers on some instances with several seeds, some of them failed or skipped."""
    found: list[dict[str, Any]] = []
    names = draw(st.sampled_from([["i"], ["i", "j"], ["i@w=1", "i@w=2", "j"], [f"d{k}" for k in range(6)]]))
    for place, instance in enumerate(names):
        constant = 100.0 * (place + 1)
        for label in draw(st.sampled_from(["a", "ab", "abc"])):
            if draw(st.integers(0, 9)) == 0:
                found.append({"instance": instance, "label": label, "status": "skipped"})
                continue
            for seed in range(draw(st.integers(1, 3))):
                row = {
                    "instance": instance,
                    "label": label,
                    "seed": seed,
                    "groups": ["g"],
                    "memory_limit_mb": 100.0,
                }
                row |= {"feature_devices": float(place % 2), "feature_servers": float(place // 2 % 2)}
                row |= {"training_s": 10.0} if label == "a" else {}
                if draw(st.integers(0, 5)) == 0:
                    found.append(row | {"status": draw(st.sampled_from(FAILURES))})
                    continue
                value = draw(numbers)
                bound = constant + value * (1 - draw(shares))
                row |= {"controllable_ms": value, "objective_ms": constant + value}
                row |= {
                    "runtime_s": draw(st.sampled_from([0.0, 0.05, 1.0, 9.0, 11.0])),
                    "setup_s": draw(st.sampled_from([0.0, 0.5, 3.0])),
                }
                row |= {"peak_memory_mb": draw(st.sampled_from([1.0, 50.0, 100.0]))}
                row |= {
                    "measure_optimal_shares_ms": constant + value * draw(st.sampled_from([0.5, 0.9, 1.0]))
                }
                if draw(st.booleans()):
                    row |= {"bound_ms": bound, "gap": (constant + value - bound) / value}
                    row |= {"certified_bound_ms": bound} if draw(st.booleans()) else {}
                found.append(row)
    return found


def failed(all_rows: list[dict[str, Any]], place: int, status: str) -> list[dict[str, Any]]:
    """The same runs, one of them failed."""
    kept = ("instance", "label", "seed", "groups", "training_s", "memory_limit_mb")
    row = {key: value for key, value in all_rows[place].items() if key in kept or key.startswith("feature_")}
    return [*all_rows[:place], row | {"status": status}, *all_rows[place + 1 :]]


def no_better(before: Any, after: Any, *, higher: bool = False) -> bool:
    """Whether a figure got no better; one that vanished did not, but one that appeared did."""
    if before is None or math.isnan(before):
        return after is None or math.isnan(after)
    if after is None or math.isnan(after):
        return True
    slack = 1e-9 * max(1.0, abs(before)) if math.isfinite(before) else 0.0
    return bool(after <= before + slack if higher else after >= before - slack)


@st.composite
def failures(draw: st.DrawFn) -> tuple[str, list[dict[str, Any]], list[dict[str, Any]]]:
    """A solver, some results, and the same with one of its ok runs failed."""
    before = draw(rows().filter(lambda found: any("status" not in row for row in found)))
    place = draw(st.sampled_from([place for place, row in enumerate(before) if "status" not in row]))
    return before[place]["label"], before, failed(before, place, draw(st.sampled_from(FAILURES)))


def ranking(case: Case, old: Rows) -> None:
    label, *sides = case
    tables = [overall(scored(made_up(side))).set_index("label") for side in sides]
    before, after = (table.loc[label] for table in tables)
    for name in before.index:
        if name in ("runs", "skipped", "excess_answered", "excess_low", "excess_high"):
            continue
        if name in ("gap_to_bound", "proven_gap", "excess") and math.isnan(before[name]):
            continue  # nothing was known of it: a failure costs all the same
        assert no_better(before[name], after[name], higher=name in HIGHER_IS_BETTER), name
    assert math.isnan(after["excess_low"])
    ahead = [set(table.index[: table.index.get_loc(label)]) for table in tables]
    assert ahead[0] <= ahead[1], "whoever was before it still is"


def pairs(case: Case, old: Rows) -> None:
    """Pair by pair: the number of instances won, lost, and the balance of the test."""
    label, *sides = case
    tables = [duels(scored(made_up(side))) for side in sides]
    pairs = [{} if table.empty else table.set_index(["first", "second"]).to_dict("index") for table in tables]
    for pair, after in pairs[1].items():
        if label in pair and pair in pairs[0]:
            sign = 1 if pair[0] == label else -1
            won, lost = ("lower", "higher") if sign == 1 else ("higher", "lower")
            before = pairs[0][pair]
            assert after[won] <= before[won]
            assert after[lost] >= before[lost] or after["equal"] > before["equal"]
            assert sign * after["balance"] >= sign * before["balance"]
            assert no_better(sign * before["mean_difference"], sign * after["mean_difference"])


def instances(case: Case, old: Rows) -> None:
    label, *sides = case
    runs = [scored(made_up(side)) for side in sides]
    own = [per_instance(each)[lambda table: table["label"] == label].set_index("instance") for each in runs]
    for instance, before in own[0].iterrows():
        for name in before.index.intersection(own[1].columns).difference(
            ["label", "status", "reason", "spread"]
        ):
            if not (isinstance(before[name], float) and math.isnan(before[name])):
                assert no_better(before[name], own[1].loc[instance, name]), name
    for kind, before in profiles(runs[0]).items():
        after = profiles(runs[1])[kind][label]
        for factor in (1.0, 1.5, 3.0, 100.0, 1e6, 1e12):
            assert no_better(before[label].at(factor), after.at(factor), higher=True), kind
    curves = [mean_gap_curves(made_up(side), each)[1][label] for side, each in zip(sides, runs, strict=True)]
    assert (curves[1] >= curves[0] - 1e-9).all()
    after = split(runs[1])
    assert after is None or label not in after["label"].tolist()


def claims(case: Case, old: Rows) -> None:
    label, *sides = case
    runs = [scored(made_up(side)) for side in sides]
    if label in "ab":
        before, after = (measured({**CLAIM, "measure": "latency_mean_ms"}, each) for each in runs)
        assert math.isnan(after.mean) or after == before
    bills = [payback(each) for each in runs]
    if not bills[0].empty and label == "a":
        old, new = (bill.set_index("against") for bill in bills)
        for other in old.index:
            assert no_better(old["saved_s"][other], new["saved_s"][other], higher=True)
            assert no_better(old["instances"][other], new["instances"][other])
            assert no_better(old["excess_difference"][other], new["excess_difference"][other])
    tables = [gaps_by_size(each).get(label) for each in runs]
    cells = [[cell for row in table.rows for cell in row[1:]] if table else [] for table in tables]
    for first, second in zip(*cells, strict=True):
        if first.text != "–":
            assert float(second.text) >= float(first.text)


def comparison(case: Case, old: Rows) -> None:
    label, *sides = case
    outcomes = [compare_results(made_up(old), made_up(side)) for side in sides]
    better = [
        {
            (change.instance, change.what)
            for change in each.changes
            if change.label == label and change.verdict == "better"
        }
        for each in outcomes
    ]
    assert better[1] <= better[0]
    itself = compare_results(made_up(sides[0]), made_up(sides[1]))
    assert itself.worse
    assert not any(change.verdict == "better" for change in itself.changes)


CHECKS = [ranking, pairs, instances, claims, comparison]
steady = settings(deadline=None, suppress_health_check=list(HealthCheck), derandomize=True)


@pytest.mark.integration
@pytest.mark.parametrize("check", CHECKS)
@settings(steady, max_examples=8)
@given(failures(), rows())
def test_failing_never_helps(check: Callable[[Case, Rows], None], case: Case, old: Rows) -> None:
    check(case, old)


@pytest.mark.slow
@pytest.mark.parametrize("check", CHECKS)
@settings(steady, max_examples=400)
@given(failures(), rows())
def test_failing_never_helps_in_many_results(
    check: Callable[[Case, Rows], None], case: Case, old: Rows
) -> None:
    check(case, old)


def test_a_run_that_leaves_itself_out_has_failed() -> None:
    """A solver may lack an extra, but not on the hard instances alone."""
    run = [{"label": "a", "instance": f"i{k}", "controllable_ms": 1.0} for k in range(2)]
    gone = {"label": "a", "instance": "i2", "status": "skipped"}
    assert made_up([*run, gone]).counts() == {"ok": 2, "skipped": 1}, "left out by its suite"
    results = made_up([*run, {**gone, "started_at": "2026-01-01"}])
    assert results.counts() == {"ok": 2, "error": 1}
    assert results.ranking()["excess"].tolist() == [math.inf]
    assert made_up([{**gone, "started_at": "2026-01-01"}]).counts() == {"skipped": 1}, (
        "it lacks its extra everywhere"
    )


def test_whoever_did_not_run_everywhere_has_no_rank() -> None:
    runs = [{"label": "a", "instance": f"i{k}", "controllable_ms": 1.0} for k in range(3)]
    runs += [{"label": "b", "instance": "i0", "controllable_ms": 1.0}]
    table = Results(made_up(runs).table, {}).ranking().set_index("label")
    assert table["rank"]["a"] == 1
    assert pd.isna(table["rank"]["b"])


def test_the_only_answer_is_not_the_price_of_a_failure() -> None:
    """Where one solver answers, its answer is the best and the worst: failing must cost more than that."""
    runs = [
        {"label": label, "instance": f"i{k}", "controllable_ms": 5.0 + k} for label in "ab" for k in range(3)
    ]
    runs[-1] = {"label": "b", "instance": "i2", "status": "timeout"}
    table = made_up(runs).ranking().set_index("label")
    assert table["excess"].to_dict() == {"a": 0.0, "b": math.inf}
    assert table["excess_answered"]["b"] == 0.0
    assert list(table.index) == ["a", "b"]
