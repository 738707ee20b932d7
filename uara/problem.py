"""Problem kinds: what the toolkit does with an instance, found by the entry-point group ``uara.problems``.

An instance is data and knows nothing of what is done with it. A :class:`Kind` says how its files are
read, how a decision is scored, how a bound is re-computed, how both are shown, and what benchmarks ask.
Command line, solution files, benchmarks and conformance tests work with any kind that is installed.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from fractions import Fraction
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from uara.base import files
from uara.base.deferred import deferred as deferred
from uara.base.errors import InputError, check_one_of
from uara.base.plugins import offered
from uara.shipped import located

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

GROUP = "uara.problems"

Feature = float | str
Columns = dict[str, list[Any]]
"""A table column by column, units in the names."""


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


class ExactCheck(Protocol):
    """What a check in exact arithmetic found; values in ms, constant part included."""

    @property
    def objective(self) -> Fraction | None:
        """From above; None if a constraint is broken."""

    @property
    def controllable(self) -> Fraction:
        """The part of it that decisions touch."""

    @property
    def bound(self) -> Fraction | None:
        """What the certificate proves, from below; None without one."""

    @property
    def claimed(self) -> Fraction | None:
        """A bound that the file states without proof."""

    @property
    def refusals(self) -> list[str]:
        """Every claim that does not hold."""

    @property
    def seconds(self) -> float:
        """Processor time of the check."""


class Decision(Protocol):
    """What every answer offers, whatever the problem."""

    def to_plain(self) -> dict[str, Any]:
        """Plain data for JSON."""


class Proof(Protocol):
    """A certificate of a lower bound."""

    def to_plain(self) -> dict[str, Any]:
        """Plain data for JSON."""


class Problem(Protocol):
    """An instance of any kind: immutable data."""

    @property
    def name(self) -> str:
        """Name of the instance."""

    @property
    def kind(self) -> str:
        """Name of its problem kind, an entry point of the group :data:`GROUP`."""

    @property
    def digest(self) -> str:
        """Hash of its data."""

    def save(self, path: str | Path) -> None:
        """Write its file."""


def _nothing(*_: Any) -> dict[str, Any]:
    return {}


def _name_alone(instance: Any) -> list[str]:
    return [instance.name]


def _nothing_to_load() -> None:
    pass


def _no_check(instance: Any, start: Any) -> None:
    evaluate(instance, start)


def _scored_again(instance: Any, decision: Any) -> tuple[float, float, list[str]]:
    score = evaluate(instance, decision)
    if score.feasible and math.isfinite(score.objective_ms):
        return score.objective_ms, score.controllable_ms, []
    return math.inf, math.inf, [str(each) for each in getattr(score, "violations", ())] or ["not feasible"]


@dataclass(frozen=True)
class FollowUp:
    """How one kind goes on from the answer of another."""

    kind: str
    """The kind that goes on, whose solvers are used."""
    check: Callable[[Any], object]
    """Refuses, with ``InputError``, an instance from which it cannot go on."""
    run: Callable[..., list[Any]]
    """(instance, decision, solver, options=, seed=, time_limit_s=) -> outcomes, each with ``to_plain``."""
    table: Callable[[list[Any]], Any]
    """The outcomes as a table for people."""


@dataclass(frozen=True, kw_only=True)
class Kind:
    """One problem kind. Optional hooks that are left out switch off what needs them, in words.

    Hooks take the instance first; a decision is what :attr:`parse_decision` returns.
    """

    name: str
    load: Callable[[Path], Problem]
    """Read an instance file; raises ``InputError`` that names file and key path."""
    evaluate: Callable[[Any, Any], Score]
    """Score a decision."""
    parse_decision: Callable[[Any, dict[str, Any]], Decision]
    """The decision that ``Decision.to_plain`` gave."""
    default_solver: str
    """The solver that is used where none is named."""

    parse_certificate: Callable[[dict[str, Any]], Proof] | None = None
    """The certificate that ``Proof.to_plain`` gave."""
    lower_bound: Callable[[Any, Any], float] | None = None
    """The bound on the objective, in ms, that a certificate proves."""
    score_again: Callable[[Any, Any], tuple[float, float, list[str]]] = _scored_again
    """The objective, its controllable part and the broken constraints, by other code than :attr:`evaluate`
    where there is some: what ``uara verify`` believes."""
    check_files: Callable[[Path, Path], ExactCheck] | None = None
    """Check a solution file against an instance file in exact arithmetic, as ``uara verify`` does where it can."""
    check_start: Callable[[Any, Any], None] = _no_check
    """Refuse a start that names what is not there: solvers index by it in compiled code."""
    describe: Callable[[Any], list[str]] = _name_alone
    """The instance in words, a line each."""
    plot: Callable[..., Any] | None = None
    """(instance, path, decision): draw the instance, with a decision if one is given, into a picture file. Where the
    path is None, into a figure of pyplot, or into the axes ``ax``; the axes are returned."""
    tables: Callable[[Any, Any, Any], dict[str, Columns]] | None = None
    """An answer as tables, by their names, from instance, decision and certificate (or None): the first has a row for
    each whom the decision is about."""
    file_columns: Callable[[], Sequence[str]] = tuple
    """Columns of the first table, by which a file of it is known."""
    explain: Callable[..., Any] | None = None
    """(results, best known objective) -> a table that splits each gap."""
    best_known: Callable[[Any, Path], Any] | None = None
    """The entry of the best-known table beside an instance file, or None."""
    schemas: Mapping[str, Callable[[], dict[str, Any]]] = field(default_factory=dict)
    """JSON Schemas of its files, by the name that ``uara schema`` knows them by."""
    other_files: Mapping[str, str] = field(default_factory=dict)
    """Kinds of file that hold no instance, and what to do with them."""
    follow_ups: Mapping[str, FollowUp] = field(default_factory=dict)
    """Kinds whose answers it can go on from (``uara solve --then``), and how."""

    warm_up: Callable[[], None] = _nothing_to_load
    """Load what scoring and most solvers use."""
    generate: Callable[..., Problem] | None = None
    """Draw an instance from the fields of a recipe and a ``name``."""
    subset: Callable[..., Problem] | None = None
    """A smaller instance of the sizes that are given by name, cut from an instance."""
    features: Callable[[Any], dict[str, Feature]] = _nothing
    """What tells instances apart: sizes, weights; columns ``feature_*``."""
    measures: Callable[[Any, Any, Any], dict[str, float]] = _nothing
    """Further numbers of an answer, from instance, decision and score; columns ``measure_*``.
    ``optimal_shares_ms``, the objective with the same discrete choices and the best shares, splits the gap."""
    pictures: Callable[[Any], Mapping[str, Callable[[Any, Any], Figure]]] | None = None
    """Which pictures of its answers there are, by their titles: functions of instance and decision that draw one with
    Matplotlib. What :attr:`plot` draws where left out."""
    trials: Callable[[], Sequence[Any]] = tuple
    """Small instances, of every regime, that a solver of this kind must master."""
    optimum: Callable[[Any], Any] | None = None
    """The best decision of a trial, by enumeration; None where that cannot be done."""
    large: Callable[[], Problem] | None = None
    """An instance that keeps a solver busy, for its time limit."""


@cache
def kind_names() -> tuple[str, ...]:
    """Names of the installed kinds."""
    return tuple(offered(GROUP))


@cache
def kind_of(name: str) -> Kind:
    """The problem kind of a name.

    Raises
    ------
    InputError
        If none of this name is installed, or it cannot be loaded.
    """
    check_one_of(name, kind_names(), "problem kind")
    point = offered(GROUP)[name]
    try:
        found = point.load()
    except Exception as error:  # a third party's
        reason = f"cannot be loaded: {type(error).__name__}: {error}"
        raise InputError(reason, source=f"problem kind {name}") from error
    if not isinstance(found, Kind) or found.name != name:
        raise InputError(f"{point.value} is not the Kind of this name", source=f"problem kind {name}")
    return found


def follow_up_of(name: str) -> FollowUp:
    """How the answers of a kind can be gone on from, by any installed kind.

    Raises
    ------
    InputError
        If no kind goes on from them.
    """
    found = [kind_of(each).follow_ups[name] for each in kind_names() if name in kind_of(each).follow_ups]
    if not found:
        raise InputError(f"no installed kind goes on from answers of kind {name}", source="problem kind")
    return found[0]


def load(path: str | Path) -> Any:
    """Load an instance file of any problem kind, or a shipped instance by its name, such as ``e8_m90``.

    Raises
    ------
    InputError
        If there is no such file or name, the file cannot be read, or is of no known kind.
    """
    path = located(path)
    kind = files.read_plain_json(path).get("kind")
    if isinstance(kind, str) and kind in kind_names():
        return kind_of(kind).load(path)
    hints = [kind_of(name).other_files.get(kind) for name in kind_names()] if isinstance(kind, str) else []
    hint = "".join(f"; {each}" for each in hints if each)
    raise InputError(f"must be one of {', '.join(kind_names())}{hint}", source=str(path), path="$.kind")


def warm_up_all() -> None:
    """Load what scoring needs, for every installed kind; what is missing is asked for again where it is needed."""
    for name in kind_names():
        with suppress(Exception):
            kind_of(name).warm_up()


def evaluate(instance: Problem, decision: Any) -> Any:
    """Score a decision: objective, latency, energy, feasibility (for P1: :class:`uara.Evaluation`).

    Raises
    ------
    InputError
        If the decision is for another instance.
    """
    return kind_of(instance.kind).evaluate(instance, decision)


def lower_bound(instance: Problem, certificate: Any) -> float:
    """The lower bound on the objective, in ms, that a certificate of any kind proves.

    Raises
    ------
    InputError
        If the certificate is for another instance, or instances of this kind have none.
    """
    bound = kind_of(instance.kind).lower_bound
    if bound is None:
        raise InputError(f"problems of kind {instance.kind} have no certificates", source=instance.name)
    return bound(instance, certificate)


def parse_decision(instance: Problem, plain: dict[str, Any]) -> Any:
    """A decision from the plain data of a solution file; raises ``InputError`` if it is something else."""
    return kind_of(instance.kind).parse_decision(instance, plain)


def parse_certificate(instance: Problem, plain: dict[str, Any]) -> Any:
    """A certificate from the plain data of a solution file; raises ``InputError`` if it is something else."""
    parse = kind_of(instance.kind).parse_certificate
    if parse is None:
        raise InputError(f"problems of kind {instance.kind} have no certificates", path="$.certificate")
    return parse(plain)


def plot(
    instance: Problem, path: str | Path | None = None, decision: Any = None, *, ax: Axes | None = None
) -> Any:
    """Draw an instance, with a decision if one is given.

    Parameters
    ----------
    path
        A .png, .svg or .pdf file. Without one a notebook shows the picture.
    ax
        Axes of Matplotlib to draw the main panel into.

    Returns
    -------
    Axes
        Of the main panel.

    Raises
    ------
    InputError
        If instances of this kind cannot be drawn, or this one holds no positions.
    MissingExtra
        If matplotlib is not installed.
    """
    draw = kind_of(instance.kind).plot
    if draw is None:
        raise InputError(f"instances of kind {instance.kind} cannot be drawn", source=instance.name)
    return draw(
        instance, None if path is None else Path(path), decision, **({} if ax is None else {"ax": ax})
    )


def describe(instance: Problem) -> list[str]:
    """An instance in words, a line each."""
    return kind_of(instance.kind).describe(instance)
