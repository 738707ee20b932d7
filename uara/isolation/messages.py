"""What a process may say to its supervisor: frames of bounded size, in each one JSON object of a fixed form.

A process executes code that nobody has read. Nothing that comes from it is unpickled, looked up or believed: a
message is data of the forms that are due, or it ends the process as an ``error`` that says what is wrong with it.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator, Mapping
from typing import Annotated, Any, Literal

import pydantic_core
from pydantic import AfterValidator, Field

from uara.base.errors import BrokenExtra, ChannelError, InputError, MissingExtra, UaraError, one_line
from uara.base.files import Record, validate

MOST_BYTES = 16 * 2**20
"""Longest message of a process. An answer for 5,000 devices takes a quarter of a megabyte."""
MOST_REASON = 2000
"""Characters of a reason that are kept."""
_LENGTH = struct.Struct("!I")


def framed(content: bytes) -> bytes:
    """A message with its length in front."""
    return _LENGTH.pack(len(content)) + content


class Frames:
    """Takes what arrives in pieces of any size, and gives whole messages."""

    def __init__(self) -> None:
        self._buffer = bytearray()

    def feed(self, data: bytes) -> Iterator[bytes]:
        """The messages that these bytes complete; :class:`InputError` if one announces too much."""
        self._buffer += data
        while (announced := self._announced()) is not None:
            if announced > MOST_BYTES:
                raise InputError(f"a message of {announced} bytes, more than the {MOST_BYTES} that are read")
            end = _LENGTH.size + announced
            if len(self._buffer) < end:
                return
            frame = bytes(self._buffer[_LENGTH.size : end])
            del self._buffer[:end]
            yield frame

    def _announced(self) -> int | None:
        return int(_LENGTH.unpack_from(self._buffer)[0]) if len(self._buffer) >= _LENGTH.size else None

    @property
    def pending(self) -> str:
        """What has come of a message that is not whole, in words; empty if nothing has."""
        if not self._buffer:
            return ""
        announced = self._announced()
        whole = "?" if announced is None else announced + _LENGTH.size
        return f"; of its last message {len(self._buffer)} of {whole} bytes came"


def tidy(text: str, most: int = MOST_REASON) -> str:
    """One printable line of bounded length, whatever somebody put into it."""
    line = one_line(text[: 4 * most])
    return line if len(line) <= most else line[: most - 1] + "…"


Text = Annotated[str, AfterValidator(tidy)]
"""Words for people: made one printable line of bounded length as they are read."""


class Prepared(Record):
    """All is imported and compiled; the content may come."""


class Failed(Record):
    """Why a process has no answer."""

    status: Literal["error", "memory", "skipped"]
    reason: Text
    returned: bool = False
    """Whether the code under trial had returned: then it was not for want of time."""
    error: str = ""
    """Which of uara's own errors it was, and what that was made of."""
    parts: Annotated[list[Text | None], Field(max_length=3)] = []

    def rebuilt(self) -> UaraError | None:
        """The error, where it was one of uara's own."""
        match self.error, self.parts:
            case "InputError", [str(problem), source, path]:
                return InputError(problem, source=source, path=path)
            case "MissingExtra", [str(package), str(extra)]:
                return MissingExtra(package, extra)
            case "BrokenExtra", [str(package), str(extra), str(reason)]:
                return BrokenExtra(package, extra, reason)
            case "ChannelError", [str(problem)]:
                return ChannelError(problem)
        return None


def parts_of(error: BaseException) -> dict[str, Any]:
    """Fields of :class:`Failed` from which an error of uara's own is rebuilt."""
    if type(error) not in (InputError, MissingExtra, BrokenExtra, ChannelError):
        return {}
    parts = [None if each is None else tidy(str(each)) for each in error.__reduce__()[1]]
    return {"error": type(error).__name__, "parts": parts}


def write(kind: str, content: Mapping[str, Any]) -> bytes:
    """A message, without its length; :class:`InputError` if it is longer than what is read."""
    text = pydantic_core.to_json({**content, "message": kind}, inf_nan_mode="constants")
    if len(text) > MOST_BYTES:
        raise InputError(
            f"takes {len(text)} bytes as JSON, more than the {MOST_BYTES} that are read", source=f"its {kind}"
        )
    return text


def read(frame: bytes, due: Mapping[str, type[Record]]) -> tuple[str, Record]:
    """Kind and content of the message that a frame holds; :class:`InputError` if it is none of those that are due."""
    try:
        data = pydantic_core.from_json(frame)
    except (ValueError, RecursionError) as error:
        raise InputError(f"not JSON: {error}") from None
    kind = data.pop("message", None) if isinstance(data, dict) else None
    if not isinstance(kind, str) or kind not in due:
        found = repr(tidy(kind, 40)) if isinstance(kind, str) else "no"
        raise InputError(f"a message of {found} kind when {' or '.join(due)} was due")
    return kind, validate(data, due[kind], path=kind)


def tidy_log(text: str) -> str:
    """Printable lines."""
    lines = text.replace("\t", " ").split("\n")
    return "\n".join("".join(filter(str.isprintable, line)) for line in lines).strip()
