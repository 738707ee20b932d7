"""``uara train`` from the command line."""

from __future__ import annotations

import subprocess
import sys

import pytest
from mec.runs import configure
from uara.solvers.masac.policy import Policy

from uara.cli import main


def run(capsys, *words):
    code = 0
    try:
        main([str(word) for word in words])
    except SystemExit as stop:
        code = stop.code or 0
    return code, *capsys.readouterr()


def test_a_run_prints_its_course_and_its_policy(tmp_path, capsys):
    config = configure(tmp_path)
    code, out, _ = run(capsys, "train", config, "-o", tmp_path / "run", "--seed", 5)
    assert code == 0
    lines = out.splitlines()
    assert lines[0].split()[:2] == ["step", "slots/s"]
    assert [line.split()[0] for line in lines[1:4]] == ["0", "4", "8"]
    assert lines[-1] == str(tmp_path / "run" / "policy.onnx")
    training = Policy.load(lines[-1]).header.training
    assert training["settings"]["seed"] == 5
    assert training["command"] == f"uara train {config} --output {tmp_path / 'run'} --seed 5"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("method = 'q'", "'q' is no trainer; there are: masac"),
        ("method = ", "not valid TOML"),
        ("steps = -1", "$.steps"),
    ],
)
def test_errors_are_one_line(tmp_path, capsys, text, message):
    path = tmp_path / "bad.toml"
    path.write_text(text)
    code, _, err = run(capsys, "train", path, "-o", tmp_path / "run")
    assert code == 2
    assert message in err
    assert "bad.toml" in err
    assert len(err.strip().splitlines()) == 1


def test_without_torch_the_remedy_is_named(tmp_path):
    config = configure(tmp_path)
    script = (
        "import sys\nsys.modules['torch'] = None\nfrom uara.cli import main\n"
        f"main(['train', {str(config)!r}, '-o', {str(tmp_path / 'run')!r}])"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)
    assert done.returncode == 3
    assert done.stderr.strip() == "uara: torch is not installed; install it with: pip install 'uara[learn]'"


def test_a_second_run_needs_resume(tmp_path, capsys):
    config = configure(tmp_path)
    assert run(capsys, "train", config, "-o", tmp_path / "run")[0] == 0
    code, _, err = run(capsys, "train", config, "-o", tmp_path / "run")
    assert code == 2
    assert "resume it" in err
    assert run(capsys, "train", config, "-o", tmp_path / "run", "--resume")[0] == 0
