from __future__ import annotations

from pathlib import Path

import pytest

from uara.cli import main, study


def test_a_script_is_loaded_by_name() -> None:
    assert study.script("figure2").draw_figures
    assert study.script("hetedge_sweeps").write_study


def test_the_current_folder_may_be_the_checkout(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    place = tmp_path / study.PLACE
    place.mkdir(parents=True)
    (place / "its_own.py").write_text("answer = 42\n")
    monkeypatch.chdir(tmp_path)
    assert study.script("its_own").answer == 42


def test_without_the_repository_the_command_says_what_to_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(study, "checkouts", lambda: [tmp_path])
    with pytest.raises(SystemExit) as ended:
        main(["psd", "figure2", "-o", str(tmp_path)])
    assert ended.value.code == 2
    error = capsys.readouterr().err
    assert "get it, and call this in its folder (or run benchmarks/paper/figure2.py)" in error
    assert error.count("\n") == 1
