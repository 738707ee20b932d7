from __future__ import annotations

import pytest

from uara.base.columns import IN_SIDE_FILE, Columns, SideFile
from uara.base.errors import InputError
from uara.base.files import validate


class Pebbles(Columns):
    """Stones."""

    id: list[str]
    """Names."""
    mass_kg: list[float] | None = None
    kind: str = ""


def test_a_column_is_a_list_or_a_reference_in_the_schema_and_a_text_is_none() -> None:
    schema = Pebbles.model_json_schema()["properties"]
    reference = {"type": "string", "pattern": f"^{IN_SIDE_FILE}.+"}
    assert reference in schema["id"]["anyOf"]
    assert schema["id"]["description"] == "Names."
    assert [each["type"] for each in schema["mass_kg"]["anyOf"]] == ["array", "null", "string"]
    assert "anyOf" not in schema["kind"]


@pytest.mark.parametrize(
    ("changes", "path"),
    [
        ({"name": "../a.npz"}, "$.name"),
        ({"name": "a\\b.npz"}, "$.name"),
        ({"name": "a.json"}, "$.name"),
        ({"sha256": "0" * 63}, "$.sha256"),
        ({"sha256": "G" * 64}, "$.sha256"),
    ],
)
def test_a_side_file_is_a_name_in_the_same_folder_and_a_hash(changes: dict[str, str], path: str) -> None:
    good = {"name": "a.npz", "sha256": "0" * 64}
    assert validate(good, SideFile).name == "a.npz"
    with pytest.raises(InputError) as caught:
        validate({**good, **changes}, SideFile)
    assert caught.value.path == path
