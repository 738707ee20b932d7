from __future__ import annotations

import numpy as np
import pytest

from uara.base.errors import InputError
from uara.hetedge.catalogue import LLAMA_68M
from uara.hetedge.generate import OUTPUT_TOKENS, HetEdgeRecipe, generate, smallest_instance
from uara.psd.profile import TaskProfile


def test_the_same_recipe_gives_the_same_instance() -> None:
    first = generate(requests=12, channel="path-loss", seed=4)
    assert first.digest == generate(requests=12, channel="path-loss", seed=4).digest
    assert first.digest != generate(requests=12, channel="path-loss", seed=5).digest
    assert first.name == "hetedge_k12"


def test_prompts_and_rates_are_the_profiles() -> None:
    profile = TaskProfile.load("gpt2_gpt2-xl")
    known = {
        (record.task, record.prompt_tokens, round(float(np.mean(record.acceptance)), 4))
        for record in profile.records
    }
    requests = generate(requests=40, channel="path-loss").requests
    assert requests.task is not None
    for task, prompt, rate, output in zip(
        requests.task, requests.prompt_tokens, requests.acceptance_rate, requests.output_tokens, strict=True
    ):
        assert any(
            kind == task and tokens == prompt and abs(min(measured, 0.999) - rate) < 2e-4
            for kind, tokens, measured in known
        )
        assert output == OUTPUT_TOKENS[task]
    assert requests.upload_bits == pytest.approx(32.0 * requests.prompt_tokens)


def test_an_assumed_rate_says_so() -> None:
    instance = generate(requests=5, channel="path-loss", acceptance=0.6)
    assert instance.requests.acceptance_rate.tolist() == [0.6] * 5
    assert instance.provenance.acceptance == "assumed"
    assert "--acceptance 0.6" in instance.provenance.command


def test_other_machines() -> None:
    instance = generate(
        requests=3, channel="path-loss", draft_model="llama-68m", target_model="llama-13b-int8"
    )
    assert instance.draft_model == LLAMA_68M
    with pytest.raises(InputError, match="known are"):
        generate(requests=3, channel="path-loss", target_node="tpu")
    with pytest.raises(InputError, match="recipe"):
        generate(HetEdgeRecipe(), requests=0)


def test_the_smallest_instance_is_one() -> None:
    assert len(smallest_instance().requests) == 2


@pytest.mark.slow
def test_sionna_channels() -> None:
    pytest.importorskip("sionna")
    instance = generate(requests=4, channel="sionna-umi")
    assert instance.provenance.channel_model == "sionna-umi"
    assert (instance.snr > 0).all()
