"""Reading and writing the toolkit's JSON artefacts: bounded, typed, atomic."""

from __future__ import annotations

import hashlib
import io
import json
import os
import zipfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal, TypeVar

from pydantic import BaseModel, BeforeValidator, ConfigDict, GetCoreSchemaHandler, ValidationError
from pydantic_core import CoreSchema

from uara.base.decoding import parse_json as parse_json
from uara.base.decoding import parse_toml, shortened, step
from uara.base.errors import InputError, in_file
from uara.base.outputs import check_output as check_output
from uara.base.outputs import file_name as file_name
from uara.base.outputs import is_stream as is_stream
from uara.base.outputs import output_folder as output_folder
from uara.base.outputs import pour
from uara.base.outputs import replacing as replacing
from uara.base.outputs import save_or_rescue as save_or_rescue

if TYPE_CHECKING:
    from numpy.typing import NDArray

T = TypeVar("T", bound="Record")

MAX_JSON_BYTES = 64 * 2**20
"""Largest JSON file that is read; larger data belongs into a side ``.npz``."""
MAX_TOML_BYTES = 2**18
"""Largest TOML file that is read: settings that people write; the parser's work may grow with the square."""


def _number(value: object) -> object:
    if isinstance(value, bool | float):
        raise ValueError("must be a whole number")
    return value


VersionOne = Annotated[Literal[1], BeforeValidator(_number)]
"""The number 1, for which Python takes ``true`` and ``1.0`` too."""


def _failing_fast(schema: Any) -> Any:
    if isinstance(schema, list | tuple):
        return type(schema)(map(_failing_fast, schema))
    if not isinstance(schema, dict):
        return schema
    inner = {key: _failing_fast(value) for key, value in schema.items() if key != "metadata"}
    return {**schema, **inner, **({"fail_fast": True} if schema.get("type") == "list" else {})}


class Record(BaseModel):
    """Base of every record that is read from a file or typed by a user: immutable, no unknown keys, no NaN.

    Solvers derive their options from it, by the name ``uara.Options``: the docstring under each field is what
    ``uara solvers`` says of it.

    Pydantic is the validation library (msgspec is faster, but its constrained types crash the
    interpreter at exit now and then: its issue 717).
    """

    model_config = ConfigDict(
        frozen=True, extra="forbid", strict=True, allow_inf_nan=False, use_attribute_docstrings=True
    )

    @classmethod
    def __get_pydantic_core_schema__(cls, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        """Have lists end at their first wrong item: one is named, and millions would take the memory."""
        schema: CoreSchema = _failing_fast(handler(source))
        return schema


def published_schema(record: type[Record]) -> dict[str, Any]:
    """The JSON Schema of files that hold a record."""
    draft = "https://json-schema.org/draft/2020-12/schema"
    return {"$schema": draft, **record.model_json_schema(by_alias=True)}


def validate(data: object, type_: type[T], *, path: str = "$", strict: bool = True) -> T:
    """Check plain data against a record type.

    Parameters
    ----------
    path
        Where the data stands in its source: prefix of the key path in errors.
    strict
        False lets strings stand for numbers, as on the command line.

    Raises
    ------
    InputError
        With the key path of the first offending value.
    """
    try:
        return type_.model_validate(data, strict=strict)
    except ValidationError as error:
        raise _located(error, data, path) from None


def _located(error: ValidationError, data: Any, path: str) -> InputError:
    first = error.errors(include_url=False, include_context=False)[0]
    where = ""
    for count, part in enumerate(first["loc"], start=1):
        found = isinstance(data, dict) and part in data
        absent = first["type"] == "missing" and count == len(first["loc"])
        if not (found or absent or isinstance(part, int)):
            continue  # the tag of a union, which is no key of the data
        where += step(part)
        if found or (isinstance(data, list) and isinstance(part, int) and part < len(data)):
            data = data[part]
    problem = first["msg"]
    if first["type"] not in ("missing", "extra_forbidden"):
        problem += f" (found {shortened(first['input'])})"
    return InputError(problem, path=path + where)


def read_bytes(path: Path, limit_bytes: int = MAX_JSON_BYTES) -> bytes:
    """The content of a file of bounded size; ``InputError`` names the file otherwise."""
    with opened(path, limit_bytes) as handle, _readable(path):
        return handle.read()


@contextmanager
def opened(path: Path, limit_bytes: int) -> Iterator[io.BufferedReader]:
    """A file of bounded size, open for reading; ``InputError`` names the file otherwise."""
    with _readable(path):
        if not path.is_file():
            raise InputError("no such file" if not path.exists() else "not a regular file", source=str(path))
        handle = path.open("rb")
    with handle:
        size = os.fstat(handle.fileno()).st_size
        if size > limit_bytes:
            raise InputError(f"{size} bytes, more than the {limit_bytes} that are read", source=str(path))
        yield handle


@contextmanager
def _readable(path: Path) -> Iterator[None]:
    try:
        yield
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise InputError(f"cannot be read: {reason}", source=str(path)) from None


def read_plain_json(path: Path) -> dict[str, Any]:
    """Decode a JSON file that holds an object, without checking its keys.

    Raises
    ------
    InputError
        If the file is missing, too large, or not a JSON object; see :func:`parse_json`.
    """
    data = parse_json(read_bytes(path), str(path))
    if not isinstance(data, dict):
        raise InputError(f"holds a {type(data).__name__}, not an object", source=str(path), path="$")
    return data


def read_toml(path: Path) -> dict[str, Any]:
    """Decode a TOML file, without checking its keys.

    Raises
    ------
    InputError
        If the file is missing, too large or not TOML in UTF-8, or holds what :func:`parse_json` refuses too.
    """
    return parse_toml(read_bytes(path, MAX_TOML_BYTES), str(path))


def read_json(path: Path, type_: type[T]) -> T:
    """Decode a JSON file into a record.

    Raises
    ------
    InputError
        If the file is missing, too large, not JSON, or does not match the type.
    """
    data = read_plain_json(path)
    with in_file(path):
        return validate(data, type_)


def pretty_json(data: object) -> str:
    """JSON for people: objects indented, each list of scalars on one line. Same data, same text."""
    plain = data.model_dump(mode="json", exclude_none=True) if isinstance(data, BaseModel) else data
    return "".join(_lines(plain, "")) + "\n"


def _lines(value: object, indent: str) -> Iterator[str]:
    deeper = indent + "  "
    if isinstance(value, dict) and value:
        for count, (key, item) in enumerate(value.items()):
            yield ("{\n" if count == 0 else ",\n") + deeper + _dumped(key) + ": "
            yield from _lines(item, deeper)
        yield "\n" + indent + "}"
    elif isinstance(value, list) and any(isinstance(item, dict | list) for item in value):
        for count, item in enumerate(value):
            yield ("[\n" if count == 0 else ",\n") + deeper
            yield from _lines(item, deeper)
        yield "\n" + indent + "]"
    else:
        yield _dumped(value)  # a list of scalars at once: there may be millions of them


def _dumped(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, allow_nan=False)


def write_bytes(path: Path, content: bytes) -> None:
    """Write a file whole or not at all; a device or a pipe is written through."""
    if is_stream(path):
        pour(content, path)
        return
    with replacing(path) as temporary:
        temporary.write_bytes(content)


def write_json(path: Path, data: object) -> None:
    """Write data as :func:`pretty_json`, whole or not at all."""
    write_bytes(path, pretty_json(data).encode())


def sha256(content: bytes) -> str:
    """Hexadecimal SHA-256 of some bytes."""
    return hashlib.sha256(content).hexdigest()


def arrays_to_bytes(arrays: Mapping[str, NDArray[Any]]) -> bytes:
    """A compressed ``.npz`` of named arrays whose bytes depend on the arrays alone (no time stamps)."""
    import numpy as np

    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name in sorted(arrays):
            member = io.BytesIO()
            np.lib.format.write_array(member, np.ascontiguousarray(arrays[name]), allow_pickle=False)
            archive.writestr(zipfile.ZipInfo(name + ".npy"), member.getvalue(), zipfile.ZIP_DEFLATED)
    return buffer.getvalue()
