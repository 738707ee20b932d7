from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import Any

import jsonschema
import malformed
import pytest
from cases import make_instance
from pydantic import ValidationError

from uara import InputError, Parameters, Provenance
from uara.base.columns import INLINE_ENTRIES, SideFile
from uara.base.files import validate
from uara.p1.schema import DeviceColumns, InstanceFile, ServerColumns, json_schema

SCHEMA = json_schema()
VALIDATOR = jsonschema.Draft202012Validator(SCHEMA)
UNITS = ("_flop", "_s", "_hz", "_w", "_bits", "_j", "_ms", "_m", "_fraction")


def test_the_published_schema_is_one() -> None:
    jsonschema.Draft202012Validator.check_schema(SCHEMA)
    assert SCHEMA["$schema"] == "https://json-schema.org/draft/2020-12/schema"


@pytest.mark.parametrize("plain", [malformed.valid(), malformed.sparse()], ids=["dense", "sparse"])
def test_valid_files_match_the_published_schema(plain: dict[str, Any]) -> None:
    VALIDATOR.validate(plain)


def test_saved_files_match_the_published_schema_with_and_without_a_side_file(tmp_path: Path) -> None:
    for shape in ((6, 2), (120, 100)):
        make_instance(*shape, missing=0.0).save(tmp_path / "case.json")
        data = json.loads((tmp_path / "case.json").read_bytes())
        assert ("side_file" in data) == (shape[0] * shape[1] > INLINE_ENTRIES)
        VALIDATOR.validate(data)


def test_the_published_schema_refuses_what_the_reader_refuses() -> None:
    # Ids that repeat, lengths that differ and deaf devices are beyond a JSON Schema; the numbers are not.
    refused = tried = 0
    for number, fault in enumerate(malformed.wrong_numbers(malformed.valid(), ("parameters", "devices"))):
        if number % 7 or fault.path == "$" or "1e999" in fault.label:
            continue
        tried += 1
        refused += not VALIDATOR.is_valid(json.loads(fault.content))
    assert tried > 100
    assert refused == tried


@pytest.mark.parametrize("columns", [ServerColumns, DeviceColumns, Parameters, Provenance, SideFile])
def test_every_key_says_what_it_is(columns: Any) -> None:
    texts = {name: field.description for name, field in columns.model_fields.items()}
    assert all(text for name, text in texts.items() if name not in ("sha256",)), texts


@pytest.mark.parametrize("columns", [ServerColumns, DeviceColumns, Parameters])
def test_every_quantity_has_its_unit_in_its_name(columns: Any) -> None:
    for name, field in columns.model_fields.items():
        if "float" in str(field.annotation):
            assert name.endswith(UNITS), name


def test_the_defaults_are_those_of_the_model() -> None:
    # Readings of the paper that the documentation argues for.
    assert Parameters().model_dump() == {
        "sync_weight_per_ms": 0.01,
        "energy_weight_ms_per_j": 50.0,
        "device_efficiency_flop_per_j": 1e9,
        "uplink_energy_j_per_mhz_w": 2.6,
        "noise_psd_dbm_per_hz": -174.0,
        "queue_slot_ms": 10.0,
        "slot_ms": 1000.0,
    }


def test_records_cannot_be_changed_and_have_no_other_keys() -> None:
    parameters = Parameters()
    with pytest.raises(ValidationError):
        parameters.slot_ms = 1.0
    with pytest.raises(ValidationError):
        Parameters(colour=1.0)  # type: ignore[call-arg]


@pytest.mark.parametrize("value", [float("nan"), float("inf"), -1.0, 0.0, 1e31, "10", True, None])
def test_a_slot_has_a_positive_length(value: object) -> None:
    with pytest.raises(InputError) as caught:
        validate({"slot_ms": value}, Parameters)
    assert caught.value.path == "$.slot_ms"


@pytest.mark.parametrize("name", ["a.npz", "a b.npz", "ä.npz"])
def test_side_files_lie_beside(name: str) -> None:
    assert SideFile(name=name, sha256="0" * 64).name == name


@pytest.mark.parametrize("name", ["a.json", "../a.npz", "a/b.npz", "a\\b.npz", ".npz", ""])
def test_side_files_lie_nowhere_else(name: str) -> None:
    with pytest.raises(InputError):
        validate({"name": name, "sha256": "0" * 64}, SideFile)


def test_a_record_of_the_file_is_complete() -> None:
    plain = malformed.valid()
    for key in copy.deepcopy(plain):
        if key == "provenance":
            continue
        with pytest.raises(InputError) as caught:
            validate({name: value for name, value in plain.items() if name != key}, InstanceFile)
        assert caught.value.path == f"$.{key}"


def test_the_published_schema_is_the_current_one() -> None:
    """``uara schema instance > instances/instance.schema.json`` makes it again."""
    published = Path(__file__).parents[2] / "instances" / "instance.schema.json"
    assert json.loads(published.read_text()) == json_schema()
