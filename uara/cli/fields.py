"""Options of a command that are the fields of a record: name, type, default and help are written once, there."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Collection, Mapping
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, TypeVar, Union, get_args, get_origin, get_type_hints

import typer

from uara.base.files import Record, validate

F = TypeVar("F", bound=Callable[..., Any])
R = TypeVar("R", bound=Record)
PLACE = "fields"
"""Name of the parameter that takes the place of the fields: ``**fields``."""


def options_from(
    *records: type[Record], flags: Mapping[str, str] | None = None, without: Collection[str] = ()
) -> Callable[[F], F]:
    """Give a command an option for each field of some records; it takes the values as ``**fields``.

    Parameters
    ----------
    flags
        Names of options, without their dashes, that differ from the fields'; a short one after a blank: ``jobs -j``.
    without
        Fields that are no options.

    Notes
    -----
    Choices and ranges are left to the record, whose error names the field.
    """
    made = {
        name: _option(name, field, (flags or {}).get(name, name.replace("_", "-")))
        for record in records
        for name, field in record.model_fields.items()
        if name not in without
    }

    def declare(function: F) -> F:
        own = get_type_hints(function, include_extras=True)
        parameters: list[inspect.Parameter] = []
        for name, parameter in inspect.signature(function).parameters.items():
            if name == PLACE:
                continue
            kept = parameter.replace(annotation=own[name], kind=inspect.Parameter.KEYWORD_ONLY)
            parameters.append(kept)
            if name == "output":  # the file comes first, then what it is made of
                parameters += made.values()
        if "output" not in own:
            parameters += made.values()
        function.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
        function.__annotations__ = {each.name: each.annotation for each in parameters}
        return function

    return declare


def taken(fields: Mapping[str, Any], record: type[R], path: str = "$") -> R:
    """The record of which some of a command's ``**fields`` are the fields; :class:`InputError` if one is amiss."""
    return validate({name: fields[name] for name in record.model_fields if name in fields}, record, path=path)


def _option(name: str, field: Any, flag: str) -> inspect.Parameter:
    kind, choices = _plain_type(field.annotation)
    text = " ".join((field.description or "").split())
    if choices:
        text = f"{', '.join(choices)}. {text}".strip()
    annotation = Annotated[kind, typer.Option(*f"--{flag}".split(), help=text)]  # type: ignore[valid-type]
    return inspect.Parameter(
        name, inspect.Parameter.KEYWORD_ONLY, default=field.default, annotation=annotation
    )


def _plain_type(annotation: Any) -> tuple[Any, tuple[str, ...]]:
    """What the command line reads a value as, and the words that a choice is made of."""
    if get_origin(annotation) in (Union, UnionType):
        inner, choices = _plain_type(next(each for each in get_args(annotation) if each is not NoneType))
        return inner | None, choices
    if get_origin(annotation) is Literal:
        return str, get_args(annotation)
    if get_origin(annotation) is Annotated:
        return _plain_type(get_args(annotation)[0])
    return annotation, ()
