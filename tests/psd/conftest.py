"""Models for the tests: a tiny pair, and the real one that packages ship."""

from __future__ import annotations

import pytest

pytest.importorskip("torch", reason="decoding needs the extra 'psd'")

import torch
from psd.tiny import tiny_pair

from uara.psd.errors import ModelUnavailable
from uara.psd.models import LanguageModel, load_model


@pytest.fixture(scope="session", autouse=True)
def one_thread() -> None:
    torch.set_num_threads(1)


@pytest.fixture(scope="session")
def pair() -> tuple[LanguageModel, LanguageModel]:
    return tiny_pair()


@pytest.fixture(scope="session")
def real_pair() -> tuple[LanguageModel, LanguageModel]:
    """SmolLM2-135M-Instruct, and its copy in 4 bits."""
    try:
        return load_model("smollm2-int4"), load_model("smollm2")
    except ModelUnavailable as error:
        pytest.skip(str(error))
