from __future__ import annotations

import pytest
from psd.tiny import tiny_model, tiny_tokenizer

from uara.base.errors import InputError
from uara.psd.engine import decode
from uara.psd.models import LanguageModel, wrap
from uara.psd.request import DecodingOptions, check_request

PSD = DecodingOptions("psd", 3, 10)


def refused(pair: tuple[LanguageModel, LanguageModel], prompt: object, problem: str) -> None:
    with pytest.raises(InputError, match=problem):
        decode(*pair, prompt, PSD)  # type: ignore[arg-type]


def test_empty_prompts(pair: tuple[LanguageModel, LanguageModel]) -> None:
    for prompt in ("", "  \n", []):
        refused(pair, prompt, "the prompt is empty")


def test_malformed_prompts(pair: tuple[LanguageModel, LanguageModel]) -> None:
    refused(pair, [3, 24], "ids outside tiny-target's 0 to 23")
    refused(pair, [3, -1], "ids outside")
    refused(pair, "w3 \ud800", "cannot be encoded")


def test_a_prompt_longer_than_the_context(pair: tuple[LanguageModel, LanguageModel]) -> None:
    refused(pair, [3] * 300, "leaves 0 of tiny-target's 256")
    refused(pair, [3] * 250, r"leaves 6 .* fewer than the 10 wanted")
    assert len(decode(*pair, [3] * 246, PSD).tokens) <= 10


def test_the_shorter_context_of_the_two_counts(pair: tuple[LanguageModel, LanguageModel]) -> None:
    short = wrap(tiny_model(context=32), pair[1].tokenizer, "short")
    with pytest.raises(InputError, match="leaves 2 of short's 32"):
        check_request(short, pair[1], [3] * 30, PSD)
    check_request(None, pair[1], [3] * 30, DecodingOptions("autoregressive", max_new_tokens=10))


def test_tokenizers_that_differ(pair: tuple[LanguageModel, LanguageModel]) -> None:
    other = wrap(tiny_model(), tiny_tokenizer(23), "other")
    with pytest.raises(
        InputError, match=r"tokenizers of other and tiny-target differ: token 'w23' is absent"
    ):
        check_request(other, pair[1], [3], PSD)


def test_a_draft_is_needed(pair: tuple[LanguageModel, LanguageModel]) -> None:
    with pytest.raises(InputError, match="needs a draft model"):
        check_request(None, pair[1], [3], PSD)
