from __future__ import annotations

import math
import os
import signal
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import cloudpickle
import numpy as np
import pytest

from uara.base.errors import InputError
from uara.base.files import Record
from uara.isolation.supervise import Allowance, Assignment, Outcome, died, supervise

from .test_process import HOME

WIDE = Allowance(600.0, math.inf)
BRIEF = Allowance(0.2, math.inf, grace_s=0.3)


class Text(Record):
    """What the work of these tests says."""

    text: str


@dataclass(frozen=True)
class Does:
    """Work that is a function of its line and its content."""

    what: Callable[[Any, bytes], str]
    before: Callable[[], Any] = int

    def run(self, line: Any) -> dict[str, Any]:
        self.before()
        return {"text": self.what(line, line.content())}


def outcome(work: Does, allowance: Allowance = WIDE, content: bytes = b"", **more: Any) -> Outcome:
    cloudpickle.register_pickle_by_value(sys.modules[__name__])
    point = Text if "hear" in more else None
    return supervise(Assignment(HOME, cloudpickle.dumps(work), Text, content, point), allowance, **more)


def test_an_answer_comes_with_its_times_memory_and_what_was_printed() -> None:
    def answer(line: Any, content: bytes) -> str:
        print("thinking")
        time.sleep(0.2)
        return str(len(content))

    found = outcome(Does(answer, lambda: time.sleep(0.1)), content=bytes(5_000_000))
    assert (found.status, found.answer) == ("ok", Text(text="5000000"))
    assert found.setup_s is not None
    assert found.ran_s is not None
    assert found.setup_s >= 0.1
    assert 0.2 <= found.ran_s <= found.wall_s - found.setup_s
    assert found.peak_memory_mb > 5
    assert found.threads_seen >= 1
    assert found.log == "thinking"


@pytest.mark.integration
@pytest.mark.parametrize(
    ("work", "allowance", "status", "reason"),
    [
        (Does(lambda *_: time.sleep(600) or ""), BRIEF, "timeout", "still ran 0.52 s after it was given 0.2 s"),
        (Does(lambda *_: "", lambda: time.sleep(600)), Allowance(9, 1e9, setup_limit_s=0.3), "timeout", "imports"),
        (Does(lambda *_: str(np.ones(10**9).sum())), Allowance(600, 900.0), "memory", "more than 900 MB"),
        (Does(lambda *_: str(np.ones(1 << 50))), WIDE, "memory", "out of memory"),
        (Does(lambda *_: os._exit(3)), WIDE, "error", "exit code 3"),
        (Does(lambda *_: os.kill(os.getpid(), signal.SIGSEGV) or ""), WIDE, "error", "SIGSEGV"),
        (Does(lambda *_: 1 / 0 and ""), WIDE, "error", "ZeroDivisionError"),
        (Does(lambda *_: 7), WIDE, "error", "answer.text: Input should be a valid string"),  # type: ignore[arg-type, return-value]
        (Does(lambda line, _: line.send("point", text="x") or ""), WIDE, "error", "a message of 'point' kind"),
    ],
)  # fmt: skip
def test_how_work_ends_is_said(work: Does, allowance: Allowance, status: str, reason: str) -> None:
    found = outcome(work, allowance)
    assert (found.status, reason in found.reason) == (status, True), found.reason
    assert found.answer is None


def test_what_is_reported_on_the_way_is_heard_in_order() -> None:
    def count(line: Any, content: bytes) -> str:
        for number in range(3):
            line.send("point", text=str(number))
        return "done"

    heard: list[tuple[float, str]] = []
    found = outcome(Does(count), hear=lambda at_s, said: heard.append((at_s, said.text)))
    assert found.status == "ok"
    assert [text for _, text in heard] == ["0", "1", "2"]
    assert sorted(heard) == heard


def test_a_report_that_cannot_be_used_ends_the_worker() -> None:
    def hear(at_s: float, said: Text) -> None:
        raise ValueError("no use")

    found = outcome(Does(lambda line, _: line.send("point", text="x") or time.sleep(600) or ""), hear=hear)
    assert (found.status, "ValueError: no use" in found.reason) == ("error", True)


def test_an_error_of_our_own_comes_whole() -> None:
    def refuse(line: Any, content: bytes) -> str:
        raise InputError("too small", path="$.box")

    found = outcome(Does(refuse))
    assert isinstance(found.error, InputError)
    assert (found.error.problem, found.error.source, found.error.path) == ("too small", None, "$.box")


@pytest.mark.parametrize(
    ("code", "words"),
    [
        (None, "watches it"),
        (0, "exit code 0"),
        (-9, "SIGKILL, perhaps"),
        (-11, "SIGSEGV"),
        (-200, "signal 200"),
    ],
)
def test_deaths_have_names(code: int | None, words: str) -> None:
    assert words in died(code)
