from __future__ import annotations

import numpy as np
import pytest

from uara.base.errors import InputError
from uara.psd.profile import assumed_profile
from uara.psd.statistics import mean_estimate, ratio_estimate, summarise


@pytest.mark.integration
def test_intervals_cover_the_truth_as_often_as_they_say() -> None:
    rng = np.random.default_rng(0)
    covered = 0
    for _ in range(200):
        estimate = mean_estimate(rng.normal(3.0, 1.0, 40).tolist())
        covered += estimate.low <= 3.0 <= estimate.high
    assert 0.90 <= covered / 200 <= 0.985


def test_a_ratio_weighs_by_its_denominators() -> None:
    estimate = ratio_estimate([1, 30], [10, 100])
    assert estimate.value == pytest.approx(31 / 110)
    assert estimate.low <= estimate.value <= estimate.high
    assert mean_estimate([2.0] * 5).low == mean_estimate([2.0] * 5).high == 2.0


def test_nothing_to_estimate() -> None:
    for pair in (([], []), ([1.0], [1.0, 2.0])):
        with pytest.raises(InputError):
            ratio_estimate(*pair)


def test_summary_of_a_certain_profile() -> None:
    profile = assumed_profile({"a": 1.0, "b": 0.0}, {"a": [50, 60], "b": [9]}, new_tokens=21, gamma=5)
    summary = summarise(profile.records, profile.decoding, profile.draft, profile.target)
    assert list(summary) == ["a", "b"]
    assert summary["a"].acceptance_rate.value == 1
    assert summary["a"].prompt_tokens.value == 55
    # the first round gives one token, each later one five
    assert summary["a"].tokens_per_round.value == pytest.approx(21 / 5)
    assert summary["a"].discarded_per_token.value == 0
    assert summary["b"].tokens_per_round.value == 1
    assert summary["b"].verified_per_token.value == 1
    # five drafts each round, fewer before the limit
    assert summary["b"].drafted_per_token.value == pytest.approx((17 * 5 + 4 + 3 + 2 + 1) / 21)
    assert summary["b"].upload_bits["tokens"].value == (9 + 21) * 16
    pair = profile.draft.architecture, profile.target.architecture
    device_flop = [profile.trace(each).flop(*pair)[0] for each in profile.records[:2]]
    assert summary["a"].device_flop.value == pytest.approx(np.mean(device_flop))
