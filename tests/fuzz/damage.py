"""Damage to valid artefacts that keeps some of their structure: what a hand, a disk or an adversary leaves behind."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable, Iterator, Mapping
from random import Random
from typing import Any

import malformed
import numpy as np
from malformed import Raw
from numpy.typing import NDArray

DEEP = 100_000
TEXTS = (
    "", " ", "x", "3", "NaN", "nan", "1e999", "npz:", "npz:x", "..", ".", "../x", "/etc/passwd", "a/b", "~",
    "\0", "a\0b", "\n", "\x1b[31m", "\u202e", "\ufeff", "\ud800", "é" * 100, "x" * 300, "x" * 70_000,
    "a:b=c", "=", ":", ",", "[", "{}", "none", "True", "🂡", "²", "١", "-", "--help", "%s%n", "{0}", "*", "[bold]",
)  # fmt: skip
SCALARS = (
    None, True, False, 0, 1, -1, 2, 7, 2**31 - 1, 2**31, 2**53 + 1, 2**63, -(2**63) - 1, 2**64, 10**30, 10**400,
    0.0, -0.0, 0.5, -1.5, 1e30, 1e31, 1e154, 1e308, -1e308, 5e-324, 1e-30, 1e-300,
    Raw("NaN"), Raw("nan"), Raw("inf"), Raw("-Infinity"), Raw("1e999"), Raw("-1e999"), Raw("1" * 5000),
    Raw("1979-05-27T07:32:00Z"), Raw("0x10"), Raw("01"), Raw("'x"),
)  # fmt: skip
SHAPES = ([], {}, [[]], [{}], [None], [0], ["x"], [[1.0]], {"a": 1}, {"": {}}, {"id": []}, [1, [2, "x"]])


class Pairs(list[tuple[str, Any]]):
    """An object whose keys may come twice."""


def plain(rng: Random, value: Any, times: int | None = None) -> Any:
    """JSON-like data with one to three places damaged."""
    value = copy.deepcopy(value)
    for _ in range(times or rng.choice((1, 1, 1, 2, 3))):
        places = list(_places(value))
        if not places:
            return rng.choice(SHAPES)
        # A column of a thousand numbers must not hide the five keys beside it.
        depth = rng.choice(sorted({len(place) for place in places}))
        place = rng.choice([place for place in places if len(place) == depth])
        _damage(rng, value, place)
    return value


def _places(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    items = value.items() if isinstance(value, dict) else enumerate(value) if type(value) is list else ()
    for key, item in items:
        yield (*path, key)
        yield from _places(item, (*path, key))


def _damage(rng: Random, root: Any, place: tuple[Any, ...]) -> None:
    holder = root
    for step in place[:-1]:
        holder = holder[step]
    key, kinds = place[-1], [_replaced] * 3 + [_of_same_kind] * 3 + [_dropped, _swapped, _wrapped]
    kinds += [_renamed, _twice, _extra] if isinstance(holder, dict) else [_repeated, _shortened]
    rng.choice(kinds)(rng, root, holder, key)


def _replaced(rng: Random, root: Any, holder: Any, key: Any) -> None:
    holder[key] = rng.choice(
        (rng.choice(SCALARS), rng.choice(TEXTS), copy.deepcopy(rng.choice(SHAPES)), nested(rng))
    )


def _of_same_kind(rng: Random, root: Any, holder: Any, key: Any) -> None:
    """A value of the type that belongs there, but another."""
    old = holder[key]
    if isinstance(old, bool) or old is None:
        holder[key] = rng.choice((not old, "true", 1, None))
    elif isinstance(old, int):
        holder[key] = rng.choice((old + 1, old - 1, -old, old * 2, 10**6 + old, 2**62, float(old), str(old)))
    elif isinstance(old, float):
        holder[key] = rng.choice(
            (-old, old * 1e30, old * 1e-30, 1e308, old * 2, str(old), int(min(old, 1e9)))
        )
    elif isinstance(old, str):
        holder[key] = rng.choice((old + "x", old[:-1], old.upper(), old[::-1], rng.choice(TEXTS)))
    elif isinstance(old, list) and old:
        holder[key] = rng.choice((old[:-1], [*old, old[0]], old[::-1], [], old * 3, [old], old[0]))
    elif isinstance(old, dict) and old:
        holder[key] = rng.choice((list(old.values()), list(old), {}, {"x": old}, next(iter(old.values()))))


def _dropped(rng: Random, root: Any, holder: Any, key: Any) -> None:
    del holder[key]


def _swapped(rng: Random, root: Any, holder: Any, key: Any) -> None:
    other = rng.choice(list(holder)) if isinstance(holder, dict) else rng.randrange(len(holder))
    holder[key], holder[other] = holder[other], holder[key]


def _wrapped(rng: Random, root: Any, holder: Any, key: Any) -> None:
    holder[key] = rng.choice(([holder[key]], {"value": holder[key]}, [[holder[key]]], str(holder[key])))


def _renamed(rng: Random, root: Any, holder: Any, key: Any) -> None:
    holder[rng.choice((key + "_", key.upper(), key[:-1], rng.choice(TEXTS)))] = holder.pop(key)


def _extra(rng: Random, root: Any, holder: Any, key: Any) -> None:
    holder[rng.choice(TEXTS)] = copy.deepcopy(rng.choice((holder[key], rng.choice(SCALARS), *SHAPES)))


def _twice(rng: Random, root: Any, holder: Any, key: Any) -> None:
    holder[key] = Raw(f"{as_json(holder[key])}, {json.dumps(key)}: {as_json(rng.choice(SCALARS))}")


def _repeated(rng: Random, root: Any, holder: Any, key: Any) -> None:
    holder[key:key] = [holder[key]] * rng.choice((1, 2, 50))


def _shortened(rng: Random, root: Any, holder: Any, key: Any) -> None:
    del holder[key:]


def nested(rng: Random) -> Raw:
    """Lists or objects in each other, up to a depth that no decoder walks."""
    depth = rng.choice((5, 60, 150, 250, 1000, DEEP))
    opening, closing = rng.choice((("[", "]"), ('{"a":', "}")))
    return Raw(opening * depth + "1" + closing * depth)


def as_json(value: Any) -> str:
    """JSON text, with raw text where the damage asks for it."""
    if isinstance(value, Raw):
        return value.text
    if isinstance(value, dict):
        return "{" + ", ".join(f"{json.dumps(key)}: {as_json(item)}" for key, item in value.items()) + "}"
    if isinstance(value, list | tuple):
        return "[" + ", ".join(map(as_json, value)) + "]"
    return str(value) if type(value) is int else json.dumps(value)


def as_toml(value: Any) -> str:
    """TOML text of a table, in lines of inline values."""
    return "".join(f"{_toml_key(key)} = {_inline(item)}\n" for key, item in value.items())


def _toml_key(key: str) -> str:
    return key if key.isascii() and key.replace("_", "").isalnum() else json.dumps(key)


def _inline(value: Any) -> str:
    if isinstance(value, Raw):
        return value.text.replace('{"a":', '{"a"=')
    if isinstance(value, dict):
        return "{" + ", ".join(f"{_toml_key(key)} = {_inline(item)}" for key, item in value.items()) + "}"
    if isinstance(value, list | tuple):
        return "[" + ", ".join(map(_inline, value)) + "]"
    if value is None:
        return '""'
    return str(value).lower() if isinstance(value, bool) else as_json(value)


def content(rng: Random, good: bytes) -> bytes:
    """Bytes cut, flipped, doubled, or framed by something else."""
    data = bytearray(good)
    for _ in range(rng.choice((1, 1, 2, 5))):
        at, other = rng.randrange(len(data) + 1), rng.randrange(len(data) + 1)
        start, end = min(at, other), max(at, other)
        kind = rng.randrange(9)
        if kind == 0:
            del data[at:]
        elif kind <= 3 and data:
            data[at % len(data)] ^= 1 << rng.randrange(8)
        elif kind == 4:
            data[at:at] = rng.choice(
                (b"\0", b"\xff\xfe", b"\xef\xbb\xbf", b"\xc3", b'"', b"}", b"[", b"\n", b"\x80" * 9)
            )
        elif kind == 5:
            del data[start : min(end, start + 40)]
        elif kind == 6:
            data[at:at] = data[start : min(end, start + 400)]
        elif kind == 7 and data:
            data[at % len(data)] = rng.choice((0x00, 0x7F, 0x80, 0xFF))
        else:
            data = bytearray(
                rng.choice(
                    (
                        b"",
                        b"\xef\xbb\xbf" + data,
                        data + b"x",
                        data * 2,
                        b"PK\x03\x04" + data,
                        b"[1, 2]",
                        b"null",
                        b"3",
                        b'"x"',
                    )
                )
            )
    return bytes(data)


def text_of(rng: Random, value: Any, encode: Callable[[Any], str]) -> bytes:
    """A damaged text file: its data, its bytes, or both."""
    kind = rng.randrange(10)
    data = plain(rng, value) if kind < 8 else value
    good = encode(data).encode(errors="surrogatepass")
    return content(rng, good) if kind >= 7 else good


def arrays(rng: Random, given: Mapping[str, NDArray[Any]]) -> bytes:
    """An ``.npz`` of damaged arrays."""
    members = {name: malformed.npy(array) for name, array in given.items()}
    for _ in range(rng.choice((1, 1, 2))):
        name = rng.choice(sorted(members))
        kind = rng.randrange(10)
        if kind <= 5 and name in given:
            members[name] = malformed.npy(array(rng, given[name]))
        elif kind == 6:
            del members[name]
            members[rng.choice(("x", name + "x", "header"))] = malformed.npy(np.arange(3))
        elif kind == 7:
            members[name] = rng.choice(
                (b"", b"x", malformed.lying_header(), members[name][:80], b"\x93NUMPY\x09\0")
            )
        else:
            members[name] = content(rng, members[name])
    packed = malformed.archive(**members)
    return content(rng, packed) if rng.randrange(8) == 0 else packed


def array(rng: Random, given: NDArray[Any]) -> NDArray[Any]:
    """An array of another type, another shape or other values."""
    types = ("U", "S", "O", "complex", "bool", "M8[s]", "f2", "f4", ">f8", "i8", "u1", "g", "V8")
    kind = rng.randrange(4)
    with np.errstate(all="ignore"):
        if kind == 0:
            try:
                return given.astype(rng.choice(types))
            except (TypeError, ValueError):
                return np.zeros(given.shape, dtype=[("a", float), ("b", float)])
        if kind == 1:
            if not given.ndim:
                return rng.choice((given[None], given[None][:0]))
            flat = given.ravel()
            return rng.choice(
                (given[:0], given[None], flat, flat[:1].reshape(()), given[..., :1], given[1:], given.T)
            )
        if kind == 2 and given.size and given.dtype.kind == "f":
            changed = given.copy()
            flat = changed.reshape(-1)
            where = rng.choice((slice(None), slice(0, 1), slice(-1, None)))
            flat[where] = rng.choice((np.nan, np.inf, -1.0, 0.0, 1e308, 5e-324, 1e38, 1e30, -1e30))
            return changed
        return np.concatenate([given, given]) if given.ndim else given[None]
