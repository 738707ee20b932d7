"""What a policy file would compute, read from its bytes before anything of it runs.

An ONNX model is a program: it may loop for years, or build terabytes from a constant while it is loaded. So a file's
network must be that of the shipped policy, node for node; only the weights may differ. The few protocol-buffer
messages that the exporter writes are walked here (https://github.com/onnx/onnx/blob/main/onnx/onnx.proto3), since
the package ``onnx`` is no part of a core installation.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from functools import cache
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from uara.base.errors import InputError

MOST_WIDTH = 4096
"""Widest layer that is read."""
_FLOAT = 1
_Value = int | bytes
_Node = tuple[object, ...]


class _Fields(NamedTuple):
    """Numbers of a message's fields that may come once, and of those that may come often; no others may come."""

    once: frozenset[int]
    often: frozenset[int] = frozenset()


_MODEL = _Fields(frozenset({1, 2, 3, 4, 5, 6, 7}), frozenset({8, 14}))
_GRAPH = _Fields(frozenset({2, 10}), frozenset({1, 5, 11, 12, 13}))
_NODE = _Fields(frozenset({3, 4, 6, 7}), frozenset({1, 2, 5}))
_ATTRIBUTE = _Fields(frozenset({1, 3, 5, 20}))
_TENSOR = _Fields(frozenset({2, 8, 9}), frozenset({1}))


class Step(NamedTuple):
    """One node of a network, in the order in which they are computed."""

    kind: str
    """Operator, as ONNX names it."""
    inputs: tuple[str, ...]
    """Names of values; empty where an optional one is left out."""
    output: str
    keepdims: bool
    """Attribute of reductions."""


class _Network(NamedTuple):
    """A number for each node, the same wherever the same is computed, whatever its name; and the outputs."""

    numbers: dict[_Node, int]
    outputs: tuple[int, ...]
    size: int
    width: int
    steps: tuple[Step, ...]
    tensors: dict[str, NDArray[Any]]


class Contents(NamedTuple):
    """What a model holds: the width of its widest layer, its metadata, its nodes, and its weights and constants."""

    width: int
    metadata: dict[str, str]
    steps: tuple[Step, ...]
    tensors: dict[str, NDArray[Any]]


def check(content: bytes, shipped: bytes) -> Contents:
    """Refuse a model that computes anything but what the shipped one does with other weights.

    Raises
    ------
    InputError
        If it is no ONNX model, or another network, or its layers are wider than :data:`MOST_WIDTH`.
    """
    try:
        model = _fields(content, _MODEL)
        found = _network(model, _known(shipped))
        metadata = {_text(each, 1): _text(each, 2) for each in _bytes(model, 14)}
    except (ValueError, IndexError, KeyError, StopIteration) as error:
        raise InputError(f"not a whole ONNX model: {error}") from None
    if found.outputs != _known(shipped).outputs:
        raise InputError("its network is not the one that the exporter writes", path="$.graph")
    return Contents(found.width, metadata, found.steps, found.tensors)


@cache
def _known(shipped: bytes) -> _Network:
    return _network(_fields(shipped, _MODEL), None)


def _network(model: dict[int, list[_Value]], known: _Network | None) -> _Network:
    (graph,) = _bytes(model, 7)
    parts = _fields(graph, _GRAPH)
    numbers: dict[_Node, int] = {} if known is None else known.numbers
    of_name: dict[str, int] = {"": -1}

    def add(name: str, node: _Node) -> None:
        if known is None:
            numbers.setdefault(node, len(numbers))
        if node not in numbers or name in of_name:
            raise InputError(f"{node[0]!s:.40} is not used so by the exporter's network", path="$.graph")
        of_name[name] = numbers[node]

    for each in _bytes(parts, 11):
        add(name := _text(each, 1), (f"input {name}",))
    width = 0
    steps: list[Step] = []
    tensors: dict[str, NDArray[Any]] = {}
    for tensor in _bytes(parts, 5):
        name, dims, data_type, data = _tensor(tensor)
        width = max(width, *dims)
        if data_type != _FLOAT or width > MOST_WIDTH:
            raise InputError(f"weights wider than {MOST_WIDTH}, or of another type", path="$.graph")
        add(name, (f"weights of {len(dims)} axes",))
        tensors[name] = _array(dims, data_type, data)
    nodes = _bytes(parts, 1)
    if known is not None and len(nodes) > known.size:
        raise InputError("its network has more nodes than the exporter's", path="$.graph")
    for node in nodes:
        record = _fields(node, _NODE)
        (kind,), (output,) = _bytes(record, 4), _bytes(record, 2)
        inputs = tuple(of_name[each.decode()] for each in _bytes(record, 1))
        attributes = tuple(sorted(_attribute(each) for each in _bytes(record, 5)))
        add(name := output.decode(), (kind.decode(), repr(_bytes(record, 7)), inputs, attributes))
        given = [_fields(each, _ATTRIBUTE) for each in _bytes(record, 5)]
        if kind == b"Constant":
            tensors[name] = _array(*_tensor(_bytes(given[0], 5)[0])[1:])
            continue
        keepdims = all(each.get(3) != [0] for each in given)
        names = tuple(each.decode() for each in _bytes(record, 1))
        steps.append(Step(kind.decode(), names, name, keepdims))
    outputs = tuple(of_name[_text(each, 1)] for each in _bytes(parts, 12))
    return _Network(numbers, outputs, len(nodes), width, tuple(steps), tensors)


def _attribute(content: bytes) -> tuple[str, str]:
    record = _fields(content, _ATTRIBUTE)
    constant = [_tensor(each)[1:] for each in _bytes(record, 5)]
    return repr(sorted((key, values) for key, values in record.items() if key != 5)), repr(constant)


def _tensor(content: bytes) -> tuple[str, tuple[int, ...], int, bytes]:
    """Name, shape, type and raw content of a tensor."""
    record = _fields(content, _TENSOR)
    dims: list[int] = []
    for value in record.get(1, []):
        dims += [value] if isinstance(value, int) else _packed(value)
    (data_type,), (data,) = record[2], _bytes(record, 9)
    size = 4 if data_type == _FLOAT else 8
    if not isinstance(data_type, int) or len(data) != size * math.prod(dims) or len(dims) > 2:
        raise ValueError(f"a tensor of shape {dims} has {len(data)} bytes")
    return b"".join(_bytes(record, 8)).decode(), tuple(dims), data_type, data


def _array(dims: tuple[int, ...], data_type: int, content: bytes) -> NDArray[Any]:
    return np.frombuffer(content, "<f4" if data_type == _FLOAT else "<i8").reshape(dims)


def _packed(content: bytes) -> list[int]:
    values, at = [], 0
    while at < len(content):
        value, at = _varint(content, at)
        values.append(value)
    return values


def _text(content: bytes, field: int) -> str:
    """A text field of a message whose other fields do not matter."""
    return next(value for key, value in _walk(content) if key == field and isinstance(value, bytes)).decode()


def _bytes(record: dict[int, list[_Value]], field: int) -> list[bytes]:
    values = record.get(field, [])
    if not all(isinstance(value, bytes) for value in values):
        raise ValueError(f"field {field} is of another type")
    return [value for value in values if isinstance(value, bytes)]


def _fields(content: bytes, known: _Fields) -> dict[int, list[_Value]]:
    """The fields of a message by number."""
    record: dict[int, list[_Value]] = {}
    for field, value in _walk(content):
        if field not in known.often and (field not in known.once or field in record):
            raise ValueError(f"field {field} is unknown here, or comes twice")
        record.setdefault(field, []).append(value)
    return record


def _walk(content: bytes) -> Iterator[tuple[int, _Value]]:
    at = 0
    while at < len(content):
        key, at = _varint(content, at)
        field, wire_type = key >> 3, key & 7
        value: _Value
        if wire_type not in (0, 2):
            raise ValueError(f"a field of wire type {wire_type}")
        value, at = _varint(content, at)
        if wire_type == 2:
            end = at + value
            if end > len(content):
                raise ValueError("it is cut off")
            value, at = content[at:end], end
        yield field, value


def _varint(content: bytes, at: int) -> tuple[int, int]:
    value = 0
    for shift in range(0, 64, 7):
        byte = content[at]
        at += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, at
    raise ValueError("a number of more than 64 bits")
