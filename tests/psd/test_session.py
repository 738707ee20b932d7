from __future__ import annotations

import pytest
import torch
from psd.tiny import tiny_pair

from uara.base.errors import InputError
from uara.psd.models import LanguageModel
from uara.psd.session import Session

TOKENS = [3, 9, 4, 12, 7, 5, 2, 8]


def whole(model: LanguageModel, tokens: list[int]) -> torch.Tensor:
    with torch.inference_mode():
        return model.model(input_ids=torch.tensor([tokens])).logits[0]


@pytest.mark.parametrize("kind", ["gpt2", "llama"])
def test_feeding_in_pieces_equals_one_pass(kind: str) -> None:
    model = tiny_pair(kind)[1]
    session = Session(model)
    pieces = [session.feed(TOKENS[:3], 3), session.feed(TOKENS[3:4]), session.feed(TOKENS[4:], 2)]
    assert torch.allclose(torch.cat(pieces), whole(model, TOKENS)[[0, 1, 2, 3, 6, 7]])
    assert [(each.fed, each.cached, each.logits) for each in session.forwards] == [
        (3, 0, 3),
        (1, 3, 1),
        (4, 4, 2),
    ]


@pytest.mark.parametrize("kind", ["gpt2", "llama"])
def test_rolling_back_forgets(kind: str) -> None:
    model = tiny_pair(kind)[1]
    session = Session(model)
    session.feed(TOKENS)
    session.roll_back(3)
    assert session.length == 3
    session.roll_back(5)
    assert session.length == 3
    assert torch.allclose(session.feed([11]), whole(model, [*TOKENS[:3], 11])[-1:])


def test_a_sliding_window_can_be_rolled_back_too() -> None:
    from psd.tiny import tiny_tokenizer
    from transformers import AutoModelForCausalLM, MistralConfig

    from uara.psd.models import wrap

    config = MistralConfig(
        vocab_size=24,
        hidden_size=32,
        intermediate_size=48,
        num_hidden_layers=1,
        num_attention_heads=4,
        num_key_value_heads=2,
        sliding_window=4,
        max_position_embeddings=64,
    )
    model = wrap(AutoModelForCausalLM.from_config(config).double().eval(), tiny_tokenizer(), "window")
    session = Session(model)
    session.feed(TOKENS[:6])
    session.feed(TOKENS[6:], 2)
    session.roll_back(6)
    assert torch.allclose(session.feed(TOKENS[6:7]), whole(model, TOKENS[:7])[-1:], atol=1e-6)


def test_a_cache_that_cannot_be_cut_is_named(pair: tuple[LanguageModel, LanguageModel]) -> None:
    session = Session(pair[1])
    session.feed(TOKENS)

    class Uncut:
        def crop(self, length: int) -> None:
            raise RuntimeError("recurrent state")

    session.cache = Uncut()
    with pytest.raises(InputError, match=r"tiny-target.*cannot be rolled back.*recurrent"):
        session.roll_back(2)


def test_counting(pair: tuple[LanguageModel, LanguageModel]) -> None:
    session = Session(pair[1], count_flop=True)
    session.feed(TOKENS, 2)
    session.feed([3])
    sizes = pair[1].architecture
    assert session.counted_flop == sizes.pass_flop(8, 0, 2) + sizes.pass_flop(1, 8)
    assert Session(pair[1]).counted_flop is None
