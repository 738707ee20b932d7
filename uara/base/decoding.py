"""Decoding JSON and TOML so that a file says one thing only, the same to every reader."""

from __future__ import annotations

import json
import math
import re
import tomllib
from itertools import chain
from typing import Any, NoReturn

import pydantic_core

from uara.base.errors import InputError

MAX_JSON_VALUES = 8_000_000
"""Most values that are read: each takes 32 to 72 bytes of memory, however short its text."""
MAX_DEPTH = 100
"""Most tables and lists inside each other that are read."""
_LONG_TOML_KEY = re.compile(
    rb"""(?<![\w-])(?:(?:[\w-]++|"[^"\n]*+"|'[^'\n]*+')[ \t]*+\.[ \t]*+){%d}""" % MAX_DEPTH
)
_KINDS = {dict, list, str, bool, int, float, type(None)}


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
    # other colon stands outside of text: that is, between every second pair of quotes that are not escaped.
    if keys != content.count(b":"):
        pieces = content.replace(b"\\\\", b"").replace(b'\\"', b"").split(b'"')
        if keys != sum(piece.count(b":") for piece in pieces[::2]):
            _refuse_repetition(content, source)
    return data


def _refuse_repetition(content: bytes, source: str | None) -> NoReturn:
    def unique(pairs: list[tuple[str, Any]]) -> None:
        seen = set()
        for key, _ in pairs:
            if key in seen:
                raise InputError(f"the key {shortened(key)} is given twice", source=source, path="$")
            seen.add(key)

    json.loads(content, object_pairs_hook=unique)
    raise InputError("a key is given twice", source=source, path="$")


def parse_toml(content: bytes, source: str | None = None) -> dict[str, Any]:
    """Decode TOML, and refuse what :func:`parse_json` refuses."""
    if _LONG_TOML_KEY.search(content):  # the parser would take hours
        raise InputError(f"a key of more than {MAX_DEPTH} parts", source=source, path="$")
    try:
        data = tomllib.loads(content.decode("utf-8-sig"))
    except (ValueError, RecursionError) as error:
        raise InputError(f"not valid TOML: {str(error)[:200]}", source=source) from None
    _count_keys(data, source)
    return data


def _count_keys(data: Any, source: str | None) -> int:
    """How many keys decoded data has in all its objects; ``InputError`` names a value that no file may hold.

    Level by level, so that the long columns of large files pass at the interpreter's full speed.
    """
    keys = 0
    level: list[Any] = [[data]]
    for _ in range(MAX_DEPTH + 2):  # what is left then lies deeper than is read
        keys += sum(len(held) for held in level if type(held) is dict)
        values = list(chain.from_iterable(held.values() if type(held) is dict else held for held in level))
        kinds = set(map(type, values))
        floats = values if kinds == {float} else [value for value in values if type(value) is float]
        whole = [value for value in values if type(value) is int] if int in kinds else [0]
        if not (
            kinds <= _KINDS
            and (math.isfinite(sum(floats)) or all(map(math.isfinite, floats)))
            and _fits(min(whole))
            and _fits(max(whole))
        ):
            break
        level = [value for value in values if type(value) in (dict, list)] if kinds & {dict, list} else []
        if not level:
            return keys
    _refuse_first_fault(data, source)


def _fits(value: int) -> bool:
    return -(2**63) <= value < 2**63


def _refuse_first_fault(data: Any, source: str | None) -> NoReturn:
    waiting: list[tuple[str, int, Any]] = [("$", 0, data)]
    for path, depth, value in waiting:
        problem = ""
        if type(value) not in _KINDS:
            problem = f"a {type(value).__name__} must be written as text"
        elif type(value) is float and not math.isfinite(value):
            problem = "must be a finite number"
        elif type(value) is int and not _fits(value):
            problem = "has more than 64 bits"
        elif depth > MAX_DEPTH:
            problem = f"lies in more than {MAX_DEPTH} others"
        if problem:
            raise InputError(problem, source=source, path=path[:200])
        if type(value) in (dict, list):
            items = value.items() if type(value) is dict else enumerate(value)
            waiting += [(path + step(key), depth + 1, inner) for key, inner in items]
    raise AssertionError("no fault")


def step(part: str | int) -> str:
    """One step of a key path, as errors show it."""
    if isinstance(part, int):
        return f"[{part}]"
    plain = part.replace("-", "_").isidentifier() and len(part) <= 60
    return f".{part}" if plain else f"[{shortened(part)}]"


def shortened(value: object, longest: int = 60) -> str:
    """A value as an error shows it."""
    try:
        text = (
            repr(value) if not isinstance(value, list | dict) else f"{type(value).__name__} of {len(value)}"
        )
    except (ValueError, RecursionError):
        text = type(value).__name__
    return text if len(text) <= longest else text[: longest - 3] + "..."
