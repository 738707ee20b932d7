"""Causal language models by hub name, local path, or the shorthand of a packaged one."""

from __future__ import annotations

import hashlib
import os
import re
import socket
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from uara.base.errors import InputError, entry
from uara.base.extras import needs
from uara.psd.errors import ModelUnavailable
from uara.psd.flops import Architecture, architecture_of
from uara.psd.packaged import SMOLLM2_PACKAGE, quiet, round_linear_layers, smollm2_folder

if TYPE_CHECKING:
    import torch

_PACKAGED = re.compile(r"smollm2(?:-int([2-8]))?")


@dataclass(frozen=True)
class LanguageModel:
    """A loaded model, its tokenizer, and what decoding needs to know about them."""

    name: str
    source: str
    model: Any
    tokenizer: Any
    device: torch.device
    architecture: Architecture
    end_tokens: frozenset[int]

    @property
    def context_tokens(self) -> int:
        """Longest sequence that the model takes."""
        return self.architecture.context_tokens

    def weights_sha256(self) -> str:
        """SHA-256 over all parameters: their names, and their values as 32-bit floats."""
        digest = hashlib.sha256()
        for name, parameter in sorted(self.model.named_parameters()):
            digest.update(name.encode())
            digest.update(parameter.detach().float().cpu().contiguous().numpy().data)
        return digest.hexdigest()

    def encode(self, prompt: str, chat: bool | None = None) -> list[int]:
        """Token ids of a prompt.

        Parameters
        ----------
        chat
            Whether to wrap the prompt as a user's message; left out, if the tokenizer has a chat template.

        Raises
        ------
        InputError
            If the prompt is not text, is empty, or cannot be encoded.
        """
        if not isinstance(prompt, str) or not prompt.strip():
            raise InputError("the prompt is empty" if isinstance(prompt, str) else "the prompt is not a text")
        templated = bool(getattr(self.tokenizer, "chat_template", None)) if chat is None else chat
        try:
            text = prompt
            if templated:
                message = [{"role": "user", "content": prompt}]
                text = self.tokenizer.apply_chat_template(message, tokenize=False, add_generation_prompt=True)
            ids = self.tokenizer(text, add_special_tokens=not templated)["input_ids"]
        except (UnicodeEncodeError, ValueError, TypeError) as error:
            raise InputError(f"the prompt cannot be encoded: {error}") from None
        return [int(each) for each in ids]


def load_model(name: str, device: str = "cpu", dtype: str = "float32") -> LanguageModel:
    """Load a model for inference.

    Parameters
    ----------
    name
        ``smollm2`` (packaged), ``smollm2-int4`` (the same with linear weights rounded to 4 bits; 2 to 8), a
        folder, or a name on the Hugging Face hub.
    device
        A torch device such as ``cpu`` or ``cuda:0``.
    dtype
        ``float32``, ``bfloat16``, ``float16`` or ``float64``.

    Raises
    ------
    ModelUnavailable
        If the weights are neither on this machine nor to be fetched. Nothing is ever put in their place.
    MissingExtra
        If ``uara[psd]`` is not installed.
    InputError
        For an unknown device or dtype, or a model that is no dense decoder.
    """
    torch = needs("torch", extra="psd")
    needs("transformers", extra="psd")
    types = {each: getattr(torch, each) for each in ("float32", "bfloat16", "float16", "float64")}
    exact, place = entry(types, dtype, "dtype"), _device(device)
    packaged = _PACKAGED.fullmatch(name)
    source = str(smollm2_folder()) if packaged else name
    model, tokenizer = _from_pretrained(name, source, exact)
    if packaged and packaged[1]:
        round_linear_layers(model, int(packaged[1]))
    model = model.to(place).eval().requires_grad_(False)
    return wrap(model, tokenizer, name, f"package {SMOLLM2_PACKAGE}" if packaged else name)


def wrap(model: Any, tokenizer: Any, name: str, source: str = "memory") -> LanguageModel:
    """A model and a tokenizer that are already in memory, ready for decoding."""
    ends = model.generation_config.eos_token_id if model.generation_config is not None else None
    listed = ends if isinstance(ends, list) else [ends]
    own = getattr(tokenizer, "eos_token_id", None)
    return LanguageModel(
        name=name,
        source=source,
        model=model,
        tokenizer=tokenizer,
        device=model.device,
        architecture=architecture_of(model, "smollm2-135m" if _PACKAGED.fullmatch(name) else name),
        end_tokens=frozenset(each for each in [*listed, own] if each is not None),
    )


def _device(device: str) -> torch.device:
    import torch

    try:
        place = torch.device(device)
        torch.empty(0, device=place)
    except (RuntimeError, AssertionError, NotImplementedError) as error:
        raise InputError(f"device {device!r} cannot be used: {str(error).splitlines()[0]}") from None
    return place


def _from_pretrained(name: str, source: str, dtype: torch.dtype) -> tuple[Any, Any]:
    from transformers import AutoModelForCausalLM, AutoTokenizer

    local = os.path.isdir(source)
    for here in (True, False):
        try:
            with quiet():
                tokenizer = AutoTokenizer.from_pretrained(source, local_files_only=here)
                model = AutoModelForCausalLM.from_pretrained(source, dtype=dtype, local_files_only=here)
            return model, tokenizer
        except (OSError, ValueError) as error:
            first = str(error).strip().splitlines()[0]
            if local:
                raise ModelUnavailable(name, f"the folder holds no usable model ({first})") from None
            if here and not _hub_answers():
                first = "the hub cannot be reached"
                break
    raise ModelUnavailable(
        name,
        f"not on this machine, and not fetched ({first}). Give a folder that holds the model, or fetch it while "
        f"online with: hf download {name}; the packaged models are smollm2 and smollm2-int4",
    )


def _hub_answers(timeout_s: float = 5.0) -> bool:
    """Whether the hub takes connections: its own client would retry for most of a minute."""
    from huggingface_hub import constants

    if constants.HF_HUB_OFFLINE:
        return False
    if any(os.environ.get(each) for each in ("HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy")):
        return True
    address = urlsplit(constants.ENDPOINT)
    try:
        with socket.create_connection((address.hostname, address.port or 443), timeout=timeout_s):
            return True
    except OSError:
        return False


def require_same_tokens(draft: LanguageModel, target: LanguageModel) -> None:
    """Refuse a pair whose tokenizers differ: token ids are all that the two exchange.

    Raises
    ------
    InputError
        Naming the first token that the two number differently, or the model whose read-out lacks tokens.
    """
    for model in (draft, target):
        known, head = max(model.tokenizer.get_vocab().values()) + 1, model.architecture.vocabulary_tokens
        if head < known:
            raise InputError(f"{model.name} reads out {head} tokens, fewer than its tokenizer's {known}")
    ours, theirs = draft.tokenizer.get_vocab(), target.tokenizer.get_vocab()
    if ours == theirs:
        return
    token = next(iter(sorted(set(ours.items()) ^ set(theirs.items()))))[0]
    raise InputError(
        f"the tokenizers of {draft.name} and {target.name} differ: token {token!r} is "
        f"{ours.get(token, 'absent')} in one and {theirs.get(token, 'absent')} in the other"
    )


def set_threads(threads: int) -> None:
    """Threads within each PyTorch operation. Spinning threads on a busy machine cost far more than they bring.

    Raises
    ------
    InputError
        For fewer than one.
    """
    if threads < 1:
        raise InputError(f"threads must be at least 1, not {threads}")
    needs("torch", extra="psd").set_num_threads(threads)
