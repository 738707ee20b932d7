from __future__ import annotations

import jsonschema
import pytest
from hetedge_cases import make_hetedge

from uara.base.errors import InputError
from uara.base.files import pretty_json, validate
from uara.hetedge.catalogue import GPT2_XL, LLAMA_7B, MODELS, NODES
from uara.hetedge.schema import HetEdgeFile, Parameters, json_schema
from uara.psd.flops import GPT2_XL as EXACT_GPT2_XL


def test_reported_formulas_are_the_architectures() -> None:
    # prefill J (8 I h1^2 + 4 I^2 h1 + 4 I h1 h2), step J (8 h1^2 + 4 (I + 1) h1 + 4 h1 h2)
    j, h1, h2, tokens = LLAMA_7B.layers, LLAMA_7B.hidden_width, LLAMA_7B.feed_forward_width, 200
    flop = LLAMA_7B.architecture
    assert flop.pass_flop(tokens, 0) == j * (8 * tokens * h1**2 + 4 * tokens**2 * h1 + 4 * tokens * h1 * h2)
    assert flop.pass_flop(1, tokens) == j * (8 * h1**2 + 4 * (tokens + 1) * h1 + 4 * h1 * h2)


def test_gpt2_xl_is_counted_exactly() -> None:
    for new, cached in ((1, 128), (17, 0), (6, 300)):
        assert GPT2_XL.architecture.pass_flop(new, cached) == EXACT_GPT2_XL.pass_flop(new, cached)
    assert GPT2_XL.parameters == EXACT_GPT2_XL.parameters


def test_weights_and_caches_in_bytes() -> None:
    assert LLAMA_7B.weight_bytes == 2 * LLAMA_7B.parameters
    assert LLAMA_7B.cache_bytes_per_token == 2 * 32 * 4096 * 2
    eighth = LLAMA_7B.model_copy(update={"weight_bits": 8.0})
    assert eighth.weight_bytes == LLAMA_7B.parameters


def test_gated_layers_count_a_third_matrix() -> None:
    gated = LLAMA_7B.model_copy(update={"feed_forward_matrices": 3}).architecture
    more = gated.linear_flop_per_token - LLAMA_7B.architecture.linear_flop_per_token
    assert more == 2 * LLAMA_7B.layers * LLAMA_7B.hidden_width * LLAMA_7B.feed_forward_width


@pytest.mark.parametrize("name", MODELS)
def test_models_weigh_what_their_sizes_say(name: str) -> None:
    model = MODELS[name]
    matrices = 2 if name == "gpt2-xl" else 3
    keys = 2 * model.hidden_width * model.cache_width + 2 * model.hidden_width**2
    per_layer = keys + matrices * model.hidden_width * model.feed_forward_width
    tables = (1 if name == "gpt2-xl" else 2) * model.vocabulary_tokens * model.hidden_width
    assert model.parameters == pytest.approx(model.layers * per_layer + tables, rel=0.01)


def test_nodes_hold_what_the_reported_pairs_need() -> None:
    assert NODES["rtx-3080"].memory_bytes > MODELS["tinyllama-1.1b"].weight_bytes
    assert NODES["rtx-4500-ada"].memory_bytes > MODELS["llama-13b-int8"].weight_bytes


def test_lengths_are_ordered() -> None:
    with pytest.raises(InputError, match="shortest_speculation"):
        validate({"bandwidth_hz": 1.0, "shortest_speculation": 5, "longest_speculation": 4}, Parameters)


def test_nodes_come_with_models() -> None:
    plain = _plain()
    del plain["draft_model"]
    with pytest.raises(InputError, match="come together"):
        validate(plain, HetEdgeFile)


@pytest.mark.parametrize(
    ("column", "bad"),
    [("acceptance_rate", 1.0), ("prompt_tokens", 0), ("output_tokens", 1.5), ("power_gain", 0.0), ("id", "")],
)
def test_bad_entries_are_found(column: str, bad: object) -> None:
    plain = _plain()
    plain["requests"][column][2] = bad
    with pytest.raises(InputError) as error:
        validate(plain, HetEdgeFile)
    assert error.value.path == f"$.requests.{column}[2]"


def test_published_schema_accepts_a_file() -> None:
    jsonschema.validate(_plain(), json_schema())


def _plain() -> dict:  # type: ignore[type-arg]
    import json

    plain = make_hetedge(4, 1).to_plain()
    plain["requests"] = {
        name: column.tolist() if hasattr(column, "tolist") else list(column)
        for name, column in plain["requests"].items()
    }
    return json.loads(pretty_json(plain))  # type: ignore[no-any-return]
