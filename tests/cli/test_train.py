"""``uara train`` from the command line."""

from __future__ import annotations

import io
import subprocess
import sys

import pytest
from mec.runs import configure
from rich.console import Console
from uara.solvers.masac.policy import Policy

from uara.cli import main
from uara.cli import train as module


def run(capsys, *words):
    code = 0
    try:
        main([str(word) for word in words])
    except SystemExit as stop:
        code = stop.code or 0
    return code, *capsys.readouterr()


@pytest.mark.integration
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
        ("sizes = []", "$.sizes"),
        ("replay_steps = 2", "$.replay_steps"),
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


@pytest.mark.integration
@pytest.mark.parametrize("library", ["torch", "onnx", "safetensors"])
def test_without_a_library_the_remedy_is_named(tmp_path, library):
    config = configure(tmp_path)
    script = (
        f"import sys\nsys.modules[{library!r}] = None\nfrom uara.cli import main\n"
        f"main(['train', {str(config)!r}, '-o', {str(tmp_path / 'run')!r}])"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)
    assert done.returncode == 3
    remedy = f"uara: {library} is not installed; install it with: pip install 'uara[learn]'"
    assert done.stderr.strip() == remedy


def test_an_unknown_device_is_one_line(tmp_path, capsys):
    code, _, err = run(capsys, "train", configure(tmp_path), "-o", tmp_path / "run", "--device", "tpu")
    assert code == 2
    assert err.strip() == "uara: --device: 'tpu' is neither cpu nor cuda"
    assert not (tmp_path / "run").exists()


ROW = {"step": 30.0, "steps": 200.0, "slots_per_s": 12.345, "return": -0.5, "best_gap": 0.02}


def test_a_terminal_shows_where_the_run_stands():
    console = Console(file=io.StringIO(), force_terminal=True, width=100, color_system=None)
    with module.live_line(console) as show:
        show(module.progress_line(ROW))
        show(module.progress_line(ROW | {"step": 31.0, "temperature": 0.01}))
    shown = console.file.getvalue()
    assert "step 30 of 200  slots/s 12.35  return -0.5  best gap 0.02" in shown
    assert "step 31 of 200  slots/s 12.35  return -0.5  temperature 0.01  best gap 0.02" in shown


def test_a_pipe_shows_nothing():
    console = Console(file=io.StringIO())
    with module.live_line(console) as show:
        show(module.progress_line(ROW))
        show("")
    assert console.file.getvalue() == ""


def test_rows_begin_on_an_empty_line_and_stay_on_standard_output(capsys):
    console = Console(file=io.StringIO(), force_terminal=True)
    with module.live_line(console) as show:
        show(module.progress_line(ROW))
        show("")
        assert console.file.getvalue().endswith("\r\x1b[2K"), "the cursor is at the start of an empty line"
        print("a row")
    assert capsys.readouterr().out == "a row\n"
    assert "a row" not in console.file.getvalue()


@pytest.mark.integration
def test_a_second_run_needs_resume(tmp_path, capsys):
    config = configure(tmp_path)
    assert run(capsys, "train", config, "-o", tmp_path / "run")[0] == 0
    code, _, err = run(capsys, "train", config, "-o", tmp_path / "run")
    assert code == 2
    assert "resume it" in err
    assert run(capsys, "train", config, "-o", tmp_path / "run", "--resume")[0] == 0
