"""The format of tables in files: columns, and the side file that holds the big ones."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import ConfigDict, Field

from uara.base.files import Record

INLINE_ENTRIES = 10_000
"""Columns and matrices with more entries than this go into the side ``.npz``."""
IN_SIDE_FILE = "npz:"
"""A string that starts so stands for the array of that name in the side file."""


def _columns_schema(schema: dict[str, Any]) -> None:
    """In a file, a big column is a reference into the side file instead of a list."""
    reference = {"type": "string", "pattern": f"^{IN_SIDE_FILE}.+"}
    for name, column in schema["properties"].items():
        kinds = column.pop("anyOf", [column])
        if any(kind.get("type") == "array" for kind in kinds):
            text = {key: column.pop(key) for key in ("description", "default") if key in column}
            column.pop("title", None)
            schema["properties"][name] = {**text, "anyOf": [*kinds, reference]}


class Columns(Record):
    """A table stored column by column; all columns of one table have the same length."""

    model_config = ConfigDict(json_schema_extra=_columns_schema)


class SideFile(Record):
    """The ``.npz`` beside the JSON file that holds the big arrays."""

    name: Annotated[str, Field(pattern=r"^[^/\\]+\.npz$")]
    """File name, in the folder of the JSON file."""
    sha256: Annotated[str, Field(pattern="^[0-9a-f]{64}$")]
