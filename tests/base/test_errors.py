from __future__ import annotations

import pickle

import pytest

from uara.base.errors import (
    ChannelError,
    InputError,
    MissingExtra,
    SolverError,
    UaraError,
    in_file,
    meant,
    one_line,
    printable,
)

EXAMPLES = [
    InputError("is wrong"),
    InputError("is wrong", source="a.json"),
    InputError("is wrong", source="a.json", path="$.name"),
    MissingExtra("torch", "psd"),
    SolverError("tma", "failed"),
    ChannelError("no compiler"),
]


@pytest.mark.parametrize(
    ("error", "text"),
    [
        (EXAMPLES[0], "is wrong"),
        (EXAMPLES[1], "a.json: is wrong"),
        (EXAMPLES[2], "a.json: $.name: is wrong"),
        (InputError("is wrong", path="$.name"), "$.name: is wrong"),
        (EXAMPLES[3], "torch is not installed; install it with: pip install 'uara[psd]'"),
        (EXAMPLES[4], "solver tma: failed"),
    ],
)
def test_the_text_says_where_and_what(error: UaraError, text: str) -> None:
    assert str(error) == text


@pytest.mark.parametrize("error", EXAMPLES, ids=lambda error: type(error).__name__)
def test_errors_cross_process_borders_whole(error: UaraError) -> None:
    again = pickle.loads(pickle.dumps(error))
    assert type(again) is type(error)
    assert str(again) == str(error)
    assert again.__dict__ == error.__dict__


def test_naming_the_source_keeps_the_rest() -> None:
    error = InputError("is wrong", path="$.name").in_source("b.json")
    assert (error.source, error.path, error.problem) == ("b.json", "$.name", "is wrong")
    assert EXAMPLES[1].source == "a.json"


def test_exit_codes_tell_the_families_apart() -> None:
    codes = [family.exit_code for family in (UaraError, InputError, MissingExtra, SolverError, ChannelError)]
    assert codes == [1, 2, 3, 4, 5]
    assert all(issubclass(type(error), UaraError) for error in EXAMPLES)


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("plain", "plain"),
        ("two\nlines", "two lines"),
        ("tab\tand\r\n  more", "tab and more"),
        ("\x1b[31mred\x1b[0m", "\\x1b[31mred\\x1b[0m"),
        ("bell\a nul\0", "bell\\x07 nul\\x00"),
        ("line\u2028separator", "line separator"),
        ("grüße 你好", "grüße 你好"),
        ("right\u202eleft", "right\\u202eleft"),
    ],
)
def test_one_line_is_one_printable_line(text: str, line: str) -> None:
    assert one_line(InputError(text)) == line
    assert one_line(InputError(text)).isprintable()


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("plain – ü", "plain – ü"),
        ("a\x1b[31mb", "a\\x1b[31mb"),
        ("left\u202eright", "left\\u202eright"),
        ("two\nlines\t", "two\\nlines\\t"),
        ("\ud800", "\\ud800"),
    ],
)
def test_printable_text_has_no_control_and_no_bidirectional_characters(text: str, shown: str) -> None:
    assert printable(text) == shown
    assert printable(shown) == shown


def test_a_file_is_named_once() -> None:
    with pytest.raises(InputError) as caught, in_file("a.json"):
        raise InputError("is wrong", path="$.x")
    assert (caught.value.source, caught.value.path) == ("a.json", "$.x")
    with pytest.raises(InputError) as caught, in_file("a.json"):
        raise InputError("is wrong", source="a.npz")
    assert caught.value.source == "a.npz"
    with pytest.raises(ZeroDivisionError), in_file("a.json"):
        raise ZeroDivisionError


def test_what_may_be_meant() -> None:
    assert meant("prise", ["price", "exact"]) == "; did you mean price?"
    assert meant("zzz", iter(["price", "exact"])) == "; there are: exact, price"
