from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, ClassVar

import numpy as np
import pytest
from pydantic import Field

from uara.base import files, tables
from uara.base.columns import Columns
from uara.base.errors import InputError
from uara.base.provenance import Provenance
from uara.base.quantities import Name, Positive
from uara.base.tables import Table, Tabled, frozen
from uara.p1.schema import Column


class StoneColumns(Columns):
    id: list[Name]
    mass_kg: Column[Positive]
    count: Column[Annotated[int, Field(ge=0)]] | None = None


@dataclasses.dataclass(frozen=True, eq=False)
class Stones(Table):
    place: ClassVar[str] = "$.stones"
    schema: ClassVar[type[Columns]] = StoneColumns
    text: ClassVar[tuple[str, ...]] = ("id",)
    whole: ClassVar[tuple[str, ...]] = ("count",)

    id: tuple[str, ...]
    mass_kg: np.ndarray
    count: np.ndarray | None = None


@dataclasses.dataclass(frozen=True)
class Heap(Tabled):
    """What a file holds, unchecked."""

    stones: Mapping[str, Any]
    name: str = "heap"
    provenance: Provenance = Provenance()

    kind: ClassVar[str] = "stones"
    places: ClassVar[tuple[str, ...]] = ("stones",)

    @classmethod
    def from_plain(cls, data: Mapping[str, Any]) -> Heap:
        return cls(data["stones"])

    def to_plain(self) -> dict[str, Any]:
        return {**super().to_plain(), "stones": dict(self.stones)}


def test_some_rows_are_a_table_of_their_own() -> None:
    stones = Stones(("a", "b", "c"), np.array([1.0, 2, 3]))
    some = stones.take([2, 0])
    assert (some.id, some.mass_kg.tolist(), some.count) == (("c", "a"), [3.0, 1.0], None)
    with pytest.raises(InputError, match="at least one"):
        stones.take([])


def test_an_instance_without_a_reader_is_none() -> None:
    class Pile(Tabled):
        pass

    with pytest.raises(TypeError, match="from_plain"):
        Pile()  # type: ignore[abstract]


def test_columns_are_checked_and_frozen() -> None:
    stones = Stones(("a", "b"), np.array([1.0, 2]), np.array([3, 4]))
    assert len(stones) == 2
    assert stones.count is not None
    assert stones.count.dtype == np.int64
    assert set(stones.columns()) == {"id", "mass_kg", "count"}
    assert set(stones.replace(count=None).columns()) == {"id", "mass_kg"}
    with pytest.raises(ValueError, match="read-only"):
        stones.mass_kg[0] = 9


@pytest.mark.parametrize(
    ("columns", "path"),
    [
        ({"id": ("a", "a")}, "$.stones.id[1]"),
        ({"id": ()}, "$.stones.id"),
        ({"id": "ab"}, "$.stones.id"),
        ({"mass_kg": np.array([1.0])}, "$.stones.mass_kg"),
        ({"mass_kg": np.array([1.0, -2.0])}, "$.stones.mass_kg[1]"),
        ({"mass_kg": np.array(["x", "y"])}, "$.stones.mass_kg"),
        ({"count": np.array([0.5, 1.0])}, "$.stones.count"),
    ],
)
def test_what_is_wrong_is_named(columns: dict[str, object], path: str) -> None:
    good: dict[str, object] = {"id": ("a", "b"), "mass_kg": np.array([1.0, 2.0])}
    with pytest.raises(InputError) as error:
        Stones(**{**good, **columns})  # type: ignore[arg-type]
    assert error.value.path == path


def test_frozen_copies() -> None:
    values = np.array([1.0, 2.0])
    kept = frozen(values, float, "$.x")
    values[0] = 7
    assert kept[0] == 1


def test_big_columns_go_to_the_side_and_come_back(tmp_path: Path) -> None:
    path = tmp_path / "stones.json"
    stones = {"id": list(map(str, range(10_001))), "mass_kg": np.arange(10_001.0)}
    Heap({**stones, "note": "kept"}).save(path)
    plain = files.read_plain_json(path)
    assert plain["stones"]["mass_kg"].startswith("npz:")
    tables.fill_from_side_file(plain, path, ("stones",))
    assert plain["stones"]["mass_kg"].tolist() == list(range(10_001))
    assert plain["stones"]["id"] == list(map(str, range(10_001)))
    assert plain["stones"]["note"] == "kept"
    next(iter(tmp_path.glob("*.npz"))).unlink()
    with pytest.raises(InputError, match="no such file"):
        tables.fill_from_side_file(files.read_plain_json(path), path, ("stones",))


def test_a_reference_without_a_side_file(tmp_path: Path) -> None:
    with pytest.raises(InputError) as error:
        tables.fill_from_side_file({"stones": {"mass_kg": "npz:x"}}, tmp_path / "x.json", ("stones",))
    assert error.value.path == "$.side_file"


def test_a_nul_at_the_end_of_a_text_is_kept(tmp_path: Path) -> None:
    for count in (1, 2 * tables.INLINE_ENTRIES):
        ids = tuple(f"{n}\0" for n in range(count))
        Heap({"id": ids}).save(tmp_path / "a.json")
        assert Heap.load(tmp_path / "a.json").stones["id"] == list(ids)
