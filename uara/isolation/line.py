"""What happens inside a worker: receive the work, do it, send the answer or the reason why there is none."""

from __future__ import annotations

import pickle
import sys
import threading
import traceback
from contextlib import suppress
from multiprocessing.connection import Connection
from typing import Any, Protocol

from uara.base.errors import InputError, MissingExtra, SolverError
from uara.isolation import messages


class Line:
    """The worker's end of its channel: the supervisor sends what is trusted, and reads :mod:`messages` alone."""

    def __init__(self, channel: Connection) -> None:
        self._channel = channel
        self._writing = threading.Lock()
        self.returned = False

    def send(self, kind: str, /, **content: Any) -> None:
        """Say something; from any thread."""
        message = messages.write(kind, content)
        with self._writing:
            self._channel.send_bytes(message)

    def receive(self) -> bytes:
        """What the supervisor sends next."""
        return self._channel.recv_bytes()

    def content(self) -> bytes:
        """Say that all is prepared, and receive what the work is done on: the clock runs from now on."""
        self.send("prepared")
        return self.receive()


class Work(Protocol):
    """What a worker can be given to do."""

    def run(self, line: Line) -> dict[str, Any]:
        """Prepare, ask for the content, and do it; the result is the fields of the answer."""


def serve(line: Line) -> None:
    """Receive the work, send messages as it goes on, and its answer."""
    try:
        work: Work = pickle.loads(line.receive())
        answer = work.run(line)
        flush()
        line.send("answer", **answer)
    except BaseException as error:
        reason = failure(error)
        flush()
        line.send("failed", **reason, returned=line.returned)


def flush() -> None:
    """Have all that was printed go out: who has the last message does not wait for more."""
    for stream in (sys.stdout, sys.stderr):
        with suppress(Exception):  # it may be the plug-in's
            stream.flush()


def failure(error: BaseException) -> dict[str, Any]:
    """What is said of work that ended with an error."""
    causes: list[BaseException] = [error]
    while (cause := causes[-1].__cause__) is not None and all(cause is not each for each in causes):
        causes.append(cause)
    with suppress(Exception):  # its text is the plug-in's
        traceback.print_exception(error)
    if any(isinstance(cause, MemoryError) for cause in causes):
        return {"status": "memory", "reason": messages.tidy(f"out of memory: {causes[-1]}".rstrip(": "))}
    text = str(error) or type(error).__name__
    if not isinstance(error, InputError | MissingExtra | SolverError):
        text = f"{type(error).__name__}: {text}"
    status = "skipped" if isinstance(error, MissingExtra) else "error"
    return {"status": status, "reason": messages.tidy(text), **messages.parts_of(error)}
