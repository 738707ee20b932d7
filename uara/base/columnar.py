"""Records whose fields are arrays: whatever array-like is given becomes a read-only array of the field's type.

    @columnar
    class Prices:
        '''What each server asks for.'''

        price_ms: FloatColumn = column()

        def __post_init__(self) -> None:
            freeze_fields(self, {"price_ms": np.float64}, source="prices")

A type checker takes every array-like in the constructor and reads an array from the field.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any, ClassVar, Self, TypeVar, dataclass_transform

import numpy as np
from numpy.typing import ArrayLike, NDArray

from uara.base.errors import InputError
from uara.base.files import Record, validate
from uara.base.quantities import Floats, Indices

C = TypeVar("C")
Booleans = NDArray[np.bool_]
_KINDS = {"i": "iu", "b": "b", "f": "iuf"}
"""Kinds of arrays that are taken where integers, truth values or numbers are wanted."""

if TYPE_CHECKING:

    class FloatColumn:
        """Numbers."""

        def __get__(self, owner: object, kind: object = None) -> Floats: ...
        def __set__(self, owner: object, value: ArrayLike) -> None: ...

    class IndexColumn:
        """Whole numbers."""

        def __get__(self, owner: object, kind: object = None) -> Indices: ...
        def __set__(self, owner: object, value: ArrayLike) -> None: ...

    class BoolColumn:
        """Truth values."""

        def __get__(self, owner: object, kind: object = None) -> Booleans: ...
        def __set__(self, owner: object, value: ArrayLike) -> None: ...

    class TextColumn:
        """Texts, which become a tuple."""

        def __get__(self, owner: object, kind: object = None) -> tuple[str, ...]: ...
        def __set__(self, owner: object, value: Iterable[str]) -> None: ...

    class OptionalFloats:
        """Numbers, or None."""

        def __get__(self, owner: object, kind: object = None) -> Floats | None: ...
        def __set__(self, owner: object, value: ArrayLike | None) -> None: ...

    class OptionalTexts:
        """Texts, which become a tuple, or None."""

        def __get__(self, owner: object, kind: object = None) -> tuple[str, ...] | None: ...
        def __set__(self, owner: object, value: Iterable[str] | None) -> None: ...

else:
    FloatColumn, IndexColumn, BoolColumn = Floats, Indices, Booleans
    TextColumn, OptionalFloats, OptionalTexts = tuple[str, ...], Floats | None, tuple[str, ...] | None


def column(*, default: Any = dataclasses.MISSING) -> Any:
    """A field of a :func:`columnar` record; without a default it must be given."""
    return dataclasses.field(default=default)


@dataclass_transform(frozen_default=True, eq_default=False, field_specifiers=(column,))
def columnar(record: type[C]) -> type[C]:
    """A frozen data class that is compared by identity, since arrays have no one truth value."""
    return dataclasses.dataclass(frozen=True, eq=False)(record)


def frozen(
    values: ArrayLike, dtype: Any, path: str, *, source: str | None = None, vector: bool = False
) -> NDArray[Any]:
    """A read-only array of a type.

    Parameters
    ----------
    path, source
        Where the values stand, for errors.
    vector
        Whether one dimension is wanted.

    Raises
    ------
    InputError
        If the values are not of this type, or of another number of dimensions.
    """
    shape = "vector" if vector else "array"
    try:
        given = np.asarray(values)
        if given.size and given.dtype.kind not in _KINDS[np.dtype(dtype).kind]:
            raise TypeError(f"found {given.dtype}")
        array: NDArray[Any] = np.array(given, dtype=dtype)
    except (TypeError, ValueError, OverflowError) as error:
        problem = f"not a{'n' * (not vector)} {shape} of {np.dtype(dtype).name}: {error}"
        raise InputError(problem, source=source, path=path) from None
    if vector and array.ndim != 1:
        raise InputError(f"has {array.ndim} dimensions, not 1", source=source, path=path)
    array.flags.writeable = False
    return array


def freeze_fields(record: object, types: Mapping[str, Any], *, source: str) -> None:
    """Make vectors of the fields of a new record, each of its type; see :func:`frozen`."""
    for name, dtype in types.items():
        vector = frozen(getattr(record, name), dtype, name, source=source, vector=True)
        object.__setattr__(record, name, vector)


class ColumnarDecision:
    """A columnar decision whose fields are those of a record: plain data of it, and back."""

    record: ClassVar[type[Record]]

    @classmethod
    def from_plain(cls, plain: dict[str, Any]) -> Self:
        """From the data of :meth:`to_plain`; raises :class:`InputError`, with a key path, if it is something else."""
        return cls(**dict(validate(plain, cls.record, path="$.decision")))

    def to_plain(self) -> dict[str, Any]:
        """Plain data for JSON, a list for each field."""
        return {name: getattr(self, name).tolist() for name in self.record.model_fields}
