"""The instances of a suite: read, drawn, cut and varied, each once and under a name of its own."""

from __future__ import annotations

import inspect
import itertools
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import uara.problem
from uara.base import files
from uara.base.errors import InputError
from uara.bench.suite import Instances, Suite, grid
from uara.problem import Feature, Problem, kind_of


@dataclass
class Case:
    """An instance of a suite, and the groups that it is in."""

    problem: Problem
    groups: list[str] = field(default_factory=list)
    features: dict[str, Feature] = field(default_factory=dict)

    @property
    def name(self) -> str:
        """Name of the instance."""
        return self.problem.name


def find_cases(suite: Suite, folder: Path) -> list[Case]:
    """The instances of a suite with all the groups that entries put them in.

    Instances of the same data are one instance, under the name that comes first.
    """
    found: dict[str, Case] = {}
    names: dict[str, str] = {}
    places = [f"$.instances[{number}]" for number in range(len(suite.instances))]
    paths = [_paths(entry, folder, place) for entry, place in zip(suite.instances, places, strict=True)]
    suite.check_size([1 if each is None else len(each) for each in paths])
    for entry, found_files, place in zip(suite.instances, paths, places, strict=True):
        for problem in (
            _generated(entry, place) if found_files is None else map(uara.problem.load, found_files)
        ):
            for size, changes in itertools.product(grid(entry.subsets), grid(entry.parameters)):
                case = Case(with_parameters(cut(problem, size, f"{place}.subsets"), changes))
                known = found.setdefault(case.problem.digest, case)
                refuse_namesake(names, known.problem, path=place)
                known.groups += [group for group in entry.groups if group not in known.groups]
    for case in found.values():
        case.features = kind_of(case.problem.kind).features(case.problem)
    return list(found.values())


def refuse_namesake(digests: dict[str, str], problem: Problem, **where: str) -> None:
    """Note the digest of an instance by its name; :class:`InputError` if another instance has that name."""
    if digests.setdefault(problem.name, problem.digest) != problem.digest:
        raise InputError(f"two different instances are called {problem.name}", **where)


def _paths(entry: Instances, folder: Path, place: str) -> list[Path] | None:
    """The files that an entry's glob matches; None if it is to be generated."""
    if entry.files is None:
        return None
    pattern = Path(entry.files)
    root = Path(pattern.anchor) if pattern.is_absolute() else folder
    try:
        paths = sorted(root.glob(str(pattern.relative_to(pattern.anchor))), key=_natural)
    except (ValueError, IndexError, OSError, NotImplementedError) as error:
        raise InputError(f"{entry.files!r} is no glob of files: {error}", path=f"{place}.files") from None
    if not paths:
        raise InputError(f"no file matches {entry.files!r} in {folder}", path=f"{place}.files")
    return paths


def _generated(entry: Instances, place: str) -> Iterator[Problem]:
    try:
        generate = kind_of(entry.kind).generate
    except InputError as error:
        raise InputError(error.problem, path=f"{place}.kind") from None
    if generate is None:
        raise InputError(f"instances of kind {entry.kind!r} cannot be generated", path=f"{place}.kind")
    varied = [key for key, value in (entry.generate or {}).items() if isinstance(value, list)]
    for recipe in grid(entry.generate or {}):
        name = recipe.pop("name", None)
        if not isinstance(name, str | None):
            raise InputError("must be text", path=f"{place}.generate.name")
        parts = ",".join(f"{key}={recipe[key]}" for key in varied if key in recipe)
        label = "@".join(part for part in (name or "generated", parts) if part)
        try:
            yield generate(**recipe, name=label)
        except InputError as error:
            raise InputError(
                error.problem, path=f"{place}.generate{(error.path or '').removeprefix('recipe')}"
            ) from None


def _natural(path: Path) -> list[tuple[int, str]]:
    """Sort key that puts ``e8_m90`` before ``e8_m120``."""
    return [(int(part), "") if part.isdigit() else (-1, part) for part in re.split(r"(\d+)", str(path))]


def cut(problem: Any, size: Mapping[str, Any], place: str) -> Any:
    """A smaller instance cut from an instance; the instance itself where no size is given.

    Raises
    ------
    InputError
        Naming ``place``, if instances of this kind cannot be cut, or not so.
    """
    if not size:
        return problem
    subset = kind_of(problem.kind).subset
    if subset is None:
        raise InputError(f"instances of kind {problem.kind} cannot be cut", path=place)
    try:
        inspect.signature(subset).bind(problem, **size)
    except TypeError as error:
        raise InputError(
            f"not the sizes of an instance of kind {problem.kind}: {error}", path=place
        ) from None
    if wrong := [name for name, value in size.items() if not isinstance(value, int) or value < 1]:
        raise InputError("must be a positive whole number, or a list of them", path=f"{place}.{wrong[0]}")
    return subset(problem, **size)


def with_parameters(problem: Any, changes: Mapping[str, Any]) -> Any:
    """A copy of an instance with some constants changed, which its name says.

    Raises
    ------
    InputError
        If it has no such constants.
    """
    if not changes:
        return problem
    if not hasattr(problem, "parameters") or not hasattr(problem, "replace"):
        raise InputError(f"instances of kind {problem.kind} have no constants to change", source=problem.name)
    constants = {**problem.parameters.model_dump(), **changes}
    checked = files.validate(constants, type(problem.parameters), path="parameters")
    suffix = ",".join(f"{key}={value:g}" for key, value in changes.items())
    return problem.replace(parameters=checked, name=f"{problem.name}@{suffix}")
