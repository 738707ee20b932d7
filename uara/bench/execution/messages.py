"""The forms of what a run says: its answer, reports on the way, what a solver declares of itself."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import AfterValidator, BeforeValidator, Field

from uara.base.errors import MissingExtra, SolverError
from uara.base.files import Record
from uara.isolation.messages import Text
from uara.solver import Ended

MOST_BOUNDS = 100_000
"""Bounds of one call in a conformance trial."""
_MOST_DETAILS = 200
_MOST_WORD = 100


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
Word = Annotated[str, Field(max_length=_MOST_WORD), AfterValidator(_printable)]


class Report(Record):
    """A better answer, or a better bound, on the way."""

    decision: Plain | None = None
    bound_ms: float | None = None


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
