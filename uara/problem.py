"""What every problem kind of the toolkit offers, and loading a file of any of them."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path
from typing import Any, Protocol

from uara import files
from uara.errors import InputError

KINDS = {"hetedge": "uara.hetedge.instance:HetEdge", "p1": "uara.instance:Instance"}
"""Kind of problem, as files name it, and the class that holds its instances."""

NO_INSTANCES = {"p1-trace": "this is a trace of moving devices: use 'uara simulate'"}
"""Kinds of file that hold no instance, and what to do with them."""

DEFAULT_SOLVERS = {"p1": "auto", "hetedge": "hetedge-dp"}
"""The solver that each kind is given to where none is named."""


class Score(Protocol):
    """What every evaluation offers, whatever the problem."""

    @property
    def objective_ms(self) -> float:
        """The cost that is minimised."""

    @property
    def controllable_ms(self) -> float:
        """The part of it that decisions touch."""

    @property
    def feasible(self) -> bool:
        """Whether every constraint holds."""

    @property
    def latency_ms(self) -> dict[str, float]:
        """Mean and 95th percentile."""

    @property
    def energy_j(self) -> float:
        """Energy of all devices."""

    def to_plain(self) -> dict[str, Any]:
        """Plain data for JSON."""


class Decision(Protocol):
    """What every answer offers, whatever the problem."""

    def to_plain(self) -> dict[str, Any]:
        """Plain data for JSON."""


class Proof(Protocol):
    """A certificate of a lower bound."""

    def to_plain(self) -> dict[str, Any]:
        """Plain data for JSON."""


class Problem(Protocol):
    """An instance of any kind: immutable data that scores decisions and re-computes bounds."""

    @property
    def name(self) -> str:
        """Name of the instance."""

    @property
    def kind(self) -> str:
        """Problem kind, a key of :data:`KINDS`."""

    @property
    def digest(self) -> str:
        """Hash of its data."""

    def evaluate(self, decision: Any) -> Score:
        """Score a decision."""

    def lower_bound(self, certificate: Any) -> float:
        """The bound on the objective, in ms, that a certificate proves."""

    def parse_decision(self, plain: dict[str, Any]) -> Any:
        """The decision that ``Decision.to_plain`` gave."""

    def parse_certificate(self, plain: dict[str, Any]) -> Any:
        """The certificate that ``Proof.to_plain`` gave."""

    def describe(self) -> list[str]:
        """The instance in words, a line each."""

    def plot(self, path: Path, decision: Any = None) -> None:
        """Draw the instance, with a decision if one is given, into a picture file."""


def load(path: str | Path) -> Any:
    """Load an instance file of any problem kind.

    Raises
    ------
    InputError
        If the file cannot be read, or is of no known kind.
    """
    path = Path(path)
    kind = files.read_plain_json(path).get("kind")
    if not isinstance(kind, str) or kind not in KINDS:
        known = f"must be one of {', '.join(sorted(KINDS))}"
        hint = f"; {NO_INSTANCES[kind]}" if isinstance(kind, str) and kind in NO_INSTANCES else ""
        raise InputError(known + hint, source=str(path), path="$.kind")
    module, name = KINDS[kind].split(":")
    return getattr(import_module(module), name).load(path)
