from __future__ import annotations

import json
import re
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from uara import Allocation, InputError, Instance, allocate, as_solver, evaluate
from uara.registry import Method, available_solvers, method_of
from uara.solution import load

Command = Callable[..., Any]
KEYS = {
    "solver",
    "status",
    "objective",
    "controllable",
    "lower_bound",
    "gap",
    "latency_ms",
    "energy_j",
    "runtime_s",
    "association",
    "bandwidth",
    "compute",
}


@pytest.fixture
def register() -> Iterator[Callable[[str, Any], None]]:
    """Put solvers beside the installed ones for one test."""
    added: list[str] = []

    def put(name: str, function: Any) -> None:
        added.append(name)
        available_solvers()[name] = function if isinstance(function, Method) else method_of(function, name)

    yield put
    for name in added:
        available_solvers().pop(name, None)


def test_json_has_every_key_machines_rely_on(uara: Command, instance_file: Path, instance: Instance) -> None:
    outcome = uara(
        "solve", instance_file, "--json", "--solver", "tma", "--solver", "max-sinr", "--solver", "random"
    )
    assert (outcome.code, outcome.err) == (0, "")
    assert len(outcome.data) == 3
    for row in outcome.data:
        assert row.keys() >= KEYS
        assert row["latency_ms"].keys() >= {"mean", "p95"}
        allocation = Allocation(row["association"], row["bandwidth"], row["compute"])
        score = evaluate(instance, allocation)
        assert (row["objective"], row["energy_j"]) == (score.objective_ms, score.energy_j)
        assert row["controllable"] == score.controllable_ms
        assert row["status"] in ("feasible", "optimal")


def test_answers_are_ranked_best_first(uara: Command, instance_file: Path) -> None:
    words = ["--solver", "random", "--solver", "max-compute", "--solver", "tma", "--solver", "max-sinr"]
    data = uara("solve", instance_file, "--json", *words).data
    costs = [row["objective"] for row in data]
    assert costs == sorted(costs)
    assert data[0]["solver"] == "tma"
    table = uara("solve", instance_file, *words).out
    places = [table.index(f" {row['solver']} ") for row in data]
    assert places == sorted(places)


def test_the_table_is_readable(uara: Command, instance_file: Path) -> None:
    outcome = uara("solve", instance_file, "--solver", "tma")
    assert outcome.err == ""
    for word in (
        "twelve",
        "solver",
        "status",
        "objective",
        "controllable",
        "percentile",
        "energy",
        "runtime",
        "tma",
        "feasible",
    ):
        assert word in outcome.out


def test_options_go_to_one_solver_or_to_all_that_know_them(uara: Command, instance_file: Path) -> None:
    data = uara(
        "solve", instance_file, "--json", "--solver", "tma:moves=pairs,allocation=sqrt", "--solver", "random",
        "--option", "allocation=uniform",
    ).data  # fmt: skip
    options = {row["solver"]: row["options"] for row in data}
    assert options["tma"]["moves"] == "pairs"
    assert options["tma"]["allocation"] == "sqrt"  # its own word wins
    assert options["random"]["allocation"] == "uniform"


@pytest.mark.parametrize(
    ("words", "text"),
    [
        (["--solver", "nobody"], "there is no solver 'nobody'"),
        (["--solver", "tma:colour=red"], "solver tma: colour"),
        (["--solver", "tma:capacity=many"], "solver tma: capacity"),
        (["--solver", "tma:capacity"], "'capacity' is not of the form key=value"),
        (["--solver", "tma", "--option", "=3"], "'=3' is not of the form key=value"),
        (["--solver", "tma", "--option", "colour=red"], "none of the solvers (tma) has an option 'colour'"),
        (["--solver", "tma", "--option", "capacity=0"], "solver tma: capacity"),
        (["--time-limit", "0"], "time_limit_s: must be positive"),
        (["--time-limit", "nan"], "time_limit: Input should be a finite number"),
        (["--start", "/nowhere.json"], "/nowhere.json: no such file"),
    ],
)
def test_bad_words_end_with_2_before_anything_runs(
    uara: Command, instance_file: Path, words: list[str], text: str
) -> None:
    outcome = uara("solve", instance_file, *words)
    assert (outcome.code, outcome.out) == (2, "")
    assert text in outcome.err
    assert outcome.err.count("\n") == 1


def test_seeds_are_obeyed(uara: Command, instance_file: Path) -> None:
    def association(seed: int) -> Any:
        return uara("solve", instance_file, "--solver", "random", "--seed", seed, "--json").data[0][
            "association"
        ]

    assert association(1) == association(1) != association(2)
    assert uara("solve", instance_file, "--seed", -1).code == 2


def test_the_best_answer_is_written_and_comes_back(
    uara: Command, instance_file: Path, instance: Instance, tmp_path: Path
) -> None:
    path = tmp_path / "new" / "solution.json"
    data = uara(
        "solve", instance_file, "--solver", "random", "--solver", "tma", "--output", path, "--json"
    ).data
    assert load(path).solver == "tma"
    score = uara("evaluate", instance_file, path, "--json").data
    assert score["objective"] == data[0]["objective"]
    again = uara("solve", instance_file, "--solver", "random", "--start", path, "--json").data
    assert again[0]["objective"] <= data[0]["objective"]


def test_the_answers_are_printed_even_if_they_cannot_be_written(
    uara: Command, instance_file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    outcome = uara("solve", instance_file, "--solver", "tma", "--output", "/dev/full", "--json")
    assert outcome.code == 2
    assert outcome.data[0]["solver"] == "tma"
    (place,) = tmp_path.glob("uara-*/full")
    assert outcome.err == (
        f"uara: /dev/full: cannot be written: No space left on device; the result is in {place}\n"
    )
    assert load(place).solver == "tma"


@pytest.fixture
def unsolvable(register: Callable[[str, Any], None]) -> None:
    """A solver that nobody may run."""

    def forbidden(instance: Instance, context: Any) -> Allocation:
        raise AssertionError("work was done before the words were checked")

    register("forbidden", forbidden)


def bad_outputs(folder: Path, instance_file: Path) -> Iterator[tuple[list[object], str]]:
    start = folder / "start.json"
    (folder / "link.json").symlink_to(instance_file)
    (folder / "folder.json").mkdir()
    (folder / "trace.json").write_text('{"kind": "p1-trace"}')
    yield ["--output", instance_file], "is an input"
    yield ["--output", folder / "link.json"], "is an input"
    yield ["--output", start, "--start", start], "is an input"
    yield ["--output", folder / "folder.json"], "is a folder"
    yield ["--output", folder / "trace.json"], "holds 'p1-trace', not 'solution'"
    yield ["--output", folder / "s.txt"], "must end in .csv or .json or .parquet"
    yield ["--output", instance_file / "s.json"], "Not a directory"
    yield ["--then", "hetedge-dpp"], "there is no solver 'hetedge-dpp'"
    yield ["--then", "tma"], "tma solves p1, not hetedge"
    yield ["--then", "hetedge-dp:colour=red"], "solver hetedge-dp: colour"
    yield ["--then", "hetedge-dp"], "names no task profile"


def test_outputs_and_later_steps_are_checked_before_anything_runs(
    uara: Command, instance_file: Path, tmp_path: Path, unsolvable: None
) -> None:
    uara("solve", instance_file, "--solver", "tma", "--output", tmp_path / "start.json")
    before = instance_file.read_bytes()
    for words, text in bad_outputs(tmp_path, instance_file):
        outcome = uara("solve", instance_file, "--solver", "forbidden", *words)
        assert (outcome.code, outcome.out) == (2, ""), words
        assert text in outcome.err
        assert outcome.err.count("\n") == 1
    assert instance_file.read_bytes() == before


@pytest.mark.parametrize("machine", [True, False])
def test_a_step_that_fails_hides_no_answer(
    uara: Command, instance: Instance, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, machine: bool
) -> None:
    from uara.hetedge import bridge

    def broken(*_: Any, **__: Any) -> Any:
        raise InputError("is out of order", source="bridge")

    monkeypatch.setattr(bridge, "schedule", broken)
    profile = instance.provenance.model_copy(update={"task_profile": "gpt2_gpt2-xl"})
    path, saved = tmp_path / "i.json", tmp_path / "s.json"
    instance.replace(provenance=profile).save(path)
    words = ["solve", path, "--solver", "tma", "--then", "hetedge-dp", "--output", saved]
    outcome = uara(*words, *(["--json"] if machine else []))
    assert (outcome.code, outcome.err) == (2, "uara: bridge: is out of order\n")
    assert "tma" in outcome.out
    assert load(saved).solver == "tma"


def test_a_solution_of_another_instance_is_no_start(
    uara: Command, instance_file: Path, tmp_path: Path
) -> None:
    uara("solve", instance_file, "--output", tmp_path / "s.json")
    other = json.loads(instance_file.read_bytes())
    other["devices"]["battery_fraction"][0] *= 0.5
    (tmp_path / "other.json").write_text(json.dumps(other))
    outcome = uara("solve", tmp_path / "other.json", "--start", tmp_path / "s.json")
    assert outcome.code == 2
    assert "is for 'twelve'" in outcome.err


def broken(instance: Any, context: Any) -> Any:
    raise ValueError("two\nlines")


def test_one_failure_does_not_lose_the_other_answers(
    uara: Command, instance_file: Path, register: Any, tmp_path: Path
) -> None:
    def picky(instance: Any, context: Any) -> Any:
        raise InputError("is too small", source="option capacity")

    register("broken", broken)
    register("picky", picky)
    register("needy", as_solver(requires={"no_such_module": "gpu"})(lambda instance, context: None))
    words = [word for name in ("broken", "picky", "needy", "tma") for word in ("--solver", name)]
    outcome = uara("solve", instance_file, *words, "--json", "--output", tmp_path / "s.json")
    assert [row["solver"] for row in outcome.data] == ["tma"]
    assert outcome.code == 4  # of the first that failed
    lines = outcome.err.splitlines()
    assert len(lines) == 3
    assert any("solver broken: failed: ValueError: two lines" in line for line in lines)
    assert any("option capacity: is too small" in line for line in lines)
    assert any("pip install 'uara[gpu]'" in line for line in lines)
    assert load(tmp_path / "s.json").solver == "tma"


def test_if_all_fail_nothing_is_printed_or_written(
    uara: Command, instance_file: Path, register: Any, tmp_path: Path
) -> None:
    register("broken", broken)
    outcome = uara("solve", instance_file, "--solver", "broken", "--output", tmp_path / "s.json")
    assert (outcome.code, outcome.out) == (4, "")
    assert outcome.err.startswith("uara: solver broken: failed: ValueError: two lines (")
    assert re.search(r"test_solve\.py, line \d+\)\n$", outcome.err)
    assert outcome.err.count("\n") == 1
    assert not (tmp_path / "s.json").exists()


def test_an_infeasible_answer_is_named_and_ranked_last(
    uara: Command, instance_file: Path, register: Any
) -> None:
    def boundless(instance: Any, context: Any) -> Any:
        count = len(instance.devices)
        return Allocation(allocate(instance, instance.channel.pair_server[instance.channel.pair_start[:-1]]).association, np.ones(count), np.ones(count))  # fmt: skip  # noqa: E501

    register("boundless", boundless)
    data = uara("solve", instance_file, "--solver", "boundless", "--solver", "random", "--json").data
    assert [(row["solver"], row["status"]) for row in data] == [
        ("random", "feasible"),
        ("boundless", "infeasible"),
    ]
    assert data[1]["violations"]


# What is said beside the ranking

INSTANCES = Path(__file__).parents[2] / "instances"


def test_without_a_solver_the_answer_is_proven_optimal(uara: Command) -> None:
    (row,) = uara("solve", INSTANCES / "e4_m30.json", "--json").data
    assert (row["solver"], row["status"]) == ("auto", "optimal")
    assert row["gap"] <= 1.0001e-4


def test_the_distance_to_the_best_known_answer_is_shown(uara: Command, instance_file: Path) -> None:
    words = ("--solver", "tma", "--solver", "max-sinr")
    rows = uara("solve", INSTANCES / "e4_m30.json", "--json", *words).data
    best = json.loads((INSTANCES / "best_known.json").read_text())["instances"]["e4_m30"]
    for row in rows:
        expected = (row["objective"] - best["objective_ms"]) / best["controllable_ms"]
        assert row["distance_to_best_known"] == pytest.approx(expected)
    assert rows[0]["distance_to_best_known"] < 0.01 < rows[1]["distance_to_best_known"]
    markdown = uara("solve", INSTANCES / "e4_m30.json", *words, "--format", "markdown").out
    assert "| primal gap % |" in markdown
    assert uara("solve", instance_file, "--json", "--solver", "tma").data[0]["distance_to_best_known"] is None


def test_explain_splits_the_gap(uara: Command, instance_file: Path) -> None:
    words = ("--solver", "tma:allocation=uniform", "--solver", "price", "--explain")
    out = uara("solve", instance_file, *words, "--format", "markdown").out
    assert "| solver | optimality gap % | association % | allocation % |" in out
    numbers = [float(word) for word in out[out.index("allocation %") :].split("| tma |", 1)[1].split("|")[:3]]
    assert numbers[0] == pytest.approx(numbers[1] + numbers[2], abs=2e-4)


@pytest.mark.integration
def test_the_best_answer_is_scheduled_in_batches(uara: Command) -> None:
    words = ("solve", INSTANCES / "e4_m30.json", "--solver", "tma", "--then", "hetedge-dp")
    assert "| batching saves % |" in uara(*words, "--format", "markdown").out
    (row,) = uara(*words, "--json").data
    assert [server["server"] for server in row["then"]] == [f"server{j}" for j in range(4)]
    assert sum(server["devices"] for server in row["then"]) == 30
    for server in row["then"]:
        assert server["batched_latency_ms"] <= server["one_by_one_latency_ms"] * (1 + 1e-9)


def test_p1s_own_views_are_refused_for_other_problems(uara: Command) -> None:
    outcome = uara("solve", INSTANCES / "hetedge_k20.json", "--explain")
    assert (outcome.code, outcome.out) == (2, "")
    assert "--explain" in outcome.err


@pytest.mark.integration
def test_every_problem_kind_has_a_default_solver(uara: Command) -> None:
    (row,) = uara("solve", INSTANCES / "hetedge_k20.json", "--json").data
    assert row["solver"] == "hetedge-bound"


def test_the_best_answer_is_shown_device_by_device(
    uara: Command, instance_file: Path, instance: Instance
) -> None:
    outcome = uara("solve", instance_file, "--solver", "tma", "--devices")
    assert outcome.code == 0
    for name in (*instance.devices.id, *instance.servers.id):
        assert re.search(rf"^ {name} ", outcome.out, re.MULTILINE), name
    (row,) = uara("solve", instance_file, "--solver", "tma", "--devices", "--json").data
    found = row["tables"]
    assert [instance.servers.id.index(name) for name in found["devices"]["server"]] == row["association"]
    assert sum(found["devices"]["energy_j"]) == pytest.approx(row["energy_j"])
    assert sum(found["servers"]["devices"]) == len(instance.devices)


def test_the_suffix_says_what_is_written(uara: Command, instance_file: Path, tmp_path: Path) -> None:
    words = ["solve", instance_file, "--solver", "tma", "--output"]
    for _ in range(2):
        assert uara(*words, tmp_path / "a.csv").code == 0
    lines = (tmp_path / "a.csv").read_text().splitlines()
    assert (lines[0].split(",")[:2], len(lines)) == (["device", "server"], 13)
    assert uara(*words, tmp_path / "a.json").code == 0
    assert load(tmp_path / "a.json").solver == "tma"
    pytest.importorskip("pyarrow")
    assert uara(*words, tmp_path / "a.parquet").code == 0
    assert (tmp_path / "a.parquet").read_bytes()[:4] == b"PAR1"


def test_tables_of_others_are_left_alone(uara: Command, instance_file: Path, tmp_path: Path) -> None:
    (tmp_path / "mine.csv").write_text("id,x\n1,2\n")
    for name, text in (("mine.csv", "other columns"), ("a.txt", "must end in .csv or .json or .parquet")):
        outcome = uara("solve", instance_file, "--solver", "tma", "--output", tmp_path / name)
        assert (outcome.code, outcome.out, text in outcome.err) == (2, "", True)
    hetedge = INSTANCES / "hetedge_k20.json"
    assert "--devices: is not for instances of kind hetedge" in uara("solve", hetedge, "--devices").err


def test_several_instances_are_ranked_over_all(uara: Command, instance: Instance, tmp_path: Path) -> None:
    files = [tmp_path / f"{name}.json" for name in ("one", "two")]
    for path in files:
        instance.replace(name=path.stem).save(path)
    words = ("solve", *files, "--solver", "tma", "--solver", "max-sinr")
    outcome = uara(*words, "--output", tmp_path / "answers")
    assert outcome.code == 0
    assert "over 2 instances" in outcome.out
    for path in files:
        assert uara("verify", path, tmp_path / "answers" / path.name).code == 0
    data = uara(*words, "--json", "--devices").data
    assert [row["instance"] for row in data] == ["one", "one", "two", "two"]
    assert ["tables" in row for row in data] == [True, False, True, False]


@pytest.mark.parametrize(
    ("words", "text"),
    [
        (("--then", "hetedge-dp"), "--then: is for one instance"),
        (("--output", "a.json"), "must be a folder"),
        ((INSTANCES / "hetedge_k20.json",), "are of several kinds: hetedge, p1"),
    ],
)
def test_what_several_instances_cannot_have(
    uara: Command, instance_file: Path, tmp_path: Path, words: tuple[Any, ...], text: str
) -> None:
    other = tmp_path / "other.json"
    other.write_bytes(instance_file.read_bytes())
    outcome = uara("solve", instance_file, other, *words)
    assert outcome.code == 2
    assert text in outcome.err


def test_two_files_of_one_name_have_no_place_for_their_answers(
    uara: Command, instance_file: Path, tmp_path: Path
) -> None:
    (tmp_path / "b").mkdir()
    other = tmp_path / "b" / instance_file.name
    other.write_bytes(instance_file.read_bytes())
    outcome = uara("solve", instance_file, other, "--output", tmp_path / "answers")
    assert outcome.code == 2
    assert "have one name" in outcome.err
    outcome = uara("solve", instance_file, instance_file)
    assert outcome.code == 2
    assert "named twice" in outcome.err
