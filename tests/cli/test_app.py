from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable
from itertools import islice
from pathlib import Path
from typing import Any

import malformed
import pytest

import uara as package
from uara.cli.app import COMMANDS, build

UARA = [sys.executable, "-c", "from uara.cli import main; main()"]


def shell(*words: object, **settings: Any) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*UARA, *map(str, words)], capture_output=True, text=True, timeout=120, check=False, **settings
    )


def is_one_line(text: str) -> bool:
    return (
        text.startswith("uara: ")
        and text.endswith("\n")
        and text.count("\n") == 1
        and text[:-1].isprintable()
    )


# Help and version


def test_help_names_every_command(uara: Callable[..., Any]) -> None:
    for words in (["--help"], ["-h"]):
        outcome = uara(*words)
        assert outcome.code == 0
        assert all(name in outcome.out for name in COMMANDS)


def test_without_words_the_help_is_shown(uara: Callable[..., Any]) -> None:
    outcome = uara()
    assert "solve" in outcome.out + outcome.err


def test_the_version_is_the_packages(uara: Callable[..., Any]) -> None:
    assert uara("--version").out == package.__version__ + "\n"


@pytest.mark.parametrize("name", sorted(COMMANDS))
def test_every_command_has_help(uara: Callable[..., Any], name: str) -> None:
    outcome = uara(name, "--help")
    assert outcome.code == 0, outcome.err
    assert "Usage: uara " + name in outcome.out


def test_only_the_chosen_commands_module_is_loaded() -> None:
    run = subprocess.run(
        [sys.executable, "-c", "import sys; from uara.cli.app import build; build('schema');"
         "print(sorted(name for name in sys.modules if name.startswith('uara.cli.')))"],
        capture_output=True, text=True, timeout=60, check=True,
    )  # fmt: skip
    assert run.stdout.strip() == "['uara.cli.app', 'uara.cli.output', 'uara.cli.schema']"


def test_the_application_can_be_built_for_every_command() -> None:
    for name in [None, *COMMANDS, "nonsense"]:
        assert len(build(name).registered_commands) + len(build(name).registered_groups) == len(COMMANDS)


@pytest.mark.parametrize("words", [["nonsense"], ["solve"], ["solve", "a", "--colour"], ["--colour"]])
def test_wrong_words_end_with_2_and_no_traceback(uara: Callable[..., Any], words: list[str]) -> None:
    outcome = uara(*words)
    assert outcome.code == 2
    assert "Traceback" not in outcome.err


# Malformed files


@pytest.mark.integration
def test_malformed_files_end_with_2_and_one_line(uara: Callable[..., Any], tmp_path: Path) -> None:
    path, tried = tmp_path / "case.json", 0
    commands = (["solve"], ["show"], ["solve", "--json"], ["show", "--json"])
    for number, fault in enumerate(islice(malformed.faults(), 0, None, 23)):
        path.write_bytes(fault.content)
        command, *options = commands[number % len(commands)]
        outcome = uara(command, path, *options)
        assert outcome.code == 2, fault.label
        assert outcome.out == "", fault.label
        assert is_one_line(outcome.err), fault.label
        assert outcome.err.startswith(f"uara: {path}: "), fault.label
        tried += 1
    assert tried > 150


@pytest.mark.integration
@pytest.mark.parametrize(
    "label",
    ["$.devices has 'x\\ny'", "nested 1000000 deep", "cut after 1 bytes", "$.devices.tx_power_w[0] = NaN"],
)
def test_malformed_files_in_a_process_of_their_own(tmp_path: Path, label: str) -> None:
    fault = next(fault for fault in malformed.faults() if fault.label == label)
    (tmp_path / "case.json").write_bytes(fault.content)
    run = shell("solve", tmp_path / "case.json")
    assert run.returncode == 2
    assert run.stdout == ""
    assert is_one_line(run.stderr)
    assert "Traceback" not in run.stderr


@pytest.mark.parametrize("label", ["objects", "petabytes", "another hash", "named ../case.npz"])
def test_malformed_side_files_end_with_2_and_one_line(
    uara: Callable[..., Any], tmp_path: Path, label: str
) -> None:
    fault = next(fault for fault in malformed.side_faults() if fault.label == label)
    outcome = uara("solve", malformed.write(fault, tmp_path))
    assert outcome.code == 2
    assert is_one_line(outcome.err)


def test_names_of_files_cannot_break_the_line(uara: Callable[..., Any], tmp_path: Path) -> None:
    outcome = uara("show", tmp_path / "new\nline\x1b[31m.json")
    assert outcome.code == 2
    assert is_one_line(outcome.err)


def test_every_input_file_of_every_command_is_checked(
    uara: Callable[..., Any], tmp_path: Path, instance_file: Path
) -> None:
    empty = tmp_path / "empty.json"
    empty.write_bytes(b"")
    for words in (
        ["solve", empty],
        ["solve", instance_file, "--start", empty],
        ["evaluate", empty, empty],
        ["evaluate", instance_file, empty],
        ["show", empty],
        ["show", instance_file, "--plot", tmp_path / "a.png", "--solution", empty],
    ):
        outcome = uara(*words)
        assert (outcome.code, is_one_line(outcome.err)) == (2, True), words
        assert f"{empty}: $: not valid JSON" in outcome.err


# Ctrl-C


@pytest.mark.integration
def test_ctrl_c_prints_the_incumbent(tmp_path: Path, instance_file: Path) -> None:
    script = (
        "import time, uara, uara.registry as registry\n"
        "from uara.cli import main\n"
        "def patient(instance, context):\n"
        "    '''Waits.'''\n"
        "    channel = instance.channel\n"
        "    context.incumbent(uara.allocate(instance, channel.pair_server[channel.pair_start[:-1]]))\n"
        "    print('waiting', flush=True)\n"
        "    time.sleep(600)\n"
        "registry.available_solvers()['patient'] = registry.method_of(patient)\n"
        f"words = ['solve', {str(instance_file)!r}, '--output', {str(tmp_path / 's.json')!r}]\n"
        "main([*words, '--solver', 'patient', '--solver', 'tma'])\n"
    )
    with subprocess.Popen(
        [sys.executable, "-c", script], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "waiting\n"
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=120)
    assert process.returncode == 0, err
    assert "interrupted" in out
    assert "patient" in out
    assert (tmp_path / "s.json").exists()


def test_ctrl_c_without_an_answer_ends_with_130(tmp_path: Path, instance_file: Path) -> None:
    script = (
        "import time, uara.registry as registry\n"
        "from uara.cli import main\n"
        "def patient(instance, context):\n"
        "    print('waiting', flush=True)\n"
        "    time.sleep(60)\n"
        "registry.available_solvers()['patient'] = registry.method_of(patient)\n"
        f"main(['solve', {str(instance_file)!r}, '--solver', 'patient'])\n"
    )
    with subprocess.Popen(
        [sys.executable, "-c", script], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "waiting\n"
        process.send_signal(signal.SIGINT)
        _, err = process.communicate(timeout=60)
    assert process.returncode == 130
    assert "Traceback" not in err


def test_a_closed_pipe_is_no_traceback(instance_file: Path) -> None:
    command = " ".join(f"'{word}'" for word in [*UARA, "solvers"])
    run = subprocess.run(
        ["bash", "-c", f"{command} | head -c 1"], capture_output=True, text=True, timeout=60, check=False
    )
    assert "Traceback" not in run.stderr


def test_the_command_is_installed(instance_file: Path) -> None:
    script = Path(sys.executable).parent / "uara"
    assert os.access(script, os.X_OK)
    run = subprocess.run([script, "--version"], capture_output=True, text=True, timeout=60, check=True)
    assert run.stdout.strip() == package.__version__
