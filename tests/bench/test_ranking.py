from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from uara.bench import Results
from uara.bench.metrics import scored
from uara.bench.ranking import cells, duels, overall, payback, per_instance, runtime_noise

from .conftest import made_up

pytestmark = pytest.mark.integration


def table(values: dict[str, list[float | None]], **columns: Any) -> Any:
    """Runs of solvers on instances 0, 1, ...; None is a failure."""
    rows: list[dict[str, Any]] = []
    for label, numbers in values.items():
        for place, value in enumerate(numbers):
            row: dict[str, Any] = {"label": label, "instance": f"i{place}", **columns.get(label, {})}
            rows.append(row | ({"status": "error"} if value is None else {"controllable_ms": value}))
    return scored(made_up(rows))


@pytest.mark.integration
def test_the_better_one_is_first_and_ties_share_a_rank() -> None:
    rng = np.random.default_rng(0)
    good = rng.uniform(10, 20, 12)
    ranks = overall(
        table({"bad": list(good * 1.5), "good": list(good), "same": list(good[::-1][::-1] * 1.0)})
    )
    assert ranks["label"].tolist() == ["good", "same", "bad"]
    assert ranks["rank"].tolist() == [1, 1, 3]


def test_what_a_test_cannot_tell_apart_shares_a_rank() -> None:
    few = overall(table({"a": [1.0, 1.0], "b": [2.0, 3.0]}))
    assert few["rank"].tolist() == [1, 1]
    noise = np.random.default_rng(3).normal(1, 0.2, (2, 12))
    assert overall(table({"a": list(10 * noise[0]), "b": list(10 * noise[1])}))["rank"].tolist() == [1, 1]


def test_failing_never_helps() -> None:
    """A solver that fails where it would be bad must not overtake itself."""
    honest = [10.0, 11.0, 12.0, 90.0]
    ranks = overall(
        table(
            {
                "best": [10.0, 10.0, 10.0, 10.0],
                "honest": honest,
                "quits": [*honest[:3], None],
                "worse": [20.0, 20.0, 20.0, 95.0],
            }
        )
    ).set_index("label")
    assert ranks["excess"]["quits"] == math.inf
    assert ranks["excess_answered"]["quits"] < ranks["excess"]["honest"]
    assert ranks.index.tolist() == ["best", "honest", "worse", "quits"]
    assert ranks["solved"]["quits"] == 0.75


def test_a_solver_that_never_succeeds_has_no_rank_and_is_last() -> None:
    ranks = overall(table({"never": [None, None], "ok": [1.0, 2.0]}))
    assert ranks["label"].tolist() == ["ok", "never"]
    assert math.isnan(ranks["rank"][1])
    assert ranks["solved"][1] == 0.0


def test_means_over_seeds_come_before_means_over_instances() -> None:
    rows = [
        {"instance": "a", "seed": seed, "controllable_ms": value} for seed, value in enumerate([1.0, 3.0])
    ]
    rows += [{"instance": "b", "controllable_ms": 8.0}]
    runs = scored(made_up(rows))
    assert cells(runs, "controllable_ms")["s"].tolist() == [2.0, 8.0]
    assert overall(runs)["controllable_ms"][0] == pytest.approx(4.0)
    assert per_instance(runs).set_index("instance")["spread"]["a"] == pytest.approx(math.sqrt(2) / 2)


def test_duels_count_instances() -> None:
    duel = duels(table({"a": [1.0, 2.0, 3.0, None], "b": [1.0, 4.0, 2.0, 5.0], "never": [None] * 4})).iloc[0]
    assert (duel["first"], duel["second"], duel["instances"]) == ("a", "b", 4)
    assert (duel["lower"], duel["equal"], duel["higher"]) == (1, 1, 2), "a failure is worse than any answer"
    assert duel["units"] == 4


def test_noise_is_that_of_repeated_runs() -> None:
    rows = [{"repetition": k, "controllable_ms": 1.0, "runtime_s": 1.0 + 0.1 * k} for k in range(3)]
    assert runtime_noise(scored(made_up(rows))) == pytest.approx(0.1 / 1.1)


def test_payback_by_hand() -> None:
    rows = [
        {"label": "learned", "controllable_ms": 2.0, "runtime_s": 0.5, "training_s": 100.0},
        {"label": "slow", "controllable_ms": 1.0, "runtime_s": 1.5},
        {"label": "fast", "controllable_ms": 3.0, "runtime_s": 0.1},
    ]
    found = payback(scored(made_up(rows))).set_index("against")
    assert found["instances"].to_dict() == {"slow": 100, "fast": math.inf}
    assert found["excess_difference"].to_dict() == pytest.approx({"slow": 1.0, "fast": -1.0})


def test_every_solver_of_a_real_result_is_ranked(recorded: Path) -> None:
    ranks = Results.load(recorded).ranking()
    assert len(ranks) == 7
    assert "price" in ranks["label"][0]
    assert ranks["excess"].is_monotonic_increasing or ranks["excess"].isna().any()
    assert ranks["excess_low"].isna().all(), "its instances are all of one drop"
    assert ranks["rank"].dropna().eq(1).all()


def test_a_skipped_solver_is_neither_ranked_nor_punished() -> None:
    rows = [{"label": "a", "instance": f"i{k}", "controllable_ms": 10.0} for k in range(4)]
    rows += [{"label": "b", "instance": f"i{k}", "controllable_ms": 11.0} for k in range(3)]
    rows += [{"label": "b", "instance": "i3", "status": "skipped"}]
    rows += [{"label": "c", "instance": f"i{k}", "controllable_ms": 90.0} for k in range(4)]
    ranks = overall(scored(made_up(rows))).set_index("label")
    assert math.isnan(ranks["rank"]["b"])
    assert ranks["excess"]["b"] == pytest.approx(0.1)
    assert ranks["skipped"].to_dict() == {"a": 0, "b": 1, "c": 0}
    assert ranks["rank"].dropna().tolist() == [1, 1]


@pytest.mark.integration
def test_equal_solvers_are_seldom_split() -> None:
    """Ten solvers that differ by chance alone: nearly always one rank, although the best of them leads."""
    rng = np.random.default_rng(8)
    split = 0
    for _ in range(12):
        values = 10 * np.exp(rng.normal(0, 0.1, (10, 12)))
        split += overall(table({f"s{k}": list(row) for k, row in enumerate(values)}))["rank"].max() > 1
    assert split <= 1


def test_the_better_one_by_the_test_is_not_ranked_below() -> None:
    """One disaster costs the mean; a test that says "better" must not cost a rank."""
    ranks = overall(table({"steady": [10.0] * 20, "mostly": [*[9.0] * 19, 2000.0]}))
    assert ranks["label"].tolist() == ["steady", "mostly"]
    assert duels(table({"steady": [10.0] * 20, "mostly": [*[9.0] * 19, 2000.0]}))["p_value"][0] < 0.01
    assert ranks["rank"].tolist() == [1, 1]


def named(values: dict[str, list[float]], names: list[str]) -> Any:
    rows = [
        {"label": label, "instance": name, "digest": name, "controllable_ms": value}
        for label, numbers in values.items()
        for name, value in zip(names, numbers, strict=True)
    ]
    return scored(made_up(rows))


def test_variants_of_one_drop_are_one_observation() -> None:
    rng = np.random.default_rng(4)
    good = rng.uniform(10, 20, 12)
    values = {"good": list(good), "bad": list(good * rng.uniform(1.1, 1.2, 12))}
    variants = [f"base@weight={k}" for k in range(6)] + [f"drop[e8,m{k}]" for k in range(6)]
    same = overall(named(values, variants))
    assert same["rank"].tolist() == [1, 1], "two drops prove nothing, in however many variants"
    assert same[["excess_low", "excess_high"]].isna().all(axis=None)
    assert duels(named(values, variants))[["instances", "units"]].iloc[0].tolist() == [12, 2]
    drops = overall(named(values, [f"drop{k}@weight=1" for k in range(12)]))
    assert drops["rank"].tolist() == [1, 2]
    assert 0.1 <= drops["excess_low"][1] <= drops["excess"][1] <= drops["excess_high"][1] <= 0.2


def test_every_drop_has_the_same_weight() -> None:
    names = ["a@w=1", "a@w=2", "a@w=3", "b"]
    ranks = overall(named({"best": [1.0] * 4, "other": [2.0, 2.0, 2.0, 8.0]}, names))
    assert ranks.set_index("label")["excess"]["other"] == pytest.approx(3.0)
