"""Reading and writing the toolkit's JSON artefacts: bounded, typed, atomic."""

from __future__ import annotations

import hashlib
import io
import json
import math
import os
import re
import tempfile
import tomllib
import zipfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn, TypeVar

import pydantic_core
from pydantic import BaseModel, ConfigDict, ValidationError

from uara.errors import InputError

if TYPE_CHECKING:
    from numpy.typing import NDArray

T = TypeVar("T", bound="Record")

MAX_JSON_BYTES = 64 * 2**20
"""Largest JSON file that is read; larger data belongs into a side ``.npz``."""
MAX_JSON_VALUES = 8_000_000
"""Most values in it: each takes 32 to 72 bytes of memory, however short its text."""
MAX_TOML_BYTES = 2**18
"""Largest TOML file that is read: settings that people write; the parser's work may grow with the square."""
MAX_DEPTH = 100
"""Most tables and lists inside each other that are read."""
_LONG_TOML_KEY = re.compile(
    rb"""(?<![\w-])(?:(?:[\w-]++|"[^"\n]*+"|'[^'\n]*+')[ \t]*+\.[ \t]*+){%d}""" % MAX_DEPTH
)
_JSON_TEXT = re.compile(rb'"(?:[^"\\]|\\.)*"')


class Record(BaseModel):
    """Base of every record that is read from a file or typed by a user: immutable, no unknown keys, no NaN.

    Pydantic is the validation library (msgspec is faster, but its constrained types crash the
    interpreter at exit now and then: its issue 717).
    """

    model_config = ConfigDict(
        frozen=True, extra="forbid", strict=True, allow_inf_nan=False, use_attribute_docstrings=True
    )


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
        where += _step(part)
        if found or (isinstance(data, list) and isinstance(part, int) and part < len(data)):
            data = data[part]
    problem = first["msg"]
    if first["type"] not in ("missing", "extra_forbidden"):
        problem += f" (found {_shortened(first['input'])})"
    return InputError(problem, path=path + where)


def _step(part: str | int) -> str:
    if isinstance(part, int):
        return f"[{part}]"
    plain = part.replace("-", "_").isidentifier() and len(part) <= 60
    return f".{part}" if plain else f"[{_shortened(part)}]"


def _shortened(value: object, longest: int = 60) -> str:
    try:
        text = (
            repr(value) if not isinstance(value, list | dict) else f"{type(value).__name__} of {len(value)}"
        )
    except (ValueError, RecursionError):
        text = type(value).__name__
    return text if len(text) <= longest else text[: longest - 3] + "..."


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


def parse_json(content: bytes, source: str | None = None) -> Any:
    """Decode JSON that says one thing only, the same to every reader.

    Raises
    ------
    InputError
        For what is not JSON in UTF-8, a key given twice in one object, a number that is not finite, an integer
        beyond 64 bits, a depth beyond :data:`MAX_DEPTH`, or more values than :data:`MAX_JSON_VALUES`.
    """
    content = content.removeprefix(b"\xef\xbb\xbf")
    if content.count(b",") > MAX_JSON_VALUES:
        raise InputError(f"more than the {MAX_JSON_VALUES} values that are read", source=source)
    try:
        data = pydantic_core.from_json(content, allow_inf_nan=False)
    except (ValueError, RecursionError) as error:
        raise InputError(f"not valid JSON: {error}", source=source, path="$") from None
    keys = _count_keys(data, source)
    # The fast decoder keeps the last of two equal keys. In valid JSON each key is followed by a colon, and no
    # other colon stands outside of text.
    if keys != content.count(b":") and keys != _JSON_TEXT.sub(b"", content).count(b":"):
        _refuse_repetition(content, source)
    return data


def _refuse_repetition(content: bytes, source: str | None) -> NoReturn:
    def unique(pairs: list[tuple[str, Any]]) -> None:
        seen = set()
        for key, _ in pairs:
            if key in seen:
                raise InputError(f"the key {_shortened(key)} is given twice", source=source, path="$")
            seen.add(key)

    json.loads(content, object_pairs_hook=unique)
    raise InputError("a key is given twice", source=source, path="$")


def read_toml(path: Path) -> dict[str, Any]:
    """Decode a TOML file, without checking its keys.

    Raises
    ------
    InputError
        If the file is missing, too large or not TOML in UTF-8, or holds what :func:`parse_json` refuses too.
    """
    content = read_bytes(path, MAX_TOML_BYTES)
    if _LONG_TOML_KEY.search(content):  # the parser would take hours
        raise InputError(f"a key of more than {MAX_DEPTH} parts", source=str(path), path="$")
    try:
        data = tomllib.loads(content.decode("utf-8-sig"))
    except (ValueError, RecursionError) as error:
        raise InputError(f"not valid TOML: {str(error)[:200]}", source=str(path)) from None
    _count_keys(data, str(path))
    return data


def _count_keys(data: Any, source: str | None) -> int:
    """How many keys decoded data has in all its objects; ``InputError`` names a value that no file may hold."""
    keys = -1  # the first one is not in the file
    waiting: list[tuple[str, int, Any]] = [("", 0, {"$": data})]
    while waiting:
        path, depth, held = waiting.pop()
        is_object = type(held) is dict
        keys += len(held) if is_object else 0
        for step, value in held.items() if is_object else enumerate(held):
            kind = type(value)
            if kind is float:
                if -math.inf < value < math.inf:
                    continue
                problem = "must be a finite number"
            elif kind is int:
                if -(2**63) <= value < 2**63:
                    continue
                problem = "has more than 64 bits"
            elif kind is dict or kind is list:
                if depth < MAX_DEPTH:
                    waiting.append((path + _step(step) if path else step, depth + 1, value))
                    continue
                problem = f"lies in more than {MAX_DEPTH} others"
            elif kind is str or kind is bool or value is None:
                continue
            else:
                problem = f"a {kind.__name__} must be written as text"
            where = path + _step(step) if path else "$"
            raise InputError(problem, source=source, path=where[:200])
    return keys


def read_json(path: Path, type_: type[T]) -> T:
    """Decode a JSON file into a record.

    Raises
    ------
    InputError
        If the file is missing, too large, not JSON, or does not match the type.
    """
    data = read_plain_json(path)
    try:
        return validate(data, type_)
    except InputError as error:
        raise error.in_source(str(path)) from None


def pretty_json(data: object) -> str:
    """JSON for people: objects indented, each list of scalars on one line. Same data, same text."""
    plain = data.model_dump(mode="json", exclude_none=True) if isinstance(data, BaseModel) else data
    return "".join(_lines(plain, "")) + "\n"


def _lines(value: object, indent: str) -> Iterator[str]:
    deeper = indent + "  "
    if isinstance(value, dict) and value:
        for count, (key, item) in enumerate(value.items()):
            yield ("{\n" if count == 0 else ",\n") + deeper + _scalar(key) + ": "
            yield from _lines(item, deeper)
        yield "\n" + indent + "}"
    elif isinstance(value, list) and any(isinstance(item, dict | list) for item in value):
        for count, item in enumerate(value):
            yield ("[\n" if count == 0 else ",\n") + deeper
            yield from _lines(item, deeper)
        yield "\n" + indent + "]"
    elif isinstance(value, list):
        yield "[" + ", ".join(map(_scalar, value)) + "]"
    else:
        yield _scalar(value)


def _scalar(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, allow_nan=False)


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """A temporary path beside ``path`` that takes its place when the block ends without an error."""
    path = Path(path)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(prefix=f".{path.name}.", suffix=path.suffix, dir=path.parent)
    except OSError as error:
        raise InputError(f"cannot be written: {error.strerror}", source=str(path)) from None
    os.close(handle)
    temporary = Path(name)
    try:
        yield temporary
        temporary.chmod(0o666 & ~_umask())
        os.replace(temporary, path)
    except OSError as error:
        raise InputError(f"cannot be written: {error.strerror}", source=str(path)) from None
    finally:
        temporary.unlink(missing_ok=True)


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask


def write_bytes(path: Path, content: bytes) -> None:
    """Write a file whole or not at all."""
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
