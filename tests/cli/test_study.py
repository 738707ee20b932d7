from __future__ import annotations

from pathlib import Path

import pytest

from uara.cli import main, study


def test_a_script_is_loaded_by_name() -> None:
    assert study.script("figure2").draw_figures
    assert study.script("hetedge_sweeps").write_study


def test_without_the_repository_the_command_says_what_to_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(study, "FOLDER", tmp_path)
    with pytest.raises(SystemExit) as ended:
        main(["psd", "figure2", "-o", str(tmp_path)])
    assert ended.value.code == 2
    error = capsys.readouterr().err
    assert "get it and run benchmarks/paper/figure2.py" in error
    assert error.count("\n") == 1
