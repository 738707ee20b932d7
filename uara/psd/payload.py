"""Bits on the uplink: token ids, and the probabilities that the correction rule needs."""

from __future__ import annotations

import math
from typing import Literal, get_args

from uara.base.errors import InputError, entry
from uara.psd.trace import DecodingTrace

Payload = Literal["tokens", "probabilities", "full-logits"]
PAYLOADS: tuple[Payload, ...] = get_args(Payload)
Rule = Literal["target", "residual"]
RULES: tuple[Rule, ...] = get_args(Rule)


def needed_payload(temperature: float, rule: Rule) -> Payload:
    """What the server must know to judge a draft token.

    Greedy decoding compares token ids. The ``target`` rule compares p with the one number q[x]. The
    ``residual`` rule resamples from p - q and so needs the whole of q.
    """
    if temperature == 0:
        return "tokens"
    return "probabilities" if rule == "target" else "full-logits"


def token_bits(vocabulary_tokens: int) -> int:
    """Bits of a token id, ceil(log2 V): 16 for GPT-2's 50,257 tokens."""
    if vocabulary_tokens < 2:
        raise InputError(f"a vocabulary of {vocabulary_tokens} tokens carries no information")
    return math.ceil(math.log2(vocabulary_tokens))


def draft_token_bits(payload: Payload, vocabulary_tokens: int, value_bits: int = 16) -> int:
    """Bits that one draft token puts on the uplink; each probability or logit takes ``value_bits``."""
    values = {"tokens": 0, "probabilities": 1, "full-logits": vocabulary_tokens}[payload_named(payload)]
    return token_bits(vocabulary_tokens) + values * value_bits


def upload_bits(trace: DecodingTrace, payload: Payload, vocabulary_tokens: int, value_bits: int = 16) -> int:
    """Bits that a run sends to the server, d_i: the prompt's token ids, and the draft tokens."""
    prompt = trace.prompt_tokens * token_bits(vocabulary_tokens)
    return prompt + sum(trace.uploaded_tokens) * draft_token_bits(payload, vocabulary_tokens, value_bits)


def payload_named(name: str) -> Payload:
    """The payload of that name; ``InputError`` lists the names otherwise."""
    known: dict[str, Payload] = {each: each for each in PAYLOADS}
    return entry(known, name, "payload")
