from __future__ import annotations

from pathlib import Path

import pytest
import torch
from psd.tiny import tiny_model, tiny_tokenizer

from uara.base.errors import InputError
from uara.psd import models
from uara.psd.engine import decode
from uara.psd.errors import ModelUnavailable
from uara.psd.flops import SMOLLM2_135M
from uara.psd.models import LanguageModel, load_model, set_threads, wrap
from uara.psd.request import DecodingOptions


def test_a_local_folder(tmp_path: Path) -> None:
    tiny_model().save_pretrained(tmp_path)
    tiny_tokenizer().save_pretrained(tmp_path)
    loaded = load_model(str(tmp_path), dtype="float64")
    direct = wrap(tiny_model(), tiny_tokenizer(), "direct")
    options = DecodingOptions("psd", 3, 12)
    assert decode(loaded, loaded, [3, 4], options).tokens == decode(direct, direct, [3, 4], options).tokens
    assert loaded.weights_sha256() == direct.weights_sha256()
    assert loaded.end_tokens == {1}


def test_the_hash_sees_one_weight() -> None:
    before = wrap(tiny_model(), tiny_tokenizer(), "m").weights_sha256()
    model = tiny_model()
    with torch.no_grad():
        next(iter(model.parameters()))[0, 0] += 1e-3
    assert wrap(model, tiny_tokenizer(), "m").weights_sha256() != before


def test_absent_weights_are_an_error_and_no_substitute(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(models, "_hub_answers", lambda: False)
    with pytest.raises(
        ModelUnavailable, match=r"nobody/nothing: not on this machine.*hf download nobody/nothing"
    ):
        load_model("nobody/nothing")


def test_a_folder_without_a_model(tmp_path: Path) -> None:
    with pytest.raises(ModelUnavailable, match="the folder holds no usable model"):
        load_model(str(tmp_path))


def test_the_hub_is_not_asked_when_offline(monkeypatch: pytest.MonkeyPatch) -> None:
    from huggingface_hub import constants

    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    monkeypatch.setattr("socket.create_connection", lambda *_, **__: pytest.fail("asked"))
    assert not models._hub_answers()


def test_an_unreachable_hub(monkeypatch: pytest.MonkeyPatch) -> None:
    from huggingface_hub import constants

    for name in ("HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", False)
    monkeypatch.setattr(constants, "ENDPOINT", "http://127.0.0.1:1")
    assert not models._hub_answers()


def test_devices_and_types() -> None:
    for arguments in ({"device": "abacus"}, {"device": "cuda:99"}, {"dtype": "float1"}):
        with pytest.raises(InputError):
            load_model("smollm2", **arguments)
    with pytest.raises(InputError):
        set_threads(0)


def test_encoding(pair: tuple[LanguageModel, LanguageModel]) -> None:
    assert pair[1].encode("w3 w4") == [3, 4]
    for wrong in ("", " ", None, 3, ["w3"]):
        with pytest.raises(InputError):
            pair[1].encode(wrong)  # type: ignore[arg-type]


@pytest.mark.integration
def test_the_packaged_pair(real_pair: tuple[LanguageModel, LanguageModel]) -> None:
    draft, target = real_pair
    assert target.architecture == draft.architecture == SMOLLM2_135M
    assert draft.weights_sha256() != target.weights_sha256()
    chat = target.tokenizer.decode(target.encode("Hello"))
    assert "Hello" in chat
    assert chat != "Hello"
    assert target.tokenizer.decode(target.encode("Hello", chat=False)) == "Hello"
