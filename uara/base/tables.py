"""Tables that are stored column by column, and the instance files that hold them, for every problem kind."""

from __future__ import annotations

import dataclasses
import math
import re
from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar, Protocol, Self

import numpy as np
from numpy.typing import NDArray

from uara.base import arrays, files, side_file
from uara.base.columnar import frozen
from uara.base.columns import IN_SIDE_FILE, INLINE_ENTRIES, Columns
from uara.base.errors import InputError, in_file
from uara.base.provenance import Provenance

MOST_ROWS = 1_000_000
"""Most rows of a table whose ids are in a side file."""
_HALF_CHARACTER = re.compile("[\ud800-\udfff]")


class Hash(Protocol):
    """What :mod:`hashlib` makes."""

    def update(self, data: bytes, /) -> None:
        """Add bytes."""


class Table:
    """Columns of equal length that are checked against their file schema on construction.

    Attributes
    ----------
    place
        Key path of the table in its file.
    schema
        What each column holds.
    text
        Columns of text; the others are arrays of numbers.
    whole
        Columns of whole numbers.
    """

    place: ClassVar[str]
    schema: ClassVar[type[Columns]]
    text: ClassVar[tuple[str, ...]] = ("id", "model", "task")
    whole: ClassVar[tuple[str, ...]] = ()

    def __post_init__(self) -> None:
        columns: dict[str, Any] = {}
        for field in dataclasses.fields(self):  # type: ignore[arg-type]
            value = getattr(self, field.name)
            if value is None:
                continue
            if field.name in self.text:
                if isinstance(value, str) or not isinstance(value, Iterable):
                    raise InputError("not a list of texts", path=f"{self.place}.{field.name}")
                columns[field.name] = list(value)
                object.__setattr__(self, field.name, tuple(columns[field.name]))
            else:
                dtype = np.int64 if field.name in self.whole else float
                columns[field.name] = frozen(value, dtype, f"{self.place}.{field.name}")
                object.__setattr__(self, field.name, columns[field.name])
        files.validate(columns, self.schema, path=self.place)
        self._check_rows(columns)

    def _check_rows(self, columns: Mapping[str, Any]) -> None:
        ids = columns["id"]
        if not ids:
            raise InputError("there must be at least one", path=f"{self.place}.id")
        for name, column in columns.items():
            if len(column) != len(ids):
                raise InputError(
                    f"{len(column)} entries, but there are {len(ids)} ids", path=f"{self.place}.{name}"
                )
        seen: dict[str, int] = {}
        for index, name in enumerate(ids):
            if name in seen:
                raise InputError(
                    f"{name!r} is the id of entry {seen[name]} too", path=f"{self.place}.id[{index}]"
                )
            seen[name] = index

    def columns(self) -> dict[str, Any]:
        """The columns that are set: tuples of text, and arrays."""
        names = [field.name for field in dataclasses.fields(self)]  # type: ignore[arg-type]
        return {name: getattr(self, name) for name in names if getattr(self, name) is not None}

    def feed(self, digest: Hash) -> None:
        """Add the names and the content of the columns that are set to a digest."""
        for name, column in self.columns().items():
            digest.update(name.encode())
            digest.update("\0".join(column).encode() if name in self.text else column.tobytes())

    def __len__(self) -> int:
        return len(self.id)  # type: ignore[attr-defined]

    def replace(self, **columns: Any) -> Self:
        """A copy with some columns changed, checked again."""
        return dataclasses.replace(self, **columns)  # type: ignore[type-var]

    def take(self, rows: Sequence[int] | NDArray[Any]) -> Self:
        """Some of the rows, in the order that is given."""
        chosen = np.asarray(rows, dtype=np.int64)
        columns = self.columns().items()
        return type(self)(**{name: _rows(column, chosen) for name, column in columns})


class Tabled(ABC):
    """What instances of all kinds share: a checked name, copies, and files whose big columns stand beside them.

    Attributes
    ----------
    kind
        Name of the problem kind.
    places
        Keys of the tables in an instance file.
    """

    kind: ClassVar[str]
    places: ClassVar[tuple[str, ...]]

    name: str
    provenance: Provenance

    def __post_init__(self) -> None:
        name = self.name
        if not isinstance(name, str) or not 0 < len(name) <= 200 or _HALF_CHARACTER.search(name):
            raise InputError("must be a text of 1 to 200 characters", path="$.name")

    def replace(self, **parts: Any) -> Self:
        """A copy with some parts changed, checked again."""
        return dataclasses.replace(self, **parts)  # type: ignore[type-var]

    @classmethod
    @abstractmethod
    def from_plain(cls, data: Mapping[str, Any]) -> Self:
        """Build an instance from the decoded content of an instance file."""

    def to_plain(self) -> dict[str, Any]:
        """The head of an instance file, to which each kind adds its tables, as arrays or tuples."""
        provenance = self.provenance.model_dump(exclude_defaults=True)
        return {"schema_version": 1, "kind": self.kind, "name": self.name, "provenance": provenance}

    @classmethod
    def load(cls, path: str | Path) -> Self:
        """Read an instance file, and its side file if it has one.

        Raises
        ------
        InputError
            One error that names the file, the key path and what is wrong there.
        """
        path = Path(path)
        data = files.read_plain_json(path)
        with in_file(path):
            fill_from_side_file(data, path, cls.places)
            return cls.from_plain(data)

    def save(self, path: str | Path) -> None:
        """Write the instance file, and a side ``.npz`` where columns have more than 10,000 entries.

        Each file is written whole or not at all; the same instance gives the same bytes.
        """
        path = Path(path)
        if path.suffix == ".npz":
            raise InputError("is the name of a side file; instances are JSON", source=str(path))
        data, big = self.to_plain(), dict[str, NDArray[Any]]()
        for place in self.places:
            columns = data[place].items()
            data[place] = {name: _inline(column, f"{place}.{name}", big) for name, column in columns}
        side_file.write(path, data, big)


def _rows(column: Any, chosen: NDArray[np.int64]) -> Any:
    return column[chosen] if isinstance(column, np.ndarray) else [column[row] for row in chosen.tolist()]


def _inline(column: Any, name: str, big: dict[str, NDArray[Any]]) -> Any:
    if isinstance(column, str):
        return column
    array = np.asarray(column)
    if array.dtype.kind == "U" and array.tolist() != list(column):  # NumPy drops NUL at the end of a text
        return list(column)
    if array.size <= INLINE_ENTRIES:
        return array.tolist()
    big[name] = array
    return IN_SIDE_FILE + name


def fill_from_side_file(data: dict[str, Any], path: Path, places: Sequence[str]) -> None:
    """Put the arrays of the side file in the place of the references to them.

    The ids come first: they say how many entries the other columns can have.

    Raises
    ------
    InputError
        If the side file is missing, has another hash, or lacks an array, or an array is of another kind or has
        more entries than belong there.
    """
    references = [
        (place, name, value[len(IN_SIDE_FILE) :])
        for place in places
        for name, value in _items(data.get(place))
        if isinstance(value, str) and value.startswith(IN_SIDE_FILE)
    ]
    references.sort(key=lambda reference: reference[1] != "id")
    if not references:
        return
    side = data.get("side_file")
    if not isinstance(side, dict) or not isinstance(side.get("name"), str):
        raise InputError("arrays are said to be in a side file, but none is named", path="$.side_file")
    name = side["name"]
    if Path(name).name != name:
        raise InputError("must be a file name without a folder", path="$.side_file.name")
    with arrays.opened(side_file.locate(path, name), str(side.get("sha256"))) as archive:
        for place, key, array in references:
            read = archive.read_texts if key in Table.text else archive.read
            data[place][key] = read(array, _most_entries(data, place, key, places), f"$.{place}.{key}")


def _most_entries(data: Mapping[str, Any], place: str, key: str, places: Sequence[str]) -> int:
    """Most entries of a column: three an id (a position), or of a table without ids one a pair of them."""
    ids = {each: data[each].get("id") for each in places if isinstance(data.get(each), dict)}
    counts = {each: len(found) for each, found in ids.items() if isinstance(found, list)}
    if key == "id":
        return MOST_ROWS
    return 3 * counts[place] if place in counts else math.prod(counts.values()) + 1


def _items(table: object) -> Iterable[tuple[str, Any]]:
    return table.items() if isinstance(table, dict) else ()
