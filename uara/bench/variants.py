"""Variants of an instance: a smaller one cut from it, or one with other constants."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from typing import Any

from uara.base import files
from uara.base.errors import InputError
from uara.problem import kind_of


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
