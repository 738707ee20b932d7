"""Models and GPUs of the catalogue against their published sizes."""

from __future__ import annotations

import pytest

from uara import hardware
from uara.hetedge.catalogue import LLAMA_13B_INT8, MODELS, NODES, TINYLLAMA_1B
from uara.hetedge.schema import Transformer


@pytest.mark.parametrize("model", MODELS.values(), ids=list(MODELS))
def test_weights_are_those_of_the_layers(model: Transformer) -> None:
    """Attention, feed-forward and vocabulary make up the published count, but for norms, biases and places."""
    attention = 2 * model.hidden_width * (model.hidden_width + model.cache_width)
    forward = model.feed_forward_matrices * model.hidden_width * model.feed_forward_width
    gated = 3 * model.hidden_width * model.feed_forward_width
    words = model.vocabulary_tokens * model.hidden_width
    sizes = [
        model.layers * (attention + part) + times * words for part in (forward, gated) for times in (1, 2)
    ]
    assert min(abs(size / model.parameters - 1) for size in sizes) < 0.01


def test_names_are_keys() -> None:
    assert all(name == model.name for name, model in MODELS.items())
    assert set(NODES) == {each.name for each in hardware.NODES}
    assert LLAMA_13B_INT8.weight_bits == 8.0
    assert TINYLLAMA_1B.cache_width == TINYLLAMA_1B.hidden_width // 8  # four of 32 heads hold keys


def test_nodes_hold_what_the_hardware_says() -> None:
    for each in hardware.NODES:
        node = NODES[each.name]
        assert (node.compute_flop_per_s, node.memory_bytes) == (each.compute_flop_per_s, each.memory_bytes)
        assert node.memory_bytes_per_s == each.memory_byte_per_s
