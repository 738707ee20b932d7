"""Ctrl-C and failing devices: one line and an exit code, and nothing that was found is lost."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import uara.cli as cli
from uara.solution import load

ENDED = (130, "uara: interrupted\n")


def interrupted(script: str, *words: object) -> tuple[int, str, str]:
    """Run a script, send it Ctrl-C when it prints its mark, and return its exit code and what it printed besides."""
    with subprocess.Popen(
        [sys.executable, "-c", script, *map(str, words)], stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as process:
        assert process.stdout is not None
        while os.read(process.stdout.fileno(), 1) not in (b"\x01", b""):
            pass
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=120)
    return process.returncode, out.decode(), err.decode()


WAIT = "import os, time; os.write(1, b'\\x01'); time.sleep(60)"
AT = {
    "while the application is imported": (
        "import builtins; from uara.cli import main; real = builtins.__import__\n"
        "def slow(name, *rest, **more):\n"
        "    if name == 'typer': exec(WAIT)\n"
        "    return real(name, *rest, **more)\n"
        "builtins.__import__ = slow; main()\n"
    ),
    "where exceptions are dropped": (
        "from uara.cli import main; import uara.problem\n"
        "class Dropping:\n"
        "    def __del__(self): exec(WAIT)\n"
        "def load(path):\n"
        "    thing = Dropping(); del thing; import time; time.sleep(60)\n"
        "uara.problem.load = load; main()\n"
    ),
    "turned into another error": (
        "from uara.cli import main; import uara.problem\n"
        "def load(path):\n"
        "    try: exec(WAIT)\n"
        "    except KeyboardInterrupt: raise SystemError('returned a result with an exception set') from None\n"
        "uara.problem.load = load; main()\n"
    ),
    "in the command": (
        "from uara.cli import main; import uara.problem\n"
        "uara.problem.load = lambda path: exec(WAIT)\nmain()\n"
    ),
    "when the command is done": (
        "import atexit; from uara.cli import main\natexit.register(lambda: exec(WAIT))\n"
        "try: main()\nexcept SystemExit: pass\n"
    ),
}


@pytest.mark.integration
@pytest.mark.parametrize("moment", AT)
def test_ctrl_c_is_one_line(moment: str, instance_file: Path) -> None:
    words = ["--version"] if moment == "when the command is done" else ["solve", instance_file]
    code, _, err = interrupted(f"WAIT = {WAIT!r}\n{AT[moment]}", *words)
    assert (code, err) == ENDED


PATIENT = """
import os, sys, time, uara, uara.registry as registry
from uara.cli import main
def patient(instance, context):
    '''Waits without an answer.'''
    os.write(1, b'\\x01')
    time.sleep(60)
registry.available_solvers()['patient'] = registry.method_of(patient)
main()
"""


@pytest.mark.integration
@pytest.mark.parametrize("machine", [True, False])
def test_answers_that_were_found_before_are_saved_and_printed(
    tmp_path: Path, instance_file: Path, machine: bool
) -> None:
    path = tmp_path / "s.json"
    words = [
        "solve",
        instance_file,
        "--solver",
        "tma",
        "--solver",
        "patient",
        "--solver",
        "greedy",
        "--output",
        path,
    ]
    code, out, err = interrupted(PATIENT, *words, *(["--json"] if machine else []))
    assert (code, err) == ENDED
    assert load(path).solver == "tma"
    assert "tma" in out
    assert "greedy" not in out


@pytest.mark.slow
def test_at_no_moment_there_is_a_traceback(tmp_path: Path, instance_file: Path) -> None:
    """Ctrl-C at random moments of a whole run, from the first line of ``main`` to the last of the process."""
    script = "import os; from uara.cli import main; os.write(1, b'.'); main()"
    words = ["solve", str(instance_file), "--solver", "tma", "--solver", "exact"]
    begin = time.perf_counter()
    subprocess.run([sys.executable, "-c", script, *words], capture_output=True, timeout=120, check=True)
    whole_s = time.perf_counter() - begin
    moments = random.Random(1)
    for _ in range(60):
        with subprocess.Popen(
            [sys.executable, "-c", script, *words], stdout=subprocess.PIPE, stderr=subprocess.PIPE
        ) as process:
            assert process.stdout is not None
            os.read(process.stdout.fileno(), 1)
            time.sleep(moments.uniform(0, whole_s))
            process.send_signal(signal.SIGINT)
            _, err = process.communicate(timeout=120)
        assert (process.returncode, err.decode()) in (ENDED, (0, ""))


@pytest.mark.parametrize(("times", "reached"), [(1, True), (2, False)])
def test_the_first_ctrl_c_waits_and_the_second_does_not(times: int, reached: bool) -> None:
    done: list[str] = []

    def save() -> None:
        with cli.postponed():
            for _ in range(times):
                signal.raise_signal(signal.SIGINT)
            done.append("saved")

    with pytest.raises(KeyboardInterrupt):
        save()
    assert bool(done) == reached
    cli.answered()


def test_the_callers_handler_comes_back(uara: Callable[..., Any]) -> None:
    before, hook = signal.getsignal(signal.SIGINT), sys.unraisablehook
    assert uara("--version").code == 0
    assert (signal.getsignal(signal.SIGINT), sys.unraisablehook) == (before, hook)


# Devices and folders


def shell(line: str, **settings: Any) -> subprocess.CompletedProcess[str]:
    path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    return subprocess.run(
        ["bash", "-c", line],
        env={**os.environ, "PATH": path},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
        **settings,
    )


@pytest.mark.integration
def test_a_full_device_is_one_line_and_the_answer_is_saved(tmp_path: Path, instance_file: Path) -> None:
    run = shell(f"uara solve {instance_file} --solver tma --json --output a.json >/dev/full", cwd=tmp_path)
    assert (run.returncode, run.stderr) == (1, "uara: No space left on device\n")
    assert load(tmp_path / "a.json").solver == "tma"


@pytest.mark.integration
def test_a_reader_that_is_gone_loses_nothing(tmp_path: Path, instance_file: Path) -> None:
    run = shell(f"uara solve {instance_file} --solver tma --output a.json | true", cwd=tmp_path)
    assert run.stderr == ""
    assert load(tmp_path / "a.json").solver == "tma"


@pytest.mark.integration
def test_a_working_folder_that_is_gone_is_one_line(tmp_path: Path, instance_file: Path) -> None:
    gone = f"mkdir {tmp_path}/gone && cd {tmp_path}/gone && rmdir {tmp_path}/gone"
    run = shell(f"{gone}; uara solve {instance_file} --solver tma --output a.json")
    assert run.returncode == 2
    assert run.stderr == "uara: a.json: cannot be written: No such file or directory\n"
