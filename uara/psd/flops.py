"""Exact floating-point operations of a decoder-only transformer, pass by pass.

A multiplication and an addition count as two operations; normalisations, activations and softmax are left
out, as in :class:`torch.utils.flop_counter.FlopCounterMode`, with which these formulas agree exactly.
"""

from __future__ import annotations

from typing import Any

from uara.base.errors import InputError, entry
from uara.base.files import Record


class Architecture(Record):
    """What a model's operation count depends on.

    Attributes
    ----------
    linear_flop_per_token
        Weight multiplications of all layers, for one token.
    attention_flop_per_pair
        Scores and weighted sum of all layers, for one query and one key: 4 n d.
    head_flop_per_token
        Read-out to the vocabulary, for each position whose logits are wanted: 2 V d.
    """

    name: str
    layers: int
    hidden_width: int
    vocabulary_tokens: int
    context_tokens: int
    parameters: int
    linear_flop_per_token: int
    attention_flop_per_pair: int
    head_flop_per_token: int

    def pass_flop(self, new_tokens: int, cached_tokens: int, logit_positions: int | None = None) -> int:
        """Operations of one forward pass.

        Parameters
        ----------
        new_tokens
            L, tokens fed.
        cached_tokens
            s, tokens whose keys and values are cached.
        logit_positions
            Positions whose logits are computed; all L when left out.

        Notes
        -----
        With all logits, GPT-2's count is 24 n d^2 L + 4 d n L (s + L) + 2 V d L.
        """
        logits = new_tokens if logit_positions is None else logit_positions
        return (
            self.linear_flop_per_token * new_tokens
            + self.attention_flop_per_pair * new_tokens * (cached_tokens + new_tokens)
            + self.head_flop_per_token * logits
        )

    def steps_flop(self, steps: int, cached_tokens: int) -> int:
        """Operations of ``steps`` passes of one token each, the first after ``cached_tokens``."""
        pairs = steps * cached_tokens + steps * (steps + 1) // 2
        return (
            self.linear_flop_per_token + self.head_flop_per_token
        ) * steps + self.attention_flop_per_pair * pairs


def gpt2_architecture(name: str, layers: int, width: int) -> Architecture:
    """A GPT-2 of n ``layers`` and d ``width``, with 50,257 tokens, 1,024 positions and a tied read-out."""
    vocabulary, context = 50257, 1024
    per_layer = 12 * width * width + 13 * width
    return Architecture(
        name=name,
        layers=layers,
        hidden_width=width,
        vocabulary_tokens=vocabulary,
        context_tokens=context,
        parameters=layers * per_layer + (vocabulary + context + 2) * width,
        linear_flop_per_token=24 * layers * width * width,
        attention_flop_per_pair=4 * layers * width,
        head_flop_per_token=2 * vocabulary * width,
    )


GPT2 = gpt2_architecture("gpt2", 12, 768)
GPT2_XL = gpt2_architecture("gpt2-xl", 48, 1600)
SMOLLM2_135M = Architecture(
    # 30 layers, width 576, 9 query and 3 key heads of 64, feed-forward 1,536, tied read-out of 49,152 tokens
    name="smollm2-135m",
    layers=30,
    hidden_width=576,
    vocabulary_tokens=49152,
    context_tokens=8192,
    parameters=134515008,
    linear_flop_per_token=2 * 30 * (2 * 576 * 576 + 2 * 576 * 192 + 3 * 576 * 1536),
    attention_flop_per_pair=4 * 30 * 576,
    head_flop_per_token=2 * 49152 * 576,
)


def llama_architecture(
    name: str, layers: int, width: int, feed_forward: int, parameters: int
) -> Architecture:
    """A LLaMA of the first generation: as many key heads as query heads, 32,000 tokens, 2,048 positions."""
    vocabulary = 32000
    return Architecture(
        name=name,
        layers=layers,
        hidden_width=width,
        vocabulary_tokens=vocabulary,
        context_tokens=2048,
        parameters=parameters,
        linear_flop_per_token=2 * layers * (4 * width * width + 3 * width * feed_forward),
        attention_flop_per_pair=4 * layers * width,
        head_flop_per_token=2 * vocabulary * width,
    )


LLAMA_68M = llama_architecture("llama-68m", 2, 768, 3072, 68_030_208)
VICUNA_7B = llama_architecture("vicuna-7b-v1.3", 32, 4096, 11008, 6_738_415_616)
ARCHITECTURES = {each.name: each for each in (GPT2, GPT2_XL, SMOLLM2_135M, LLAMA_68M, VICUNA_7B)}
"""Models whose counts are known without their weights."""


def architecture(name: str) -> Architecture:
    """A known architecture by name; ``InputError`` lists the names otherwise."""
    return entry(ARCHITECTURES, name, "architecture")


def architecture_of(model: Any, name: str) -> Architecture:
    """The architecture of a loaded dense decoder, read off its modules.

    Raises
    ------
    InputError
        If the configuration does not name the sizes, or there is no read-out.
    """
    try:
        text = model.config.get_text_config()
        layers, width, heads = text.num_hidden_layers, text.hidden_size, text.num_attention_heads
        head_width = getattr(text, "head_dim", None) or width // heads
        head = model.get_output_embeddings()
        head_weights = head.weight.numel()
        context = int(text.max_position_embeddings)
    except (AttributeError, TypeError):
        raise InputError(f"{name}: its configuration is not that of a dense decoder") from None
    linear = sum(
        module.weight.numel()
        for module in model.modules()
        if type(module).__name__ in {"Linear", "Conv1D"} and module is not head
    )
    return Architecture(
        name=name,
        layers=layers,
        hidden_width=width,
        vocabulary_tokens=head.weight.shape[0],
        context_tokens=context,
        parameters=sum(parameter.numel() for parameter in model.parameters()),
        linear_flop_per_token=2 * linear,
        attention_flop_per_pair=4 * layers * heads * head_width,
        head_flop_per_token=2 * head_weights,
    )
