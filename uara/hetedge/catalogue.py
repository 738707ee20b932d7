"""GPUs and model sizes that instances are drawn from.

The paper's simulation is reported to use an RTX 3080, an RTX 4500 and LLaMA models of 68M, 1.1B, 7B and 13B
weights; the GPUs are those of :mod:`uara.hardware`, the sizes those of the published model configurations.
"""

from __future__ import annotations

from uara import hardware
from uara.hetedge.schema import Node, Transformer
from uara.psd import flops

NODES = {
    each.name: Node(
        model=each.model,
        compute_flop_per_s=each.compute_flop_per_s,
        memory_bytes_per_s=each.memory_byte_per_s,  # type: ignore[arg-type]  # known of every node
        memory_bytes=each.memory_bytes,  # type: ignore[arg-type]
    )
    for each in hardware.NODES
}
"""GPUs by name: peak single-precision speed, memory bandwidth and memory."""
RTX_3080 = NODES[hardware.RTX_3080.name]
RTX_4500_ADA = NODES[hardware.RTX_4500_ADA.name]


def transformer_of(model: flops.Architecture) -> Transformer:
    """Sizes of a decoder from its operation counts: the feed-forward width is what attention leaves."""
    width = model.hidden_width
    feed_forward = (model.linear_flop_per_token / model.layers - 8 * width**2) / (4 * width)
    return Transformer(
        name=model.name,
        layers=model.layers,
        hidden_width=width,
        feed_forward_width=max(1, round(feed_forward)),
        cache_width=width,
        vocabulary_tokens=model.vocabulary_tokens,
        count_read_out=True,
        parameters=model.parameters,
    )


def _llama(
    name: str, layers: int, width: int, feed_forward: int, parameters: int, cache_width: int = 0
) -> Transformer:
    return Transformer(
        name=name,
        layers=layers,
        hidden_width=width,
        feed_forward_width=feed_forward,
        cache_width=cache_width or width,
        vocabulary_tokens=32000,
        parameters=parameters,
    )


LLAMA_68M = _llama("llama-68m", 2, 768, 3072, 68_030_208)
TINYLLAMA_1B = _llama("tinyllama-1.1b", 22, 2048, 5632, 1_100_048_384, 256)
LLAMA_7B = _llama("llama-7b", 32, 4096, 11008, 6_738_415_616)
LLAMA_13B_INT8 = _llama("llama-13b-int8", 40, 5120, 13824, 13_015_864_320).model_copy(
    update={"weight_bits": 8.0}
)
GPT2_XL = transformer_of(flops.GPT2_XL)
MODELS = {model.name: model for model in (LLAMA_68M, TINYLLAMA_1B, LLAMA_7B, LLAMA_13B_INT8, GPT2_XL)}
"""Models by name."""
