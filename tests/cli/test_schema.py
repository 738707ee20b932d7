from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from uara.p1.schema import json_schema

Command = Callable[..., Any]


@pytest.mark.parametrize("artefact", ["instance", "hetedge", "trace", "solution"])
def test_the_schema_is_a_schema(uara: Command, artefact: str) -> None:
    schema = uara("schema", artefact).data
    jsonschema.Draft202012Validator.check_schema(schema)
    assert schema["$schema"].endswith("2020-12/schema")


def test_the_instance_schema_is_the_published_one(uara: Command, instance_file: Path) -> None:
    schema = uara("schema", "instance").data
    assert schema == json.loads(json.dumps(json_schema()))
    jsonschema.validate(json.loads(instance_file.read_bytes()), schema)


def test_what_solve_writes_matches_the_solution_schema(
    uara: Command, instance_file: Path, tmp_path: Path
) -> None:
    uara("solve", instance_file, "--output", tmp_path / "s.json")
    schema = uara("schema", "solution").data
    solution = json.loads((tmp_path / "s.json").read_bytes())
    jsonschema.validate(solution, schema)
    del solution["decision"]
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(solution, schema)


def test_other_artefacts_are_refused(uara: Command) -> None:
    outcome = uara("schema", "sandwich")
    assert outcome.code == 2
    assert "instance" in outcome.err
