from __future__ import annotations

import json
import struct
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from uara.base.errors import BrokenExtra, ChannelError, InputError, MissingExtra, SolverError, UaraError
from uara.bench.execution.messages import RawAnswer, Report
from uara.isolation import messages
from uara.isolation.messages import Failed, Frames, Prepared, framed, parts_of, read, tidy, tidy_log

QUICK = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
DUE = {"prepared": Prepared, "point": Report, "answer": RawAnswer, "failed": Failed}
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner, max_size=4),
    max_leaves=8,
)


@QUICK
@given(st.lists(st.binary(max_size=50), max_size=5), st.integers(1, 7))
def test_frames_come_whole_however_they_are_cut(contents: list[bytes], piece: int) -> None:
    stream = b"".join(map(framed, contents))
    frames, found = Frames(), []
    for place in range(0, len(stream), piece):
        found += list(frames.feed(stream[place : place + piece]))
    assert found == contents
    assert frames.pending == ""


def test_a_frame_that_announces_too_much_is_refused_before_it_comes() -> None:
    with pytest.raises(InputError, match="a message of 2147483648 bytes"):
        list(Frames().feed(struct.pack("!I", 2**31)))


def test_half_a_message_is_named() -> None:
    frames = Frames()
    assert list(frames.feed(struct.pack("!I", 100) + b"abc")) == []
    assert frames.pending == "; of its last message 7 of 104 bytes came"


@QUICK
@given(st.binary(max_size=200))
def test_bytes_are_a_message_or_one_error(content: bytes) -> None:
    with pytest.raises(InputError):
        read(content, DUE)


@pytest.mark.integration
@QUICK
@given(
    st.sampled_from(sorted(DUE)),
    st.dictionaries(
        st.sampled_from(
            ["decision", "bound_ms", "status", "reason", "details", "ended", "own_objective_ms", "x"]
        ),
        JSON,
    ),
)
def test_any_json_is_a_message_of_the_right_types_or_one_error(kind: str, content: dict[str, Any]) -> None:
    try:
        said, found = read(messages.write(kind, content), DUE)
    except InputError:
        return
    assert (said, type(found)) == (kind, DUE[kind])
    json.dumps(found.model_dump(exclude={"decision", "certificate"}), allow_nan=False)


@pytest.mark.parametrize(
    ("frame", "words"),
    [
        (b"", "not JSON"),
        (b"[" * 100_000, "not JSON"),
        (b"7", "a message of no kind"),
        (b"{}", "a message of no kind"),
        (b'{"message": "started", "pid": 1}', "a message of 'started' kind when prepared or"),
        (b'{"message": ["prepared"]}', "a message of no kind"),
        (b'{"message": "prepared", "setup_s": -1}', "prepared.setup_s: Extra inputs"),
        (b'{"message": "point", "bound_ms": NaN}', "point.bound_ms: Input should be a finite number"),
        (b'{"message": "point", "decision": [1]}', "point.decision: Input should be a valid dictionary"),
        (b'{"message": "failed", "status": "ok", "reason": ""}', "failed.status"),
        (b'{"message": "answer", "decision": {}, "ended": "won"}', "answer.ended"),
    ],
)
def test_what_is_wrong_with_a_message_is_said(frame: bytes, words: str) -> None:
    with pytest.raises(InputError) as caught:
        read(frame, DUE)
    assert words in str(caught.value)


def test_what_would_not_be_read_is_not_sent() -> None:
    with pytest.raises(InputError, match="its answer: takes"):
        messages.write("answer", {"decision": {"a": "x" * messages.MOST_BYTES}})


@QUICK
@given(st.text(max_size=300), st.integers(1, 50))
def test_a_reason_is_one_short_printable_line(text: str, most: int) -> None:
    line = tidy(text * 10, most)
    assert len(line) <= most
    assert line.isprintable()


@QUICK
@given(st.text())
def test_a_log_is_printable_lines(text: str) -> None:
    assert all(line.isprintable() for line in tidy_log(text).split("\n"))


@pytest.mark.parametrize(
    "error",
    [
        InputError("too small", source="box.json", path="$.box"),
        InputError("too small"),
        MissingExtra("sionna-rt", "sionna"),
        BrokenExtra("torch", "psd", "no libcudart"),
        ChannelError("the antenna fell off"),
    ],
)
def test_errors_of_our_own_are_rebuilt_from_their_parts(error: UaraError) -> None:
    content = {"status": "error", "reason": str(error), **parts_of(error)}
    _, found = read(messages.write("failed", content), DUE)
    assert isinstance(found, Failed)
    again = found.rebuilt()
    assert type(again) is type(error)
    assert (str(again), vars(again)) == (str(error), vars(error))


@pytest.mark.parametrize(
    "error", [ValueError("x"), SolverError("s", "x"), type("InputError", (InputError,), {})("x")]
)
def test_errors_of_others_are_not(error: Exception) -> None:
    assert parts_of(error) == {}


@QUICK
@given(st.text(max_size=12), st.lists(st.none() | st.text(max_size=5), max_size=3))
def test_whatever_parts_are_sent_make_an_error_of_ours_or_none(name: str, parts: list[str | None]) -> None:
    names = ["InputError", "MissingExtra", "BrokenExtra", "ChannelError", name]
    for each in names:
        found = Failed(status="error", reason="", error=each, parts=parts).rebuilt()
        assert found is None or type(found).__name__ == each
