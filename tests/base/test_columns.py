"""What the schema says of tables: a column is a list, or the name of an array in the side file."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from uara.base.columns import IN_SIDE_FILE, Columns, SideFile


class Table(Columns):
    """One that has every kind of column."""

    size: list[float]
    """In metres."""
    name: list[str] | None = None
    count: int = 3


def test_each_column_may_be_in_the_side_file_and_a_number_may_not() -> None:
    properties = Table.model_json_schema()["properties"]
    reference = {"type": "string", "pattern": f"^{IN_SIDE_FILE}.+"}
    assert properties["size"]["anyOf"] == [{"type": "array", "items": {"type": "number"}}, reference]
    assert [each.get("type") for each in properties["name"]["anyOf"]] == ["array", "null", "string"]
    assert properties["name"]["default"] is None
    assert properties["count"]["type"] == "integer"
    assert "anyOf" not in properties["count"]


@pytest.mark.parametrize(
    "fault",
    [
        {"name": "../a.npz"},
        {"name": "a\\b.npz"},
        {"name": "a.json"},
        {"sha256": "0" * 63},
        {"sha256": "G" * 64},
    ],
)
def test_a_side_file_lies_beside_and_is_known_by_its_digest(fault: dict[str, Any]) -> None:
    good = {"name": "a.npz", "sha256": "0" * 64}
    assert SideFile(**good).name == "a.npz"
    with pytest.raises(ValidationError):
        SideFile(**(good | fault))
