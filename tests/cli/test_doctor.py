from __future__ import annotations

import json

import pytest

from uara import doctor
from uara.cli import main

GOOD = doctor.Check("numpy", "ok", "2.4.6", "uara")
ABSENT = doctor.Check(
    "sionna", "missing", "not installed", "generating", "pip install --upgrade 'uara[sionna]'"
)
BAD = doctor.Check("libLLVM", "broken", "LLVM 15", "ray tracing", "apt-get install libllvm19")


def run(monkeypatch: pytest.MonkeyPatch, checks: list[doctor.Check], *arguments: str) -> int:
    monkeypatch.setattr(doctor, "examine", lambda: checks)
    with pytest.raises(SystemExit) as caught:
        main(["doctor", *arguments])
    code = caught.value.code
    assert isinstance(code, int)
    return code


def test_all_well_ends_with_zero(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(monkeypatch, [GOOD, ABSENT]) == 0
    printed = capsys.readouterr().out
    assert "numpy" in printed
    assert "sionna: pip install --upgrade 'uara[sionna]'" in printed


def test_a_fault_ends_with_one(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(monkeypatch, [GOOD, BAD]) == 1
    assert "libLLVM: apt-get install libllvm19" in capsys.readouterr().out


def test_json_holds_every_finding(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(monkeypatch, [GOOD, ABSENT, BAD], "--json") == 1
    data = json.loads(capsys.readouterr().out)
    assert [entry["name"] for entry in data] == ["numpy", "sionna", "libLLVM"]
    assert data[1] == {
        "name": "sionna",
        "state": "missing",
        "detail": "not installed",
        "needed_for": "generating",
        "remedy": "pip install --upgrade 'uara[sionna]'",
    }
