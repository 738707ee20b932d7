from __future__ import annotations

import random
from pathlib import Path
from typing import Any

import pytest

from uara.base.errors import InputError
from uara.bench.plan import choose, make_plan
from uara.bench.suite import Suite

from .conftest import MakeSuite

CLAIM = {"text": "t", "source": "s", "solver": "tma", "against": ["random"], "groups": ["all"]}


def plan(path: Path) -> list[Any]:
    return make_plan(Suite.load(path), path.parent)


def test_every_combination_once(make_suite: MakeSuite) -> None:
    runs = plan(
        make_suite(
            [{"solver": "random", "options": {"allocation": ["uniform", "sqrt"]}, "repetitions": 2}],
            devices=[4, 5],
            seeds=[0, 7],
        )
    )
    assert len(runs) == len({run.run_id for run in runs}) == 2 * 2 * 2 * 2
    assert {run.setting.label for run in runs} == {"random (allocation=uniform)", "random (allocation=sqrt)"}


def test_names_of_runs_do_not_depend_on_their_place(make_suite: MakeSuite) -> None:
    entries = [{"solver": "random"}, {"solver": "max-sinr"}, {"solver": "tma"}]
    ids = {run.run_id for run in plan(make_suite(entries))}
    random.Random(1).shuffle(entries)
    assert {run.run_id for run in plan(make_suite(entries, file="b.toml", name="other"))} == ids


def test_subsets_are_cut_and_then_varied(make_suite: MakeSuite) -> None:
    entry = {
        "generate": {"name": "net", "channel": "path-loss", "servers": 4, "devices": 12, "seed": 1},
        "subsets": {"servers": [2, 3], "devices": 5},
        "parameters": {"energy_weight_ms_per_j": [20.0, 90.0]},
    }
    runs = plan(make_suite([{"solver": "random"}], instances=[entry]))
    assert [run.case.name for run in runs] == [
        f"net[e{servers},m5]@energy_weight_ms_per_j={weight}" for servers in (2, 3) for weight in (20, 90)
    ]
    assert [run.case.features["servers"] for run in runs] == [2, 2, 3, 3]


@pytest.mark.parametrize(
    "change",
    [
        {"time_limit_s": 9.0},
        {"memory_limit_mb": 99.0},
        {"threads": 2},
        {"seeds": [5]},
        {"options": {"allocation": "sqrt"}},
    ],
)
def test_whatever_defines_a_run_is_in_its_name(make_suite: MakeSuite, change: dict[str, Any]) -> None:
    one = plan(make_suite([{"solver": "random"}]))[0].run_id
    assert plan(make_suite([{"solver": "random", **change}]))[0].run_id != one


def test_instances_from_files_are_sorted_by_their_numbers(make_suite: MakeSuite) -> None:
    folder = Path(__file__).parents[2] / "instances"
    runs = plan(make_suite([{"solver": "random"}], instances=[{"files": f"{folder}/e8_m*0.json"}]))
    sizes = [int(run.case.name.partition("_m")[2]) for run in runs]
    assert sizes == sorted(sizes)
    assert len(sizes) == 6


def test_equal_instances_are_one_with_both_groups(make_suite: MakeSuite) -> None:
    recipe = {"channel": "path-loss", "servers": 2, "devices": 4, "name": "a"}
    weight = {"energy_weight_ms_per_j": [20.0, 50.0]}
    runs = plan(
        make_suite(
            [{"solver": "random"}],
            instances=[
                {"generate": recipe, "groups": ["one"]},
                {"generate": recipe, "parameters": weight, "groups": ["two"]},
            ],
        )
    )
    assert [(run.case.name, run.case.groups) for run in runs] == [
        ("a", ["one", "two"]),
        ("a@energy_weight_ms_per_j=20", ["two"]),
    ]
    assert runs[1].case.problem.parameters.energy_weight_ms_per_j == 20.0


def test_what_is_skipped_keeps_its_reason(make_suite: MakeSuite) -> None:
    runs = plan(
        make_suite(
            [
                {"solver": "random", "skip": [{"instances": "*=4", "reason": "small"}]},
                {"solver": "bench_trials:needs_more"},
            ],
            devices=[4, 5],
        )
    )
    reasons = {(run.case.name, run.setting.label): run.skip for run in runs}
    assert reasons["tiny@devices=4", "random"] == "small"
    assert reasons["tiny@devices=5", "random"] is None
    assert "uara[scip]" in (reasons["tiny@devices=5", "bench_trials:needs_more"] or "")


@pytest.mark.integration
@pytest.mark.parametrize(
    ("solvers", "keys", "message"),
    [
        (
            [{"solver": "random"}, {"solver": "random", "options": {"allocation": "optimal"}}],
            {},
            "the same run",
        ),
        ([{"solver": "random", "label": "x"}, {"solver": "tma", "label": "x"}], {}, "are called 'x'"),
        ([{"solver": "random", "options": {"alocation": "sqrt"}}], {}, "$.solvers[0].options.alocation"),
        ([{"solver": "random"}], {"instances": [{"files": "none*.json"}]}, "no file matches 'none*.json'"),
        (
            [{"solver": "random"}],
            {"instances": [{"generate": {"device": 3}}]},
            "$.instances[0].generate.device",
        ),
        ([{"solver": "random"}], {"instances": [{"generate": {}, "kind": "p9"}]}, "'p9' is not one of"),
        (
            [{"solver": "random"}],
            {"instances": [{"generate": {"channel": "path-loss"}, "parameters": {"w": 1}}]},
            "parameters.w",
        ),
        (
            [{"solver": "max-sinnr"}],
            {},
            "$.solvers[0].solver: there is no solver 'max-sinnr'; did you mean max-sinr",
        ),
        (
            [{"solver": "random"}, {"solver": "bench_trials:no_such"}],
            {},
            "$.solvers[1].solver: solver bench_trials",
        ),
        ([{"solver": "breaks_on_import:solver"}], {}, "cannot be imported: RuntimeError: out of order"),
        ([{"solver": "tma", "options": {"moves": []}}], {}, "$.solvers[0].options.moves: holds no value"),
        ([{"solver": "random"}], {"devices": []}, "$.instances[0].generate.devices: holds no value"),
        (
            [{"solver": "random", "instances": "large*"}],
            {},
            "$.solvers[0].instances: 'large*' matches none of tiny",
        ),
        (
            [{"solver": "random", "skip": [{"instances": "huge", "reason": "r"}]}],
            {},
            "$.solvers[0].skip[0].instances: 'huge' matches none of tiny",
        ),
        (
            [{"solver": "random"}],
            {"figures": [{"title": "t", "group": "all", "x": "x", "y": "y", "solvers": ["rndom"]}]},
            "$.figures[0].solvers: no solver is labelled 'rndom'; did you mean random?",
        ),
        (
            [{"solver": "tma"}, {"solver": "random"}],
            {"claims": [{**CLAIM, "solver": "tm"}]},
            "$.claims[0].solver",
        ),
        (
            [{"solver": "tma"}, {"solver": "random"}],
            {"claims": [{**CLAIM, "against": ["x"]}]},
            "$.claims[0].against",
        ),
    ],
)
def test_mistakes_are_found_before_anything_runs(
    make_suite: MakeSuite,
    monkeypatch: pytest.MonkeyPatch,
    solvers: list[dict[str, Any]],
    keys: dict[str, Any],
    message: str,
) -> None:
    path = make_suite(solvers, **keys)
    (path.parent / "breaks_on_import.py").write_text("raise RuntimeError('out of order')")
    monkeypatch.syspath_prepend(path.parent)
    with pytest.raises(InputError) as caught:
        plan(path)
    assert message in str(caught.value)
    assert str(path) in str(caught.value) or "parameters.w" in message


def test_a_claim_that_is_spelt_right_is_planned(make_suite: MakeSuite) -> None:
    assert len(plan(make_suite([{"solver": "tma"}, {"solver": "random"}], claims=[CLAIM]))) == 2


@pytest.mark.integration
@pytest.mark.parametrize("name", ["smoke", "hard", "hetedge", "paper"])
def test_shipped_suites_can_be_planned(name: str) -> None:
    folder = Path(__file__).parents[2] / "benchmarks"
    assert plan(folder / f"{name}.toml")


def test_a_part_is_chosen_by_globs(make_suite: MakeSuite) -> None:
    runs = plan(make_suite([{"solver": "random"}, {"solver": "tma", "instances": "*=4"}], devices=[4, 5]))
    assert choose(runs) == runs
    assert {run.setting.label for run in choose(runs, "tm*")} == {"tma"}
    assert {run.case.name for run in choose(runs, only_instance="*=5")} == {"tiny@devices=5"}
    with pytest.raises(InputError, match="--only-solver: 'zzz' matches none of random, tma"):
        choose(runs, "zzz")
    with pytest.raises(InputError, match="--only-instance: 'zzz' matches none of tiny"):
        choose(runs, only_instance="zzz")
    with pytest.raises(InputError, match="no solver that matches 'tma' runs on"):
        choose(runs, "tma", "*=5")


@pytest.mark.parametrize("glob", ["", ".", "/", "**x", "a\0b"])
def test_a_glob_that_is_none_is_one_error(make_suite: MakeSuite, glob: str) -> None:
    suite = Suite.load(make_suite([{"solver": "random"}]))
    entry = suite.instances[0].model_copy(update={"files": glob, "generate": None})
    with pytest.raises(InputError, match=r"instances\[0\]\.files"):
        make_plan(suite.model_copy(update={"instances": [entry]}), Path("/nowhere"))


def test_files_are_counted_before_they_are_read(make_suite: MakeSuite, tmp_path: Path) -> None:
    for place in range(20):
        (tmp_path / f"many{place}.json").write_text("not an instance")
    path = make_suite([{"solver": "random"}], instances=[{"files": "many*.json"}], repetitions=60_000)
    with pytest.raises(InputError, match="1,200,000 runs"):
        make_plan(Suite.load(path), tmp_path)
