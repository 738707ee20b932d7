"""Forged answers are refused, each with a line that says why; honest ones of every kind are accepted."""

from __future__ import annotations

import json
from pathlib import Path

import forgeries
import pytest
from forgeries import Forgery

from uara.cli import main


@pytest.fixture(scope="module")
def forged_files() -> list[Forgery]:
    return list(forgeries.forgeries())


def verified(folder: Path, forged: Forgery, *options: str) -> int:
    """The exit code of ``uara verify``; anything but an exit is a traceback, and fails the test."""
    instance = folder / f"{forged.problem.digest}.json"
    if not instance.exists():
        forged.problem.save(instance)
    answer = folder / "answer.json"
    answer.write_bytes(forged.content)
    try:
        main(["verify", str(instance), str(answer), *options])
    except SystemExit as end:
        return int(end.code or 0)
    return 0


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("forged")


@pytest.mark.integration
def test_every_forgery_is_refused_with_a_reason(
    folder: Path, forged_files: list[Forgery], capsys: pytest.CaptureFixture[str]
) -> None:
    accepted, silent = [], []
    for forged in forged_files:
        code = verified(folder, forged)
        out, err = capsys.readouterr()
        reasons = [line for line in (out + err).splitlines() if line.startswith(("refused: ", "uara: "))]
        if code == 0:
            accepted.append(forged.label)
        elif code not in (1, 2) or not reasons or (code == 2 and len(err.splitlines()) != 1):
            silent.append((forged.label, code, err))
    assert accepted == []
    assert silent == []
    assert len(forged_files) > 250
    assert len({forged.label for forged in forged_files}) > 250


@pytest.mark.integration
def test_a_machine_reads_every_refusal(
    folder: Path, forged_files: list[Forgery], capsys: pytest.CaptureFixture[str]
) -> None:
    for forged in forged_files[::3]:
        code = verified(folder, forged, "--json", "--gap", "1e-4")
        out, _ = capsys.readouterr()
        assert code in (1, 2), forged.label
        if code == 1:
            verdict = json.loads(out, parse_constant=pytest.fail)
            assert verdict["accepted"] is False, forged.label


@pytest.mark.integration
def test_honest_answers_of_every_kind_are_accepted(folder: Path) -> None:
    found = {answer.label: verified(folder, answer) for answer in forgeries.honest()}
    assert len(found) > 12
    assert [label for label, code in found.items() if code != 0] == []
