from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from uara.cli import main
from uara.psd.profile import TaskProfile


@pytest.mark.integration
def test_run_live_offline(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    chart = tmp_path / "gantt.png"
    options = ["--draft", "smollm2-int4", "--target", "smollm2", "--method", "psd", "--max-new-tokens", "8"]
    with pytest.raises(SystemExit) as ended:
        main(["psd", "run", *options, "--prompt", "Say hello.", "--uplink-mbps", "20", "--gantt", str(chart)])
    assert ended.value.code in (0, None)
    shown = capsys.readouterr().out
    for word in ("judged accepted", "conventional", "transmission", "gpt2-xl on rtx-3090"):
        assert word in shown
    assert chart.stat().st_size > 1000


@pytest.mark.integration
def test_run_as_json(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["psd", "run", "--prompt", "Say hello.", "--max-new-tokens", "6", "--gamma", "2", "--json"])
    data = json.loads(capsys.readouterr().out)
    assert data["trace"]["gamma"] == 2
    assert len(data["tokens"]) == sum(data["trace"]["appended"])
    assert set(data["timelines"]) == {"autoregressive", "conventional", "psd"}


@pytest.mark.integration
@pytest.mark.parametrize(
    ("arguments", "code", "problem"),
    [
        (["--prompt", ""], 2, "the prompt is empty"),
        (["--prompt", "a", "--method", "magic"], 2, "method must be one of"),
        (["--prompt", "a", "--uplink-mbps", "0"], 2, "rate must be positive"),
        (["--prompt", "a", "--phone", "abacus"], 2, "galaxy-s23"),
        (["--prompt", "a", "--payload", "all"], 2, "full-logits"),
        (["--prompt", "a", "--draft", "/nowhere/model"], 6, "not on this machine"),
        (["--prompt", "a", "--draft-device", "cuda:99"], 2, "cannot be used"),
    ],
)
def test_mistakes_end_with_one_line(
    capsys: pytest.CaptureFixture[str],
    arguments: list[str],
    code: int,
    problem: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    from uara.psd import models

    monkeypatch.setattr(models, "_hub_answers", lambda: False)
    with pytest.raises(SystemExit) as ended:
        main(["psd", "run", *arguments])
    assert ended.value.code == code
    error = capsys.readouterr().err
    assert problem in error
    assert error.count("\n") == 1


def test_compare_and_figure(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["psd", "compare", "--ratio", "3"])
    shown = capsys.readouterr().out
    for task in ("code", "summary", "chat"):
        assert task in shown


def test_transfer(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    with pytest.raises(SystemExit):
        main(["psd", "transfer", "-o", str(tmp_path / "p.json")])
    assert "transferred" in capsys.readouterr().out
    made = TaskProfile.load(tmp_path / "p.json")
    assert made.records == TaskProfile.load("gpt2_gpt2-xl").records


def test_help_does_not_load_torch() -> None:
    code = "import sys, uara.cli.psd, uara.cli.profile; from uara.cli.app import build; build('psd'); "
    code += "print('torch' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"
