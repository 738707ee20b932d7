from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from uara.base.errors import InputError
from uara.psd.profile import TaskProfile
from uara.psd.transfer import gpt2_token_counter, transferred_profile


def test_gpt2_tokens() -> None:
    count = gpt2_token_counter()
    # published ids: "Hello world" is 15496 995; leading spaces belong to their word; every byte has a token
    assert count("Hello world") == 2
    assert count("Hello, world!") == 4
    assert count("") == 0
    assert count("\U0001f600") >= 1


def leaves(plain: Any) -> Iterator[Any]:
    """Keys and values, in their order; sums of an interval's ends may round otherwise."""
    if isinstance(plain, dict | list):
        for key, value in plain.items() if isinstance(plain, dict) else enumerate(plain):
            yield key
            yield from leaves(value)
    else:
        yield plain


def test_the_shipped_profile_is_made_by_this() -> None:
    measured, shipped = TaskProfile.load("smollm2_int4"), TaskProfile.load("gpt2_gpt2-xl")
    made = transferred_profile(measured, gpt2_token_counter(), command=shipped.provenance.command)
    shown, expected = made.model_dump(mode="json"), shipped.model_dump(mode="json")
    for one, other in zip(leaves(shown), leaves(expected), strict=True):
        assert one == (pytest.approx(other, rel=1e-12) if isinstance(other, float) else other)


def test_prompts_that_are_not_the_measured_ones() -> None:
    measured = TaskProfile.load("smollm2_int4")
    first = measured.records[0]
    for change in (
        {"prompt": "HumanEval/999"},
        {"prompt_sha256": "0" * 64},
        {"task": "poetry", "prompt": "x"},
    ):
        changed = measured.model_copy(update={"records": [first.model_copy(update=change)]})
        with pytest.raises(InputError, match="not the packaged one"):
            transferred_profile(changed, gpt2_token_counter())


def test_prompts_that_do_not_fit() -> None:
    with pytest.raises(InputError, match="2000 tokens, more than the 960"):
        transferred_profile(TaskProfile.load("smollm2_int4"), lambda text: 2000)
