"""What a run may say to the harness: frames of bounded size, in each one JSON object of a fixed form.

A run's process executes code that nobody has read. Nothing that comes from it is unpickled, looked up or
believed: a message is data of the types below, or it ends the run as an ``error`` that says what is wrong with it.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator, Mapping
from typing import Annotated, Any, Literal

import pydantic_core
from pydantic import AfterValidator, BeforeValidator, Field

from uara.base.errors import InputError, MissingExtra, SolverError, one_line
from uara.base.files import Record, validate
from uara.solver import Ended

MOST_BYTES = 16 * 2**20
"""Longest message of a run. An answer for 5,000 devices takes a quarter of a megabyte."""
MOST_REASON = 2000
"""Characters of a reason that are kept."""
MOST_BOUNDS = 100_000
"""Bounds of one call in a conformance trial."""
_LENGTH = struct.Struct("!I")
_MOST_DETAILS = 200
_MOST_WORD = 100


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


def _printable(text: str) -> str:
    if not text.isprintable():
        raise ValueError("must be printable")
    return text


def _few(most: int) -> BeforeValidator:
    """Refuses long collections before their items are looked at: each wrong one would be an error of its own."""

    def check(value: Any) -> Any:
        if isinstance(value, list | dict) and len(value) > most:
            raise ValueError(f"has {len(value)} entries, more than {most}")
        return value

    return BeforeValidator(check)


Plain = dict[str, Any]
"""What an object says of itself. The problem kind's own records check it before anything is done with it."""
Text = Annotated[str, AfterValidator(tidy)]
"""Words for people: made one printable line of bounded length as they are read."""
Word = Annotated[str, Field(max_length=_MOST_WORD), AfterValidator(_printable)]


class Prepared(Record):
    """The solver is imported and compiled; the instance may come."""


class Report(Record):
    """A better answer, or a better bound, on the way."""

    decision: Plain | None = None
    bound_ms: float | None = None


class Failed(Record):
    """Why a run has no answer."""

    status: Literal["error", "memory", "skipped"]
    reason: Text
    returned: bool = False
    """Whether the solver had returned: then it was not for want of time."""


class RawAnswer(Record):
    """What a run sends back; nothing of it is believed before it is re-computed."""

    decision: Plain
    certificate: Plain | None = None
    claimed_bound_ms: float | None = None
    own_objective_ms: float | None = None
    """Its score inside the run; None where that was not finite."""
    ended: Ended
    details: Annotated[dict[Word, float], _few(_MOST_DETAILS)] = {}


class Introduction(Record):
    """What a solver declares of itself."""

    name: Word
    kind: Word
    warm_start: bool
    summary: Text
    undocumented: Annotated[list[Text], _few(_MOST_DETAILS)]
    """Options without a description."""
    required: Annotated[list[Text], _few(_MOST_DETAILS)] = []
    """Options without a default."""
    reason: Text | None
    """Why it cannot be used here, if so."""
    missing: Annotated[list[str], _few(2)] | None = None
    """Package that is not installed, and the extra that brings it, where that is the reason."""
    options: list[Plain]
    """The option values that it was asked about, defaults included."""
    wrong: Text | None = None
    """What is wrong with the first that it does not take, and where."""
    wrong_path: Text = ""

    def require(self) -> None:
        """Raise the error that says why it cannot be used here, if so."""
        if self.missing is not None and len(self.missing) == 2:
            raise MissingExtra(*self.missing)
        if self.reason is not None:
            raise SolverError(self.name, self.reason)


class Bound(Record):
    """What a certificate proves; None where that is nothing."""

    bound_ms: float | None = None


class Attempt(Record):
    """One call of a solver in a conformance trial."""

    decision: Plain
    """What users get: the best incumbent, where the solver returned something worse."""
    returned: Plain
    """What the solver returned."""
    objective_ms: float | None
    bounds_ms: Annotated[list[float], _few(MOST_BOUNDS)]
    """Every lower bound that it reported, returned or certified."""
    runtime_s: Annotated[float, Field(ge=0)]
    instance_changed: bool
    start_changed: bool


class GivenUp(Record):
    """A call in which the solver said that it has no answer, by an error of uara's own."""

    reason: Text
    after_s: Annotated[float, Field(ge=0)]
    declined: bool
    """Whether it will not have such an instance at all (:class:`uara.InputError`)."""


class Findings(Record):
    """What a conformance trial saw: two calls with one seed, one with a start solution; or the first alone."""

    attempts: Annotated[list[Attempt], _few(3)]
    given_up: GivenUp | None = None


Forms = Mapping[str, type[Record]]
"""Kinds of message that are due, and what each holds."""


def write(kind: str, content: Mapping[str, Any]) -> bytes:
    """A message as it travels.

    Raises
    ------
    InputError
        If it is longer than what is read.
    """
    text = pydantic_core.to_json({**content, "message": kind}, inf_nan_mode="constants")
    if len(text) > MOST_BYTES:
        raise InputError(
            f"takes {len(text)} bytes as JSON, more than the {MOST_BYTES} that are read", source=f"its {kind}"
        )
    return framed(text)


def read(frame: bytes, due: Forms) -> Record:
    """The message that a frame holds.

    Raises
    ------
    InputError
        If it is none of those that are due, and where it is wrong.
    """
    try:
        data = pydantic_core.from_json(frame)
    except (ValueError, RecursionError) as error:
        raise InputError(f"not JSON: {error}") from None
    kind = data.pop("message", None) if isinstance(data, dict) else None
    if not isinstance(kind, str) or kind not in due:
        found = repr(tidy(kind, 40)) if isinstance(kind, str) else "no"
        raise InputError(f"a message of {found} kind when {' or '.join(due)} was due")
    return validate(data, due[kind], path=kind)


def tidy_log(text: str) -> str:
    """Printable lines."""
    lines = text.replace("\t", " ").split("\n")
    return "\n".join("".join(filter(str.isprintable, line)) for line in lines).strip()
