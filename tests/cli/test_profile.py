from __future__ import annotations

from pathlib import Path

import pytest

from uara.cli import main
from uara.psd.profile import TaskProfile


@pytest.mark.integration
def test_a_profile_from_own_prompts(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    own = tmp_path / "own.jsonl"
    own.write_text('{"task": "greeting", "prompt": "Say hello."}\n')
    output = tmp_path / "p.json"
    with pytest.raises(SystemExit) as ended:
        main(["profile", "--prompts", str(own), "--max-new-tokens", "5", "--gamma", "2", "-o", str(output)])
    assert ended.value.code in (0, None)
    assert "greeting" in capsys.readouterr().out
    profile = TaskProfile.load(output)
    assert profile.tasks == ["greeting"]
    assert profile.provenance.sources == ["user's prompts for greeting"]
    assert profile.decoding.gamma == 2


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        (["--tasks", "poetry"], "no prompts for task 'poetry'"),
        (["--prompts-per-task", "0"], "cannot be taken"),
        (["--gamma", "0"], "at least 1"),
        (["--rule", "coin"], "rule must be one of"),
        (["--threads", "0"], "threads"),
    ],
)
def test_mistakes(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, arguments: list[str], problem: str
) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["profile", *arguments, "-o", str(tmp_path / "p.json")])
    assert ended.value.code == 2
    assert problem in capsys.readouterr().err
