"""JSON and TOML that say two things, or nothing that a double or 64 bits hold, are refused; the rest is read."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from uara import InputError
from uara.base import files
from uara.base.decoding import parse_json


@pytest.mark.parametrize(
    ("content", "path", "problem"),
    [
        (b'{"a": 1, "a": 1}', "$", "the key 'a' is given twice"),
        (b'{"a": [{"b:": 1, "c": {"d": 1, "\\u0064": 2}}]}', "$", "the key 'd' is given twice"),
        (b'{"a": "\\":", "b": [{}, {"c": ":", "c": ":"}]}', "$", "the key 'c' is given twice"),
        (b'{"a": [1, {"b": 9223372036854775808}]}', "$.a[1].b", "more than 64 bits"),
        (b'{"a": -9223372036854775809}', "$.a", "more than 64 bits"),
        (b'{"a": [[1e999]]}', "$.a[0][0]", "must be a finite number"),
        (b'{"a": ' + b"[" * 101 + b"]" * 101 + b"}", "$.a[0]", "lies in more than 100 others"),
    ],
)
def test_json_says_one_thing_only(tmp_path: Path, content: bytes, path: str, problem: str) -> None:
    (tmp_path / "a.json").write_bytes(content)
    with pytest.raises(InputError) as caught:
        files.read_plain_json(tmp_path / "a.json")
    assert problem in caught.value.problem
    assert (caught.value.path or "").startswith(path)


TEXT = st.text(st.characters(codec="utf-8"), max_size=6)


@given(
    st.dictionaries(TEXT, st.one_of(TEXT, st.floats(allow_nan=False, allow_infinity=False)), min_size=1),
    st.data(),
)
def test_a_key_is_given_once(data: dict[str, Any], draw: st.DataObject) -> None:
    pairs = list(data.items())
    text = json.dumps({"kept": data, "list": [data, 1, "a:b"]})
    assert parse_json(text.encode()) == json.loads(text)
    pairs.insert(draw.draw(st.integers(0, len(pairs))), draw.draw(st.sampled_from(pairs)))
    repeated = ", ".join(f"{json.dumps(key)}: {json.dumps(value)}" for key, value in pairs)
    with pytest.raises(InputError, match="is given twice"):
        parse_json(f'{{"outer": [{{{repeated}}}]}}'.encode())


def test_a_byte_order_mark_is_taken(tmp_path: Path) -> None:
    (tmp_path / "a.json").write_bytes(b'\xef\xbb\xbf{"a": 1}')
    (tmp_path / "a.toml").write_bytes(b"\xef\xbb\xbfa = 1")
    assert files.read_plain_json(tmp_path / "a.json") == files.read_toml(tmp_path / "a.toml") == {"a": 1}


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (b"a = 1\na = 2", "not valid TOML"),
        (b"a = " + b"9" * 5000, "not valid TOML"),
        (b"a = 9223372036854775808", "more than 64 bits"),
        (b"a = [1.0, inf]", "must be a finite number"),
        (b"a = nan", "must be a finite number"),
        (b"a = 1979-05-27", "a date must be written as text"),
        (b"a = " + b"[" * 101 + b"]" * 101, "lies in more than 100 others"),
        (b"a = " + b"[" * 5000 + b"]" * 5000, "not valid TOML"),
        (b"a" + b".a" * 100_000 + b" = 1", "more than 100 parts"),
        (b'"a"' + b' . "a"' * 20_000 + b" = 1", "more than 100 parts"),
        (b"a = \xff", "not valid TOML"),
        (b"a = 1" + b"\n" * 2**18, "more than the 262144 that are read"),
    ],
    ids=range(12),
)
def test_toml_is_as_strict(tmp_path: Path, content: bytes, problem: str) -> None:
    path = tmp_path / "a.toml"
    path.write_bytes(content)
    with pytest.raises(InputError, match=problem) as caught:
        files.read_toml(path)
    assert caught.value.source == str(path)
    assert len(str(caught.value)) < 600


@pytest.mark.parametrize(("lists", "read"), [(100, True), (101, True), (102, False), (103, False)])
@pytest.mark.parametrize("inner", [b"", b"1", b"{}"])
def test_the_depth_has_one_limit_whatever_is_innermost(lists: int, read: bool, inner: bytes) -> None:
    read = read and not (inner == b"{}" and lists == 101)
    content = b"[" * lists + inner + b"]" * lists
    if read:
        assert parse_json(content) is not None
    else:
        with pytest.raises(InputError, match="lies in more than 100 others"):
            parse_json(content)
