"""``uara verify`` as a user meets it: exit codes, and the difference on refusal."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from cases import make_instance

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
