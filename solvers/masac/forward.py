"""The policy's forward pass by NumPy: the operators that the exporter's network consists of, in single precision.

A network of 47 nodes needs no inference engine, which would be a sixth of a core installation. What each operator
means: https://onnx.ai/onnx/operators/. Tests hold the answers against ONNX Runtime's.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .onnx_graph import Step

_Array = NDArray[Any]
_ROWS = 64
"""Rows of a product: many, since each product has a cost of its own; so few that no BLAS starts threads for it."""


def _clip(value: _Array, low: _Array | None = None, high: _Array | None = None) -> _Array:
    if low is not None:
        value = np.maximum(value, low)
    return value if high is None else np.minimum(value, high)


def _matmul(value: _Array, weight: _Array) -> _Array:
    if weight.ndim != 2 or value.ndim < 2:
        return np.asarray(np.matmul(value, weight))
    rows = value.reshape(-1, value.shape[-1])
    found = np.empty((len(rows), weight.shape[1]), np.result_type(rows, weight))
    for first in range(0, len(rows), _ROWS):
        np.matmul(rows[first : first + _ROWS], weight, out=found[first : first + _ROWS])
    return found.reshape(*value.shape[:-1], weight.shape[1])


def _slice(value: _Array, starts: _Array, ends: _Array, axes: _Array, steps: _Array) -> _Array:
    chosen = [slice(None)] * value.ndim
    for start, end, axis, step in zip(starts, ends, axes, steps, strict=True):
        chosen[axis] = slice(int(start), int(end), int(step))
    return value[tuple(chosen)]


def _unsqueeze(value: _Array, axes: _Array) -> _Array:
    return np.expand_dims(value, tuple(int(axis) for axis in axes))


OPERATORS: Mapping[str, Callable[..., _Array]] = {
    "Add": np.add,
    "Clip": _clip,
    "Div": np.divide,
    "MatMul": _matmul,
    "Mul": np.multiply,
    "Relu": lambda value: np.maximum(value, np.float32(0)),
    "Slice": _slice,
    "Unsqueeze": _unsqueeze,
}
"""By the name that ONNX has for them; ``ReduceSum``, which has an attribute, apart."""


def forward(
    steps: Sequence[Step], tensors: Mapping[str, _Array], inputs: Mapping[str, _Array], output: str
) -> NDArray[np.float32]:
    """The output of a network.

    Parameters
    ----------
    steps, tensors
        Its nodes in order, and its weights and constants (:class:`.onnx_graph.Contents`).
    inputs
        Arrays of single precision by their names.

    Raises
    ------
    ValueError, IndexError
        If weights and inputs do not fit together.
    """
    last = {name: number for number, step in enumerate(steps) for name in step.inputs}
    values: dict[str, _Array] = {**tensors, **inputs}
    with np.errstate(all="ignore"):  # what is not finite shows in the answer
        for number, step in enumerate(steps):
            given = [values[name] if name else None for name in step.inputs]
            if step.kind == "ReduceSum":
                value, axes = given
                assert value is not None
                assert axes is not None
                values[step.output] = value.sum(axis=tuple(map(int, axes)), keepdims=step.keepdims)
            else:
                values[step.output] = OPERATORS[step.kind](*given)
            for name in step.inputs:
                if last.get(name) == number:
                    values.pop(name, None)  # large where there are many pairs
    return np.asarray(values[output], dtype=np.float32)
