from __future__ import annotations

from typing import Any

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from psd.tiny import tiny_model
from torch.utils.flop_counter import FlopCounterMode

from uara.base.errors import InputError
from uara.psd.flops import GPT2, GPT2_XL, SMOLLM2_135M, Architecture, architecture, architecture_of


@pytest.mark.parametrize(
    ("cached", "small_gflop", "xl_gflop"),
    [(128, 0.2518, 3.1496), (512, 0.2660, 3.2675), (1023, 0.2848, 3.4245)],
)
def test_gpt2_per_token(cached: int, small_gflop: float, xl_gflop: float) -> None:
    assert GPT2.pass_flop(1, cached) / 1e9 == pytest.approx(small_gflop, abs=5e-5)
    assert GPT2_XL.pass_flop(1, cached) / 1e9 == pytest.approx(xl_gflop, abs=5e-5)


def test_gpt2_parameters() -> None:
    assert GPT2.parameters == 124_439_808
    assert GPT2_XL.parameters == 1_557_611_200


@pytest.mark.integration
@pytest.mark.parametrize(
    ("known", "kind", "sizes"),
    [
        (GPT2, "GPT2Config", {}),
        (GPT2_XL, "GPT2Config", {"n_embd": 1600, "n_layer": 48, "n_head": 25}),
        (
            SMOLLM2_135M,
            "LlamaConfig",
            {
                "vocab_size": 49152,
                "hidden_size": 576,
                "intermediate_size": 1536,
                "num_hidden_layers": 30,
                "num_attention_heads": 9,
                "num_key_value_heads": 3,
                "max_position_embeddings": 8192,
                "tie_word_embeddings": True,
            },
        ),
    ],
)
def test_known_sizes_are_those_of_the_real_model(
    known: Architecture, kind: str, sizes: dict[str, Any]
) -> None:
    import transformers

    with torch.device("meta"):
        model = transformers.AutoModelForCausalLM.from_config(getattr(transformers, kind)(**sizes))
    assert architecture_of(model, known.name) == known


@pytest.mark.parametrize("kind", ["gpt2", "llama"])
@pytest.mark.parametrize(("fed", "cached", "logits"), [(1, 0, 1), (7, 0, 7), (1, 9, 1), (5, 11, 3)])
def test_formula_equals_pytorchs_counter(kind: str, fed: int, cached: int, logits: int) -> None:
    from transformers import DynamicCache

    model = tiny_model(kind)
    model.set_attn_implementation("eager")
    cache = DynamicCache()
    if cached:
        model(torch.zeros((1, cached), dtype=torch.long), past_key_values=cache)
    with FlopCounterMode(display=False) as counter:
        model(torch.zeros((1, fed), dtype=torch.long), past_key_values=cache, logits_to_keep=logits)
    assert counter.get_total_flops() == architecture_of(model, kind).pass_flop(fed, cached, logits)


@given(steps=st.integers(0, 40), cached=st.integers(0, 900))
def test_steps_are_the_sum_of_single_passes(steps: int, cached: int) -> None:
    each = [GPT2_XL.pass_flop(1, cached + step) for step in range(steps)]
    assert GPT2_XL.steps_flop(steps, cached) == sum(each)


@given(fed=st.integers(1, 300), cached=st.integers(0, 700))
def test_a_pass_is_the_printed_formula(fed: int, cached: int) -> None:
    layers, width, vocabulary = 48, 1600, 50257
    printed = (
        24 * layers * width**2 * fed
        + 4 * width * layers * fed * (cached + fed)
        + 2 * vocabulary * width * fed
    )
    assert GPT2_XL.pass_flop(fed, cached) == printed


def test_unknown_architectures_are_refused() -> None:
    with pytest.raises(InputError, match="gpt2-xl"):
        architecture("gpt3")
    with pytest.raises(InputError, match="not that of a dense decoder"):
        architecture_of(torch.nn.Linear(2, 2), "linear")
