"""Against transformers' own assisted generation: the same tokens, and the same share of accepted drafts."""

from __future__ import annotations

from typing import Any

import pytest
import torch

from uara.psd.engine import decode
from uara.psd.models import LanguageModel
from uara.psd.prompts import packaged_prompts
from uara.psd.request import DecodingOptions

pytestmark = pytest.mark.integration

GAMMA = 5


def assisted(
    monkeypatch: pytest.MonkeyPatch,
    draft: LanguageModel,
    target: LanguageModel,
    prompt: list[int],
    count: int,
) -> tuple[list[int], int, int]:
    """Output of ``generate(assistant_model=...)``, with its judged and accepted draft tokens."""
    from transformers.generation.candidate_generator import AssistedCandidateGenerator

    matches: list[tuple[int, int]] = []
    original = AssistedCandidateGenerator.update_candidate_strategy

    def watch(self: Any, input_ids: Any, scores: Any, num_matches: int) -> None:
        matches.append((scores.shape[1] - 1, int(num_matches)))
        original(self, input_ids, scores, num_matches)

    monkeypatch.setattr(AssistedCandidateGenerator, "update_candidate_strategy", watch)
    draft.model.generation_config.update(
        num_assistant_tokens=GAMMA,
        num_assistant_tokens_schedule="constant",
        assistant_confidence_threshold=0.0,
    )
    ids = torch.tensor([prompt])
    output = target.model.generate(
        ids,
        attention_mask=torch.ones_like(ids),
        assistant_model=draft.model,
        max_new_tokens=count,
        do_sample=False,
        pad_token_id=0,
    )
    accepted = sum(each for _, each in matches)
    judged = sum(min(each + 1, drafted) for drafted, each in matches)
    return output[0, len(prompt) :].tolist(), judged, accepted


def compare(
    monkeypatch: pytest.MonkeyPatch,
    pair: tuple[LanguageModel, LanguageModel],
    tasks: list[str],
    per_task: int,
    count: int,
) -> None:
    theirs, ours = [0, 0], [0, 0]
    for each in packaged_prompts(tasks, per_task):
        prompt = pair[1].encode(each.text)
        tokens, judged, accepted = assisted(monkeypatch, *pair, prompt, count)
        decoded = decode(*pair, prompt, DecodingOptions("conventional", GAMMA, count))
        assert decoded.tokens == tokens
        theirs = [theirs[0] + judged, theirs[1] + accepted]
        ours = [ours[0] + decoded.trace.judged_tokens, ours[1] + decoded.trace.accepted_tokens]
    print(f"acceptance: transformers {theirs[1]}/{theirs[0]}, here {ours[1]}/{ours[0]}")
    assert abs(theirs[1] / theirs[0] - ours[1] / ours[0]) <= 0.01


def test_one_prompt(monkeypatch: pytest.MonkeyPatch, real_pair: tuple[LanguageModel, LanguageModel]) -> None:
    compare(monkeypatch, real_pair, ["chat"], 1, 24)


@pytest.mark.slow
def test_all_tasks(monkeypatch: pytest.MonkeyPatch, real_pair: tuple[LanguageModel, LanguageModel]) -> None:
    compare(monkeypatch, real_pair, ["code", "summary", "chat"], 2, 48)
