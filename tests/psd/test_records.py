from __future__ import annotations

import pytest
from pydantic import ValidationError

from uara.psd.records import Decoding, PromptRecord
from uara.psd.trace import DecodingTrace


def test_records_are_immutable_and_closed() -> None:
    record = PromptRecord(task="a", prompt="1", prompt_tokens=3, acceptance=[0.0, 1.0])
    with pytest.raises(ValidationError):
        record.task = "b"
    wrong: list[dict[str, object]] = [{"acceptance": each} for each in ([], [float("nan")], [-0.1])]
    for change in [*wrong, {"prompt_tokens": 0}, {"x": 1}]:
        with pytest.raises(ValidationError):
            PromptRecord.model_validate(record.model_dump() | change)


def test_traces_inside_records_are_checked() -> None:
    trace = DecodingTrace(
        method="psd", gamma=2, prompt_tokens=3, drafted=[2], judged=[1], accepted=[1], appended=[1]
    )
    seconds = dict.fromkeys(("wall_s", "draft_busy_s", "target_busy_s", "overhead_share"), 0.5)
    plain = {"trace": trace.model_dump(), **seconds}
    record = {"task": "a", "prompt": "1", "prompt_tokens": 3, "acceptance": [1.0], "runs": [plain]}
    assert PromptRecord.model_validate(record).runs[0].trace == trace
    plain["trace"] = trace.model_dump() | {"accepted": [9]}
    with pytest.raises(ValidationError, match="contradicts itself"):
        PromptRecord.model_validate(record)


def test_decoding_ranges() -> None:
    plain = {
        "method": "psd",
        "gamma": 2,
        "temperature": 1.0,
        "rule": "target",
        "max_new_tokens": 4,
        "seed": 0,
    }
    assert Decoding.model_validate(plain).value_bits == 16
    for change in ({"rule": "coin"}, {"temperature": -1.0}, {"max_new_tokens": 0}, {"value_bits": 0}):
        with pytest.raises(ValidationError):
            Decoding.model_validate(plain | change)
