from __future__ import annotations

from pathlib import Path

import pytest

from uara.base.errors import InputError
from uara.cli import main, study


def test_every_study_of_a_command_is_there() -> None:
    for name in ("figure2", "hetedge_sweeps"):
        assert (study.FOLDER / f"{name}.py").is_file()


def test_without_the_repository_the_command_says_what_to_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(study, "FOLDER", tmp_path)
    with pytest.raises(InputError, match="part of the repository"):
        study.run("figure2", ["-o", "x"])
    with pytest.raises(SystemExit) as ended:
        main(["psd", "figure2", "-o", "a b"])
    assert ended.value.code == 2
    error = capsys.readouterr().err
    assert "python benchmarks/paper/figure2.py -o 'a b'" in error
    assert error.count("\n") == 1
