"""Solvers and their options as words on the command line, and how they are called."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Annotated

from pydantic import Field

from uara.base.errors import InputError, SolverError
from uara.base.files import Record
from uara.registry import find, installed


@dataclass
class SolverSpec:
    """A solver's name, or ``package.module:function``, and its options as text."""

    name: str
    values: dict[str, str] = field(default_factory=dict)

    @property
    def options(self) -> Record:
        """The validated options."""
        return find(self.name).make_options(self.values, strict=False)


class Solving(Record):
    """Which solvers are called, and how."""

    solver: list[str] | None = None
    """Solver, or package.module:function; may be repeated, and may carry options: tma:moves=pairs,allocation=sqrt.
    Left out, auto for P1, hetedge-bound for hetedge."""
    option: list[str] | None = None
    """key=value for every solver that knows the key; may be repeated."""
    seed: Annotated[int, Field(ge=0)] = 0
    """Root seed."""
    time_limit: float | None = None
    """Seconds for each call of a solver."""

    def specs(self, default: str) -> list[SolverSpec]:
        """The solvers that are named, or this one, with their options."""
        return attach_options([parse_solver(word) for word in self.solver or [default]], self.option or [])


def parse_solver(word: str) -> SolverSpec:
    """``tma:moves=pairs,allocation=sqrt``, ``my_rules:nearest:reach_m=50`` and the like; the name alone is enough."""
    name, _, tail = word.partition(":")
    function, _, more = tail.partition(":")
    if function and "=" not in function and name not in installed():
        name, tail = f"{name}:{function}", more
    find(name)
    return SolverSpec(name, dict(parse_option(part) for part in tail.split(",") if part))


def attach_options(specs: Sequence[SolverSpec], words: Sequence[str]) -> list[SolverSpec]:
    """Give each ``key=value`` to the solvers that know the key; :class:`InputError` if there is none."""
    for word in words:
        key, value = parse_option(word)
        taking = [spec for spec in specs if key in find(spec.name).traits.options.model_fields]
        if not taking:
            names = ", ".join(spec.name for spec in specs)
            raise InputError(f"none of the solvers ({names}) has an option {key!r}", source="--option")
        for spec in taking:
            spec.values.setdefault(key, value)
    for spec in specs:
        with suppress(SolverError):  # a plug-in that breaks here fails when its turn comes, and alone
            _ = spec.options
    return list(specs)


def parse_option(word: str) -> tuple[str, str]:
    """Key and value of ``key=value``."""
    key, equals, value = word.partition("=")
    if not equals or not key:
        raise InputError(f"{word!r} is not of the form key=value", source="--option")
    return key.strip(), value.strip()
