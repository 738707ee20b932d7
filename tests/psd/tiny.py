"""Models of random weights, small enough for thousands of passes.

What imports transformers does so when it is called: it takes seconds, in each process that collects tests.
"""

from __future__ import annotations

from typing import Any

import torch

from uara.psd.models import LanguageModel, wrap

VOCABULARY = 24
END = 1


def tiny_tokenizer(size: int = VOCABULARY) -> Any:
    """Words w2 .. and an end-of-sequence token."""
    from tokenizers import Tokenizer, models, pre_tokenizers
    from transformers import PreTrainedTokenizerFast

    words = {"<unk>": 0, "<end>": END} | {f"w{number}": number for number in range(2, size)}
    tokenizer = Tokenizer(models.WordLevel(words, unk_token="<unk>"))
    tokenizer.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    return PreTrainedTokenizerFast(tokenizer_object=tokenizer, eos_token="<end>", unk_token="<unk>")


def tiny_model(kind: str = "llama", seed: int = 0, vocabulary: int = VOCABULARY, context: int = 256) -> Any:
    """A model of random weights, wide enough spread that no two logits tie."""
    from transformers import AutoModelForCausalLM, GPT2Config, LlamaConfig

    if kind == "gpt2":
        config: Any = GPT2Config(
            vocab_size=vocabulary, n_positions=context, n_embd=32, n_layer=1, n_head=2, initializer_range=0.4
        )
    else:
        config = LlamaConfig(
            vocab_size=vocabulary,
            hidden_size=32,
            intermediate_size=48,
            num_hidden_layers=1,
            num_attention_heads=4,
            num_key_value_heads=2,
            max_position_embeddings=context,
            initializer_range=0.4,
        )
    torch.manual_seed(seed)
    model = AutoModelForCausalLM.from_config(config).to(torch.float64).eval()
    model.generation_config.eos_token_id = END
    return model


def disturbed(model: Any, spread: float, seed: int = 1) -> Any:
    """A copy whose weights are shaken, so that it agrees with the original now and then."""
    torch.manual_seed(seed)
    copy = type(model)(model.config).to(torch.float64).eval()
    copy.load_state_dict(model.state_dict())
    with torch.no_grad():
        for parameter in copy.parameters():
            parameter.add_(spread * parameter.std(correction=0) * torch.randn_like(parameter))
    copy.generation_config.eos_token_id = END
    return copy


def tiny_pair(kind: str = "llama", spread: float = 0.1, seed: int = 0) -> tuple[LanguageModel, LanguageModel]:
    """A draft and a target that share a tokenizer."""
    target = tiny_model(kind, seed)
    tokenizer = tiny_tokenizer()
    return wrap(disturbed(target, spread), tokenizer, "tiny-draft"), wrap(target, tokenizer, "tiny-target")
