"""Suites: which solvers run on which instances, with which seeds and limits (a TOML file)."""

from __future__ import annotations

import itertools
import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import ConfigDict, Field, PrivateAttr

from uara.base import files
from uara.base.errors import InputError, in_file
from uara.base.files import Record
from uara.base.quantities import Name, NonNegative, Positive

Count = Annotated[int, Field(ge=1, le=1_000_000)]
Seed = Annotated[int, Field(ge=0, le=2**63 - 1)]
MOST_RUNS = 1_000_000
"""Runs of a suite, as far as its numbers tell before globs leave some out."""


class Limits(Record):
    """What a run may use; an entry of a suite may give its own."""

    time_limit_s: Positive | None = None
    """Wall time that the solver is given; a run that passes it by a tenth and ``grace_s`` is ended."""
    memory_limit_mb: Positive | None = None
    """Most resident memory of a run's processes together; a run that passes it is ended."""
    threads: Count | None = None
    """Threads that numerical libraries are pinned to."""


class Instances(Record):
    """Instances: files by a glob, or drawn from a recipe; and what is varied on them."""

    files: str | None = None
    """Glob of instance files, relative to the suite's folder."""
    generate: dict[str, Any] | None = None
    """Fields of a recipe; a list stands for each of its values in turn."""
    kind: str = "p1"
    """Problem kind of what is generated."""
    subsets: dict[str, Any] = {}
    """Sizes of smaller instances that are cut from each one, as the kind knows them: ``servers`` and ``devices``
    for P1; a list stands for each of its values in turn."""
    parameters: dict[str, Any] = {}
    """Constants of the instance that are changed; a list stands for each of its values in turn."""
    groups: list[Name] = []
    """Names under which figures and claims pick these instances."""


class Skip(Record):
    """Runs that are left out on purpose."""

    instances: str
    """Glob of instance names."""
    reason: Annotated[str, Field(min_length=1)]
    """Why: it is shown in every table."""


class Solver(Limits):
    """A solver with its options; a list in ``options`` stands for each of its values in turn."""

    solver: Annotated[str, Field(min_length=1)]
    """Name of an installed solver, or ``package.module:function``."""
    label: Name | None = None
    """Name in tables; the solver's name and the given options where left out."""
    options: dict[str, Any] = {}
    seeds: Annotated[list[Seed], Field(min_length=1)] | None = None
    """Seeds that differ from the suite's: one is enough for a solver that draws nothing."""
    repetitions: Count | None = None
    """Repetitions that differ from the suite's."""
    instances: str = "*"
    """Glob of the names of the instances it runs on."""
    skip: list[Skip] = []
    training_s: Positive | None = None
    """For a learned solver: what its training took."""


class Figure(Record):
    """A picture of the report: a measured column against a feature of the instances, a line a solver."""

    title: Name
    group: Name
    """Group of instances that it shows."""
    x: Name
    """Column on the horizontal axis, such as ``feature_devices``."""
    y: Name
    """Column on the vertical axis, such as ``latency_mean_ms``."""
    solvers: list[Name] = []
    """Labels of the lines; all where left out."""
    kind: Literal["lines", "pareto"] = "lines"
    """``pareto`` joins the points of a solver in the order of ``along``, and marks those nobody dominates."""
    along: Name | None = None
    """Column that orders the points of a Pareto picture, such as ``feature_energy_weight_ms_per_j``."""
    growth: bool = False
    """Whether the report says to which power of ``x`` each line grows; for lines alone."""
    claim: str = ""
    """What the paper says about it, in our words."""


class Claim(Record):
    """A published reduction, set beside the one that is measured."""

    text: Annotated[str, Field(min_length=1)]
    source: str
    solver: Name
    """Label of the solver that should be lower."""
    against: Annotated[list[Name], Field(min_length=1)]
    """Labels it is compared with; the best of them at each instance is the bar."""
    groups: Annotated[list[Name], Field(min_length=1)]
    measure: Name = "latency_mean_ms"
    mean_reduction: Annotated[float, Field(ge=-1, le=1)] | None = None
    """Published mean reduction, as a fraction."""
    largest_reduction: Annotated[float, Field(ge=-1, le=1)] | None = None
    """Published largest reduction, as a fraction."""


class Suite(Limits):
    """Solvers x instances x seeds x repetitions, and the limits of each run."""

    name: Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$")]
    description: str = ""
    time_limit_s: Positive = 60.0
    memory_limit_mb: Positive = 4000.0
    threads: Count = 1
    setup_limit_s: Positive = 300.0
    """Most time for a solver's imports and compilation."""
    grace_s: NonNegative = 2.0
    """How long past its time limit, and a tenth of it, a run is waited for."""
    seeds: Annotated[list[Seed], Field(min_length=1)] = [0]
    repetitions: Count = 1
    """How often each run is repeated with the same seed: what timing noise is estimated from."""
    picture_instance: Name | None = None
    """Instance of the picture of time against gap; the one that most solvers ran on where left out."""
    instances: Annotated[list[Instances], Field(min_length=1)]
    solvers: Annotated[list[Solver], Field(min_length=1)]
    figures: list[Figure] = []
    claims: list[Claim] = []
    _source: str | None = PrivateAttr(None)

    @property
    def source(self) -> str | None:
        """The file that it was read from, for errors that are found later."""
        return self._source

    @classmethod
    def load(cls, path: str | Path) -> Suite:
        """Read a suite file; :class:`InputError` names the file and the key path."""
        path = Path(path)
        with in_file(path):
            suite = files.validate(files.read_toml(path), cls)
            suite.check()
        suite._source = str(path)
        return suite

    def check(self) -> None:
        """What a schema cannot say; :class:`InputError` otherwise."""
        self.check_size([1] * len(self.instances))
        for number, entry in enumerate(self.instances):
            if (entry.files is None) == (entry.generate is None):
                raise InputError("needs one of files and generate", path=f"$.instances[{number}]")
            refuse_empty(entry.generate or {}, f"$.instances[{number}].generate")
            refuse_empty(entry.subsets, f"$.instances[{number}].subsets")
            refuse_empty(entry.parameters, f"$.instances[{number}].parameters")
        for number, choice in enumerate(self.solvers):
            refuse_empty(choice.options, f"$.solvers[{number}].options")
        known = {group for entry in self.instances for group in entry.groups}
        asked = [(f"$.figures[{n}].group", [figure.group]) for n, figure in enumerate(self.figures)]
        asked += [(f"$.claims[{n}].groups", claim.groups) for n, claim in enumerate(self.claims)]
        for place, groups in asked:
            if unknown := set(groups) - known:
                raise InputError(f"no instances are in group {sorted(unknown)[0]!r}", path=place)

    def check_size(self, files: Sequence[int]) -> None:
        """:class:`InputError` if there are too many runs, by the number of files that each entry of instances has."""
        cases = sum(
            found * grid_size(entry.generate or {}) * grid_size(entry.subsets) * grid_size(entry.parameters)
            for found, entry in zip(files, self.instances, strict=True)
        )
        refuse_many(
            cases
            * sum(
                grid_size(entry.options)
                * len(entry.seeds or self.seeds)
                * (entry.repetitions or self.repetitions)
                for entry in self.solvers
            )
        )


def refuse_many(runs: int) -> None:
    """:class:`InputError` if a suite has more than :data:`MOST_RUNS`."""
    if runs > MOST_RUNS:
        raise InputError(
            f"{runs:,} runs, more than the {MOST_RUNS:,} that a suite may have: it stands for every combination of "
            "instances, options, seeds and repetitions"
        )


def grid_size(values: Mapping[str, Any]) -> int:
    """Number of combinations that :func:`grid` gives."""
    return math.prod(len(value) for value in values.values() if isinstance(value, list))


class _Figure(Figure):
    model_config = ConfigDict(extra="ignore")


class _Claim(Claim):
    model_config = ConfigDict(extra="ignore")


class _Instances(Instances):
    model_config = ConfigDict(extra="ignore")


class Recorded(Record):
    """What reports use of the suite in a result file, whichever release wrote it."""

    name: str = ""
    description: str = ""
    picture_instance: str | None = None
    instances: list[_Instances] = []
    figures: list[_Figure] = []
    claims: list[_Claim] = []
    planned_runs: Annotated[int, Field(ge=0)] = 0
    planned: list[str] = []


def grid(values: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Every combination of the values, a list standing for each of its entries in turn.

    >>> grid({"a": [1, 2], "b": 3})
    [{'a': 1, 'b': 3}, {'a': 2, 'b': 3}]
    """
    choices = [value if isinstance(value, list) else [value] for value in values.values()]
    return [dict(zip(values, picked, strict=True)) for picked in itertools.product(*choices)]


def refuse_empty(values: Mapping[str, Any], place: str) -> None:
    """:class:`InputError` if a list of values to try holds none: nothing would be left of its entry."""
    for key, value in values.items():
        if value == []:
            raise InputError(
                "holds no value to try; leave the key out for its default", path=f"{place}.{key}"
            )


def option_label(solver: str, options: Mapping[str, Any]) -> str:
    """Name in tables of a solver with these options."""
    given = ", ".join(f"{key}={_short(value)}" for key, value in options.items())
    return f"{solver} ({given})" if given else solver


def _short(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    return f"{value:g}" if isinstance(value, float) else str(value)
