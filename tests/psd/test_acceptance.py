from __future__ import annotations

import numpy as np
import pytest
import torch

from uara.psd.acceptance import acceptance_along
from uara.psd.engine import decode
from uara.psd.models import LanguageModel
from uara.psd.request import DecodingOptions
from uara.psd.sampling import Sampler

PROMPT = [3, 9, 4]


def test_greedy_acceptance_is_what_the_loop_does(pair: tuple[LanguageModel, LanguageModel]) -> None:
    decoded = decode(*pair, PROMPT, DecodingOptions("psd", 1, 40))
    along = acceptance_along(*pair, PROMPT, decoded.tokens, Sampler())
    assert along == [float(each) for each in decoded.trace.accepted]
    assert 0 < sum(along) < 40


def test_sampled_acceptance_is_the_overlap(pair: tuple[LanguageModel, LanguageModel]) -> None:
    output = [5, 6, 7]
    along = acceptance_along(*pair, PROMPT, output, Sampler(1.3))
    for at, value in enumerate(along):
        with torch.inference_mode():
            ids = torch.tensor([[*PROMPT, *output[:at]]])
            p, q = ((each.model(input_ids=ids).logits[0, -1] / 1.3).softmax(-1) for each in reversed(pair))
        assert value == pytest.approx(float(torch.minimum(p, q).sum()))


def test_a_model_accepts_itself(pair: tuple[LanguageModel, LanguageModel]) -> None:
    assert acceptance_along(pair[1], pair[1], PROMPT, [5, 6], Sampler(1.0)) == pytest.approx([1, 1])


@pytest.mark.integration
def test_sampled_runs_have_the_predicted_rate(pair: tuple[LanguageModel, LanguageModel]) -> None:
    predicted, judged, accepted = [], 0, 0
    for seed in range(12):
        decoded = decode(*pair, PROMPT, DecodingOptions("psd", 3, 40, temperature=1.5, seed=seed))
        predicted += acceptance_along(*pair, PROMPT, decoded.tokens, Sampler(1.5))
        judged += decoded.trace.judged_tokens
        accepted += decoded.trace.accepted_tokens
    assert accepted / judged == pytest.approx(np.mean(predicted), abs=0.06)
