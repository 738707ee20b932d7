from __future__ import annotations

import json
import math
import os
import signal
import subprocess
import sys
import textwrap
import tracemalloc
from pathlib import Path
from typing import Annotated, Any, Literal

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import Field, ValidationError

from uara.base import files
from uara.base.errors import InputError
from uara.base.files import Record


class Inner(Record):
    size_m: Annotated[float, Field(gt=0)] = 1.0


class First(Record):
    kind: Literal["first"]
    value: int = 0


class Second(Record):
    kind: Literal["second"]
    value: list[Inner] = []


class Outer(Record):
    inner: Inner = Inner()
    table: list[list[float]] = []
    either: Annotated[First | Second, Field(discriminator="kind")] | None = None
    loose: dict[str, int | str] = {}


plain_json = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**53), 2**53)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=20,
)


# Key paths


@pytest.mark.parametrize(
    ("data", "path"),
    [
        ({"inner": {"size_m": 0}}, "$.inner.size_m"),
        ({"inner": {"size_m": "1"}}, "$.inner.size_m"),
        ({"inner": {"size_m": math.nan}}, "$.inner.size_m"),
        ({"inner": {"colour": 1}}, "$.inner.colour"),
        ({"inner": []}, "$.inner"),
        ({"table": [[1.0], [1.0, None]]}, "$.table[1][1]"),
        ({"table": [[1.0], 3]}, "$.table[1]"),
        ({"either": {"kind": "third"}}, "$.either"),
        ({"either": {"kind": "first", "value": "x"}}, "$.either.value"),
        ({"either": {"kind": "second", "value": [{}, {"size_m": -1}]}}, "$.either.value[1].size_m"),
        ({"either": {"kind": "first", "second": 1}}, "$.either.second"),
        ({"loose": {"a": []}}, "$.loose.a"),
        ({"strange key": 1}, "$['strange key']"),
        ({"new\nline": 1}, "$['new\\nline']"),
        ({"k" * 500: 1}, "$['" + "k" * 56 + "...]"),
        ([], "$"),
        (None, "$"),
    ],
)
def test_the_key_path_is_that_of_the_data(data: object, path: str) -> None:
    with pytest.raises(InputError) as caught:
        files.validate(data, Outer)
    assert caught.value.path == path
    assert len(str(caught.value)) < 300


def test_a_missing_key_is_named() -> None:
    with pytest.raises(InputError) as caught:
        files.validate({"either": {}}, Outer, path="$.options")
    assert caught.value.path == "$.options.either"


def test_the_offending_value_is_shown_in_short() -> None:
    with pytest.raises(InputError, match=r"found 'xxx.*\.\.\.\)") as caught:
        files.validate({"inner": {"size_m": "x" * 10_000}}, Outer)
    assert len(str(caught.value)) < 200
    with pytest.raises(InputError, match=r"found dict of 3"):
        files.validate({"table": {"a": 1, "b": 2, "c": 3}}, Outer)


@pytest.mark.integration
@given(plain_json)
def test_any_data_is_a_record_or_an_input_error(data: object) -> None:
    path: str | None = "$"
    try:
        files.validate(data, Outer)
    except InputError as error:
        path = error.path
    assert path is not None
    assert path.startswith("$")


def test_strings_stand_for_numbers_on_the_command_line_alone() -> None:
    assert files.validate({"size_m": "2.5"}, Inner, strict=False) == Inner(size_m=2.5)
    with pytest.raises(InputError):
        files.validate({"size_m": "2.5"}, Inner)


# Reading


def test_a_file_that_is_not_there_or_no_file(tmp_path: Path) -> None:
    for path, text in ((tmp_path / "none.json", "no such file"), (tmp_path, "not a regular file")):
        with pytest.raises(InputError, match=text) as caught:
            files.read_bytes(path)
        assert caught.value.source == str(path)


def test_a_pipe_is_refused_before_it_blocks(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(InputError, match="not a regular file"):
        files.read_bytes(tmp_path / "pipe")


@pytest.mark.parametrize("name", ["nul\0.json", "x" * 300, "a/" * 3000 + "b"])
def test_a_name_that_the_system_refuses(tmp_path: Path, name: str) -> None:
    with pytest.raises(InputError):
        files.read_bytes(tmp_path / name)


def test_a_huge_file_is_refused_unread(tmp_path: Path) -> None:
    path = tmp_path / "huge.json"
    with path.open("wb") as file:
        file.truncate(files.MAX_JSON_BYTES + 1)  # sparse: takes no room
    tracemalloc.start()
    with pytest.raises(InputError, match=f"more than the {files.MAX_JSON_BYTES} that are read") as caught:
        files.read_plain_json(path)
    _, most_bytes = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert most_bytes < files.MAX_JSON_BYTES / 10
    assert caught.value.source == str(path)


def test_more_values_than_memory_is_meant_for_are_refused_undecoded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("uara.base.decoding.MAX_JSON_VALUES", 1000)
    (tmp_path / "a.json").write_text('{"a": [' + "[]," * 999 + "[]]}")
    assert len(files.read_plain_json(tmp_path / "a.json")["a"]) == 1000
    (tmp_path / "a.json").write_text('{"a": [' + "[]," * 1001 + "[]]}")
    with pytest.raises(InputError, match="more than the 1000 values"):
        files.read_plain_json(tmp_path / "a.json")


def test_the_limit_itself_is_read(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"12345")
    assert files.read_bytes(tmp_path / "a", limit_bytes=5) == b"12345"
    with pytest.raises(InputError, match="5 bytes, more than the 4"):
        files.read_bytes(tmp_path / "a", limit_bytes=4)


@pytest.mark.parametrize(
    "content",
    [b"", b"{", b"NaN", b"\xff", b"[" * 10**6, b"[]", b"1", b'"a"', b"null", b'{"a": NaN}', b"{} {}"],
)
def test_what_is_no_json_object_is_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "a.json"
    path.write_bytes(content)
    with pytest.raises(InputError) as caught:
        files.read_plain_json(path)
    assert (caught.value.source, caught.value.path) == (str(path), "$")


def test_an_error_in_a_record_names_the_file(tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    path.write_text('{"inner": {"size_m": -1}}')
    with pytest.raises(InputError) as caught:
        files.read_json(path, Outer)
    assert (caught.value.source, caught.value.path) == (str(path), "$.inner.size_m")


# Writing


@pytest.mark.integration
@given(plain_json)
def test_pretty_json_is_the_same_data(data: object) -> None:
    text = files.pretty_json(data)
    assert json.loads(text) == data
    assert files.pretty_json(json.loads(text)) == text
    assert text.endswith("\n")


@given(st.lists(st.floats(allow_nan=False, allow_infinity=False), min_size=1))
def test_numbers_survive_to_the_last_bit(values: list[float]) -> None:
    again = json.loads(files.pretty_json({"a": values}))["a"]
    assert [value.hex() for value in again] == [value.hex() for value in values]


def test_pretty_json_keeps_lists_on_a_line() -> None:
    assert files.pretty_json({"a": [1, 2], "b": [[1], [2]], "c": {}, "d": []}) == (
        '{\n  "a": [1, 2],\n  "b": [\n    [1],\n    [2]\n  ],\n  "c": {},\n  "d": []\n}\n'
    )


def test_records_are_written_as_they_are_read(tmp_path: Path) -> None:
    record = Outer(
        table=[[1.5, 2.0]], either=Second(kind="second", value=[Inner(size_m=3.0)]), loose={"a": "b"}
    )
    files.write_json(tmp_path / "a.json", record)
    assert files.read_json(tmp_path / "a.json", Outer) == record


def test_what_json_cannot_hold_is_not_written(tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    path.write_text("old")
    with pytest.raises(ValueError, match="Out of range"):
        files.write_json(path, {"a": math.inf})
    assert path.read_text() == "old"


def test_folders_are_made_and_nothing_else_is_left(tmp_path: Path) -> None:
    files.write_bytes(tmp_path / "new" / "folder" / "a.json", b"1")
    assert [path.name for path in (tmp_path / "new" / "folder").iterdir()] == ["a.json"]


def test_an_error_while_writing_leaves_the_old_file(tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    path.write_text("old")

    def write_half() -> None:
        with files.replacing(path) as temporary:
            temporary.write_text("half")
            raise RuntimeError

    with pytest.raises(RuntimeError):
        write_half()
    assert path.read_text() == "old"
    assert [item.name for item in tmp_path.iterdir()] == ["a.json"]


def test_a_killed_writer_leaves_the_old_file(tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    path.write_text("old")
    script = f"""
        import time
        from pathlib import Path
        from uara.base.files import replacing
        with replacing(Path({str(path)!r})) as temporary:
            temporary.write_text("half")
            print("writing", flush=True)
            time.sleep(60)
    """
    with subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(script)], stdout=subprocess.PIPE, text=True
    ) as writer:
        assert writer.stdout is not None
        assert writer.stdout.readline() == "writing\n"
        writer.send_signal(signal.SIGKILL)
        writer.wait(10)
    assert path.read_text() == "old"


def test_a_place_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    (tmp_path / "folder").mkdir()
    for path in (tmp_path / "file" / "a.json", tmp_path / "folder", tmp_path / ("x" * 300)):
        with pytest.raises(InputError, match="cannot be written") as caught:
            files.write_bytes(path, b"1")
        assert caught.value.source == str(path)
    assert sorted(item.name for item in tmp_path.iterdir()) == ["file", "folder"]


def test_files_get_the_usual_rights(tmp_path: Path) -> None:
    mask = os.umask(0o027)
    try:
        files.write_bytes(tmp_path / "a.json", b"1")
    finally:
        os.umask(mask)
    assert (tmp_path / "a.json").stat().st_mode & 0o777 == 0o640


# Arrays


def test_the_bytes_of_arrays_depend_on_them_alone() -> None:
    arrays: dict[str, Any] = {
        "b": np.arange(6).reshape(2, 3),
        "a": np.array([0.1, np.pi]),
        "c": np.array(["x", "yz"]),
    }
    content = files.arrays_to_bytes(arrays)
    assert files.arrays_to_bytes(dict(reversed(arrays.items()))) == content
    assert files.arrays_to_bytes({**arrays, "a": np.array([0.1, 3.0])}) != content


def test_no_pickled_object_is_written() -> None:
    with pytest.raises(ValueError, match="allow_pickle"):
        files.arrays_to_bytes({"a": np.array([{}], dtype=object)})


class Column(Record):
    rows: list[list[float]]
    words: list[str] | None = None


def test_a_list_ends_at_its_first_wrong_item() -> None:
    """A million wrong items would be a million errors, and gigabytes."""
    wrong = {"rows": [[1.0, "a", "b"], ["c"]], "words": [1] * 1000}
    with pytest.raises(ValidationError) as caught:
        Column.model_validate(wrong)
    assert caught.value.error_count() < 5
    with pytest.raises(InputError, match=r"rows\[0\]\[1\]: Input should be a valid number"):
        files.validate(wrong, Column)
