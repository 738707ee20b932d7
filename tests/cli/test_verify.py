"""``uara verify`` as a user meets it: exit codes, and the difference on refusal."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from cases import make_instance
from hetedge_cases import make_hetedge

from uara import solution, solve
from uara.cli import main


@pytest.fixture
def stored(tmp_path: Path) -> tuple[str, Path]:
    instance = make_instance(10, 2, 1)
    instance.save(tmp_path / "i.json")
    solution.save(solve(instance, "price", options={"gap": 0.5}), tmp_path / "s.json")
    return str(tmp_path / "i.json"), tmp_path / "s.json"


def run(arguments: list[str]) -> int:
    try:
        main(arguments)
    except SystemExit as end:
        return int(end.code or 0)
    return 0


def test_a_true_answer_passes(stored: tuple[str, Path], capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["verify", stored[0], str(stored[1])]) == 0
    assert "accepted" in capsys.readouterr().out


def test_a_false_bound_fails(stored: tuple[str, Path], capsys: pytest.CaptureFixture[str]) -> None:
    plain = json.loads(stored[1].read_text())
    plain["claims"]["lower_bound_ms"] = plain["claims"]["objective_ms"] + 1.0
    stored[1].write_text(json.dumps(plain))
    assert run(["verify", stored[0], str(stored[1])]) == 1
    output = capsys.readouterr().out
    assert "REFUSED" in output
    assert "difference 1 ms" in output


def test_false_prices_fail(stored: tuple[str, Path], capsys: pytest.CaptureFixture[str]) -> None:
    plain = json.loads(stored[1].read_text())
    plain["certificate"]["compute_price"][0] *= 2
    stored[1].write_text(json.dumps(plain))
    assert run(["verify", stored[0], str(stored[1])]) == 1
    assert "certified lower bound: claimed" in capsys.readouterr().out


def test_a_gap_can_be_demanded(stored: tuple[str, Path], capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["verify", stored[0], str(stored[1]), "--gap", "0.5"]) == 0
    assert run(["verify", stored[0], str(stored[1]), "--gap", "1e-9"]) == 1
    assert "is wanted" in capsys.readouterr().out


def test_json_for_machines(stored: tuple[str, Path], capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["verify", stored[0], str(stored[1]), "--json"]) == 0
    plain = json.loads(capsys.readouterr().out)
    assert plain["accepted"] is True
    assert plain["certified_gap"] >= 0


def test_another_instance_is_refused(stored: tuple[str, Path], tmp_path: Path) -> None:
    make_instance(10, 2, 2).save(tmp_path / "other.json")
    assert run(["verify", str(tmp_path / "other.json"), str(stored[1])]) == 2


def test_the_arithmetic_is_exact_unless_floats_are_asked_for(
    stored: tuple[str, Path], capsys: pytest.CaptureFixture[str]
) -> None:
    found = {}
    for name, options in (("exact", []), ("double precision", ["--float"])):
        assert run(["verify", stored[0], str(stored[1]), *options]) == 0
        assert f"checked in {name}" in capsys.readouterr().out
        assert run(["verify", stored[0], str(stored[1]), "--json", *options]) == 0
        found[name] = json.loads(capsys.readouterr().out)
        assert found[name]["arithmetic"] == name
        assert found[name]["check_s"] >= 0
    exact, double = found["exact"], found["double precision"]
    assert exact["objective"] == pytest.approx(double["objective"], rel=1e-12)
    assert exact["certified_lower_bound"] >= double["certified_lower_bound"]
    assert exact["certified_gap"] == pytest.approx(double["certified_gap"], abs=1e-9)


def test_plans_of_the_second_kind_are_scored_again(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    batched = make_hetedge(6, 3)
    batched.save(tmp_path / "b.json")
    solution.save(solve(batched, "hetedge-dp"), tmp_path / "p.json")
    assert run(["verify", str(tmp_path / "b.json"), str(tmp_path / "p.json")]) == 0
    assert "checked in double precision" in capsys.readouterr().out
    plain = json.loads((tmp_path / "p.json").read_text())
    plain["claims"]["objective_ms"] *= 1 - 1e-8
    (tmp_path / "p.json").write_text(json.dumps(plain))
    assert run(["verify", str(tmp_path / "b.json"), str(tmp_path / "p.json")]) == 1
