"""The best-known table: the shipped one holds, no solver beats a bound, and contradictions are refused."""

from __future__ import annotations

import json
import shutil
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from cases import make_instance

from uara import InputError, Instance, solve
from uara.base import files
from uara.problem import evaluate
from uara.scenarios import best_known
from uara.solver import Result

FOLDER = Path(__file__).parents[2] / "instances"
TABLE = best_known.read(FOLDER)
SMALL = [name for name in TABLE.instances if "m30" in name or "m60" in name]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    make_instance(10, 3, 1, name="one").save(tmp_path / "one.json")
    return tmp_path


def enter(folder: Path, solver: str, **options: object) -> tuple[best_known.Entry, Result]:
    instance = Instance.load(folder / "one.json")
    result = solve(instance, solver, options=options, time_limit_s=5.0)
    return best_known.record(folder, instance, result), result


@pytest.mark.slow
def test_the_shipped_table_holds() -> None:
    assert best_known.check(FOLDER) == []


def test_every_shipped_instance_is_in_the_table() -> None:
    shipped = {path.stem for path in FOLDER.glob("*.json") if files.read_plain_json(path).get("kind") == "p1"}
    assert shipped == set(TABLE.instances)


def test_all_that_ships_is_proven() -> None:
    """What the README says of the stored proofs."""
    real = {name for name in TABLE.instances if name.startswith("melbourne_")}
    found = sorted(TABLE.instances[name].certified_gap or 1.0 for name in real)
    assert len(found) == 3
    assert found[1] <= 1e-6
    assert found[2] <= 1.5e-5
    gaps = sorted(entry.certified_gap or 1.0 for name, entry in TABLE.instances.items() if name not in real)
    assert len(gaps) == 19
    assert gaps[17] <= 1.001e-9
    assert gaps[18] <= 6.6e-7
    cells = best_known.read(FOLDER / "drops").instances.values()
    assert len(cells) == 300
    assert max(entry.certified_gap or 1.0 for entry in cells) <= 1.001e-4


def test_a_cut_of_a_drop_is_what_its_entry_says() -> None:
    cells = best_known.read(FOLDER / "drops").instances
    entry = cells["drop_s503[e4,m30]"]
    assert entry.cut is not None
    instance = entry.cut.instance(FOLDER / "drops")
    assert instance.digest == entry.digest
    record, decision, certificate = best_known.solution.open_for(instance, FOLDER / "drops" / entry.solution)
    verdict = best_known.verify(instance, decision, record.claims, certificate)
    assert verdict.refusals == ()
    assert verdict.certified_bound_ms == pytest.approx(entry.certified_lower_bound_ms, rel=1e-12)


def test_a_drop_is_read_once_for_all_its_cuts_and_again_when_its_file_changes(tmp_path: Path) -> None:
    drop = tmp_path / "drop.json"
    shutil.copy(FOLDER / "drops" / "drop_s503.json", drop)
    best_known._drop.cache_clear()
    cuts = [best_known.Cut(drop="drop", servers=4, devices=m) for m in (30, 60)]
    assert [len(cut.instance(tmp_path).devices) for cut in cuts] == [30, 60]
    assert best_known._drop.cache_info().misses == 1
    changed = Instance.load(drop).replace(name="another")
    changed.save(drop)
    assert cuts[0].instance(tmp_path).name == "another[e4,m30]"
    drop.unlink()
    with pytest.raises(InputError, match="no such file"):
        cuts[0].instance(tmp_path)


@pytest.mark.parametrize("name", SMALL)
def test_stored_solutions_score_what_the_table_says(name: str) -> None:
    instance = Instance.load(FOLDER / f"{name}.json")
    entry = TABLE.instances[name]
    assert best_known.lookup(instance, FOLDER / f"{name}.json") == entry
    _, decision, certificate = best_known.solution.open_for(instance, FOLDER / entry.solution)
    assert evaluate(instance, decision).objective_ms == pytest.approx(entry.objective_ms, rel=1e-10)
    assert certificate is not None
    assert entry.lower_bound_ms <= entry.objective_ms


@pytest.mark.integration
@pytest.mark.parametrize("name", list(TABLE.instances))
@pytest.mark.parametrize("solver", ["max-sinr", "tma", "greedy", "price"])
def test_no_solver_beats_a_proven_bound(name: str, solver: str) -> None:
    entry = TABLE.instances[name]
    result = solve(Instance.load(FOLDER / f"{name}.json"), solver, time_limit_s=10.0)
    slack = 1e-9 * entry.objective_ms
    assert result.evaluation.objective_ms >= entry.lower_bound_ms - slack
    if result.bound_ms is not None:
        assert result.bound_ms <= entry.objective_ms + slack


def test_the_better_answer_the_better_bound_and_the_better_proof_are_kept(folder: Path) -> None:
    first, prices = enter(folder, "price", kicks=0, gap=0.5)
    second, proof = enter(folder, "exact")
    third, _ = enter(folder, "relaxation")
    assert first.found_by == "price"
    assert second.lower_bound_ms > first.lower_bound_ms
    assert second.bound_by == "exact"
    assert second.objective_ms <= first.objective_ms
    assert third == second
    assert best_known.check(folder) == []
    assert second.distance(proof) == pytest.approx(0.0, abs=1e-12)
    assert second.distance(prices) >= -1e-9


def test_an_answer_without_any_bound_is_not_entered(folder: Path) -> None:
    with pytest.raises(InputError, match="no lower bound"):
        enter(folder, "tma")
    assert not (folder / best_known.TABLE).exists()


def test_a_contradiction_is_refused(folder: Path) -> None:
    enter(folder, "price")
    table = json.loads((folder / best_known.TABLE).read_text())
    table["instances"]["one"]["lower_bound_ms"] = 1e9
    (folder / best_known.TABLE).write_text(json.dumps(table))
    with pytest.raises(InputError, match="contradicts"):
        enter(folder, "price")
    assert any("exceeds" in text for text in best_known.check(folder))


def test_check_finds_what_was_tampered_with(folder: Path) -> None:
    enter(folder, "exact")
    table_file = folder / best_known.TABLE
    good = table_file.read_text()

    table = json.loads(good)
    table["instances"]["one"]["objective_ms"] -= 1.0
    table_file.write_text(json.dumps(table))
    assert any("scores" in text for text in best_known.check(folder))

    table = json.loads(good)
    table["instances"]["one"]["certified_lower_bound_ms"] += 1.0
    table_file.write_text(json.dumps(table))
    assert any("certificate proves" in text for text in best_known.check(folder))

    for name, by in (("gap", 1e-6), ("certified_gap", -1e-6), ("controllable_ms", 1e-3)):
        table = json.loads(good)
        table["instances"]["one"][name] += by
        table_file.write_text(json.dumps(table))
        assert any("the table says" in text for text in best_known.check(folder)), name

    table_file.write_text(good)
    make_instance(10, 3, 2, name="one").save(folder / "one.json")
    assert best_known.check(folder) == ["one: the instance has changed since"]
    shutil.copy(folder / "one.json", folder / "two.json")
    (folder / "one.json").unlink()
    found = best_known.check(folder)
    assert "two: not in the table" in found
    assert "one: there is no such instance" in found


def test_a_changed_instance_has_no_entry(folder: Path) -> None:
    enter(folder, "price")
    other = make_instance(10, 3, 9, name="one")
    assert best_known.lookup(other, folder / "one.json") is None
    other.save(folder / "one.json")
    entry, _ = enter(folder, "price")
    assert entry.digest == other.digest


def test_those_who_enter_at_the_same_time_lose_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Eight at once; a slow disk makes sure that each would write over the others' entries."""
    write = files.write_json

    def slowly(path: Path, data: object) -> None:
        time.sleep(0.05)
        write(path, data)

    results = {}
    for number in range(8):
        instance = make_instance(6, 2, number, name=f"net{number}")
        instance.save(tmp_path / f"{instance.name}.json")
        results[number] = solve(instance, "price")
    monkeypatch.setattr(files, "write_json", slowly)
    with ThreadPoolExecutor(8) as several:
        list(
            several.map(lambda result: best_known.record(tmp_path, result.instance, result), results.values())
        )
    assert sorted(best_known.read(tmp_path).instances) == [f"net{number}" for number in range(8)]
    assert best_known.check(tmp_path) == []
    assert not [item for item in tmp_path.iterdir() if item.name.startswith(".")]


@pytest.mark.parametrize("name", ["../../escape", "/tmp/escape", "a/b", "nul", "x\0"])
def test_a_name_that_leaves_the_folder_is_refused(tmp_path: Path, name: str) -> None:
    folder = tmp_path / "one" / "two"
    folder.mkdir(parents=True)
    instance = make_instance(6, 2, 1, name=name)
    with pytest.raises(InputError, match="cannot be the name of a file"):
        best_known.record(folder, instance, solve(instance, "price"))
    assert not list(folder.iterdir())
