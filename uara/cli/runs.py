"""Solvers and their options as words on the command line."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field

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


def parse_solver(word: str) -> SolverSpec:
    """``tma:moves=pairs,allocation=sqrt``, ``my_rules:nearest:reach_m=50`` and the like; the name alone is enough."""
    name, _, tail = word.partition(":")
    function, _, more = tail.partition(":")
    if function and "=" not in function and name not in installed():
        name, tail = f"{name}:{function}", more
    find(name)
    return SolverSpec(name, dict(_pair(part) for part in tail.split(",") if part))


def attach_options(specs: Sequence[SolverSpec], words: Sequence[str]) -> list[SolverSpec]:
    """Give each ``key=value`` to the solvers that know the key.

    Raises
    ------
    InputError
        If no solver of the run knows a key.
    """
    for word in words:
        key, value = _pair(word)
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


def _pair(word: str) -> tuple[str, str]:
    key, equals, value = word.partition("=")
    if not equals or not key:
        raise InputError(f"{word!r} is not of the form key=value", source="--option")
    return key.strip(), value.strip()
