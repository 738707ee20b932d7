from __future__ import annotations

import pytest

from uara.base.errors import InputError
from uara.psd.payload import draft_token_bits, needed_payload, payload_named, token_bits, upload_bits
from uara.psd.trace import DecodingTrace, Round


def test_token_ids() -> None:
    assert [token_bits(each) for each in (2, 3, 50257, 65536, 65537)] == [1, 2, 16, 16, 17]
    with pytest.raises(InputError):
        token_bits(1)


def test_what_each_rule_needs() -> None:
    assert needed_payload(0.0, "target") == needed_payload(0.0, "residual") == "tokens"
    assert needed_payload(1.0, "target") == "probabilities"
    assert needed_payload(1.0, "residual") == "full-logits"


def test_bits_of_a_run() -> None:
    trace = DecodingTrace.of(
        "psd", 3, 10, [Round("pre-verify", 0, 3, 1, 1, 1), Round("post-verify", 2, 3, 1, 0, 1)]
    )
    # 10 prompt tokens; one token, then two pending ones and one new
    assert upload_bits(trace, "tokens", 50257) == (10 + 4) * 16
    assert upload_bits(trace, "probabilities", 50257, 16) == 10 * 16 + 4 * 32
    assert upload_bits(trace, "full-logits", 50257, 16) == 10 * 16 + 4 * (16 + 50257 * 16)


def test_unknown_payload() -> None:
    assert payload_named("tokens") == "tokens"
    for refuse in (lambda: payload_named("all"), lambda: draft_token_bits("all", 50257)):  # type: ignore[arg-type]
        with pytest.raises(InputError, match="full-logits"):
            refuse()
