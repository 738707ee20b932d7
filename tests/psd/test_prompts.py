from __future__ import annotations

from pathlib import Path

import pytest

from uara.base.errors import InputError
from uara.psd.prompts import PACKAGED_TASKS, Prompt, packaged_prompts, read_prompts


def test_packaged_sets_are_whole() -> None:
    sizes = {task: len(list(make())) for task, make in PACKAGED_TASKS.items()}
    assert sizes == {"code": 164, "summary": 300, "chat": 80}


def test_choice_is_even_and_repeats() -> None:
    chosen = packaged_prompts(["code", "chat"], 4)
    assert [each.name for each in chosen[:4]] == [
        "HumanEval/20",
        "HumanEval/61",
        "HumanEval/102",
        "HumanEval/143",
    ]
    assert chosen == packaged_prompts(["code", "chat"], 4)
    assert len({each.sha256 for each in chosen}) == 8
    assert len(packaged_prompts(["chat"], 80)) == 80


@pytest.mark.parametrize(("tasks", "count"), [(["poetry"], 1), (["chat"], 81), (["chat"], 0)])
def test_impossible_choices(tasks: list[str], count: int) -> None:
    with pytest.raises(InputError):
        packaged_prompts(tasks, count)


def test_own_prompts(tmp_path: Path) -> None:
    path = tmp_path / "own.jsonl"
    path.write_text('{"task": "a", "prompt": "hi"}\n\n{"task": "b", "prompt": "ho"}\n')
    assert read_prompts(path) == [Prompt("a", "own.jsonl/1", "hi"), Prompt("b", "own.jsonl/3", "ho")]


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("", "holds no prompts"),
        ("{", "line 1: not JSON"),
        ('{"task": "a", "prompt": "x"}\n[1]', "line 2: must be an object"),
        ('{"task": "a"}', "line 1: must be"),
        ('{"task": "a", "prompt": 3}', "line 1: must be"),
        ('{"task": "a", "prompt": "x", "more": 1}', "line 1: must be"),
        ('{"task": "a", "prompt": " "}', "line 1: the prompt or the task is empty"),
    ],
)
def test_malformed_files(tmp_path: Path, text: str, problem: str) -> None:
    path = tmp_path / "own.jsonl"
    path.write_text(text)
    with pytest.raises(InputError, match=problem):
        read_prompts(path)


def test_files_that_are_no_text(tmp_path: Path) -> None:
    path = tmp_path / "own.jsonl"
    path.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(InputError, match="UTF-8"):
        read_prompts(path)
    with pytest.raises(InputError, match="no such file"):
        read_prompts(tmp_path / "absent.jsonl")
