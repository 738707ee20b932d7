from __future__ import annotations

import io

import pytest
from rich.console import Console

from uara.base.errors import InputError
from uara.psd import live
from uara.psd.engine import decode
from uara.psd.flops import GPT2, GPT2_XL, SMOLLM2_135M
from uara.psd.hardware import speeds
from uara.psd.models import LanguageModel
from uara.psd.request import DecodingOptions, RoundEvent
from uara.psd.trace import Round

OPTIONS = DecodingOptions("psd", 3, 30)


def printed(pair: tuple[LanguageModel, LanguageModel], terminal: bool) -> tuple[str, str]:
    text = io.StringIO()
    console = Console(
        file=text, force_terminal=terminal, width=200, color_system="standard" if terminal else None
    )
    stream = live.Stream(console, pair[1].tokenizer)
    decoded = decode(*pair, [3, 4, 5], OPTIONS, on_round=stream.show)
    return text.getvalue(), decoded.text


def test_a_pipe_gets_the_output_and_nothing_else(pair: tuple[LanguageModel, LanguageModel]) -> None:
    shown, text = printed(pair, terminal=False)
    assert shown == text


def test_a_terminal_gets_colours_and_refused_tokens(pair: tuple[LanguageModel, LanguageModel]) -> None:
    shown, text = printed(pair, terminal=True)
    assert "\x1b[32m" in shown
    assert "\x1b[9;31m" in shown
    assert len(shown) > len(text)


@pytest.mark.integration
def test_unfinished_characters_wait(real_pair: tuple[LanguageModel, LanguageModel]) -> None:
    tokenizer = real_pair[1].tokenizer
    word = "naïve \U0001f600 end"
    ids = tokenizer(word, add_special_tokens=False)["input_ids"]
    text = io.StringIO()
    stream = live.Stream(Console(file=text, width=200), tokenizer)
    for token in ids:
        stream.show(RoundEvent(Round("step", 0, 0, 0, 0, 1), [], None, token, []))
    assert text.getvalue() == word


def test_a_psd_run_tells_the_other_methods_too(pair: tuple[LanguageModel, LanguageModel]) -> None:
    decoded = decode(*pair, [3, 4, 5], OPTIONS)
    assert sum(live.acceptance_of(decoded.trace)) == decoded.trace.accepted_tokens
    lines = live.timelines(decoded, (GPT2, GPT2_XL), speeds(), "tokens", 30)
    assert list(lines) == ["autoregressive", "conventional", "psd"]
    assert {each.new_tokens for each in lines.values()} == {len(decoded.tokens)}
    real = decode(*pair, [3, 4, 5], DecodingOptions("conventional", 3, 30))
    again = live.timelines(real, (GPT2, GPT2_XL), speeds(), "tokens", 30)
    assert list(again) == ["conventional"]
    assert again["conventional"].completion_s == pytest.approx(lines["conventional"].completion_s)
    assert real.tokens == decoded.tokens
    assert len(live.split_table(lines, "title").rows) == 3


def test_what_is_timed() -> None:
    assert live.timed_pair(SMOLLM2_135M, SMOLLM2_135M, None) == (GPT2, GPT2_XL)
    assert live.timed_pair(GPT2, SMOLLM2_135M, None) == (GPT2, SMOLLM2_135M)
    assert live.timed_pair(SMOLLM2_135M, SMOLLM2_135M, "own") == (SMOLLM2_135M, SMOLLM2_135M)
    assert live.timed_pair(GPT2, GPT2, "smollm2-135m,gpt2-xl") == (SMOLLM2_135M, GPT2_XL)
    for wrong in ("gpt2", "gpt2,gpt9", "a,b,c"):
        with pytest.raises(InputError):
            live.timed_pair(GPT2, GPT2, wrong)


def test_words(pair: tuple[LanguageModel, LanguageModel]) -> None:
    words = live.run_lines(decode(*pair, [3, 4, 5], OPTIONS))
    assert "judged accepted" in words[0]
    alone = live.run_lines(
        decode(None, pair[1], [3, 4, 5], DecodingOptions("autoregressive", max_new_tokens=5))
    )
    assert alone[0] == "5 tokens in 5 rounds (autoregressive)"
    assert len(live.legend()) > 20
