from __future__ import annotations

import io
import json
import pickle
from dataclasses import dataclass
from multiprocessing import Pipe
from typing import Any

import pytest

from uara.base.errors import InputError, MissingExtra, SolverError
from uara.isolation.line import Line, failure, serve


@dataclass(frozen=True)
class Double:
    factor: int = 2

    def run(self, line: Line) -> dict[str, Any]:
        content = line.content()
        line.send("point", length=len(content))
        return {"doubled": self.factor * content.decode()}


@dataclass(frozen=True)
class Talks:
    text: str

    def run(self, line: Line) -> dict[str, Any]:
        print("so be it", end="")
        return {"length": {"ab": 2}[self.text]}


def said_by(work: Any) -> list[dict[str, Any]]:
    """What a worker says that is given this work and some content."""
    theirs, ours = Pipe()
    with theirs, ours:
        ours.send_bytes(pickle.dumps(work))
        ours.send_bytes(b"ab")
        serve(Line(theirs))
        theirs.close()
        said = []
        while True:
            try:
                said.append(json.loads(ours.recv_bytes()))
            except (EOFError, ConnectionResetError):  # content that it never asked for
                return said


def test_work_is_received_done_and_answered() -> None:
    assert said_by(Double()) == [
        {"message": "prepared"},
        {"message": "point", "length": 2},
        {"message": "answer", "doubled": "abab"},
    ]


def test_work_that_fails_says_so() -> None:
    assert said_by(Double(factor="no number"))[-1]["message"] == "failed"
    (said,) = said_by("no work at all")
    assert said == {
        "message": "failed",
        "status": "error",
        "reason": "AttributeError: 'str' object has no attribute 'run'",
        "returned": False,
    }


@pytest.mark.parametrize("text", ["ab", "no number"])
def test_what_was_printed_is_out_before_the_last_word(text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    out = io.BytesIO()
    monkeypatch.setattr("sys.stdout", io.TextIOWrapper(out))
    seen: list[bytes] = []

    class Told(Line):
        def send(self, kind: str, /, **content: Any) -> None:
            seen.append(out.getvalue())

        def receive(self) -> bytes:
            return pickle.dumps(Talks(text))

    serve(Told(None))  # type: ignore[arg-type]
    assert seen == [b"so be it"]


@pytest.mark.parametrize(
    ("error", "status", "reason"),
    [
        (MemoryError("no room"), "memory", "out of memory: no room"),
        (MissingExtra("x", "scip"), "skipped", "pip install 'uara[scip]'"),
        (InputError("too large", source="i"), "error", "i: too large"),
        (ZeroDivisionError("oh"), "error", "ZeroDivisionError: oh"),
        (KeyboardInterrupt(), "error", "KeyboardInterrupt"),
    ],
)
def test_failures_have_a_status(
    error: BaseException, status: str, reason: str, capsys: pytest.CaptureFixture[str]
) -> None:
    found = failure(error)
    assert found["status"] == status
    assert reason in found["reason"]


def test_memory_that_ran_out_below_a_solver_error_is_seen(capsys: pytest.CaptureFixture[str]) -> None:
    error = SolverError("s", "failed")
    error.__cause__ = MemoryError()
    assert failure(error)["status"] == "memory"
