from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import chisquare

from uara.psd.sampling import Judgement, Sampler, draw, judge, judge_greedy

WEIGHTS = st.lists(st.floats(0.01, 1), min_size=4, max_size=4)


def normal(weights: list[float]) -> torch.Tensor:
    values = torch.tensor(weights, dtype=torch.float64)
    return values / values.sum()


def test_distributions() -> None:
    logits = torch.tensor([[1.0, 3.0, 2.0]])
    assert Sampler().distribution(logits).tolist() == [[0, 1, 0]]
    expected = np.exp(np.array([1, 3, 2]) / 0.5)
    assert np.allclose(Sampler(0.5).distribution(logits), expected / expected.sum())


def test_nucleus_keeps_the_smallest_set_that_reaches_its_mass() -> None:
    logits = torch.log(torch.tensor([[0.5, 0.1, 0.3, 0.1]]))
    kept = Sampler(1.0, top_p=0.7).distribution(logits)[0]
    assert torch.allclose(kept, torch.tensor([0.625, 0, 0.375, 0], dtype=torch.float64))
    assert torch.allclose(
        Sampler(1.0, top_p=0.01).distribution(logits)[0], torch.tensor([1.0, 0, 0, 0]).double()
    )


def test_draws_follow_the_distribution_and_never_the_impossible() -> None:
    rng = np.random.default_rng(0)
    p = torch.tensor([0.0, 0.2, 0.0, 0.8, 0.0], dtype=torch.float64)
    counts = np.bincount([draw(p, rng) for _ in range(4000)], minlength=5)
    assert counts[[0, 2, 4]].sum() == 0
    assert chisquare(counts[[1, 3]], [800, 3200]).pvalue > 0.001


@pytest.mark.integration
@settings(max_examples=8, deadline=None)
@given(p=WEIGHTS, q=WEIGHTS, seed=st.integers(0, 1000))
def test_one_judged_token_has_the_targets_distribution(p: list[float], q: list[float], seed: int) -> None:
    rng = np.random.default_rng(seed)
    target, draft = normal(p), normal(q)
    counts = np.zeros(4)
    for _ in range(2000):
        token = draw(draft, rng)
        verdict = judge([token], [draft], target[None], "residual", rng)
        counts[token if verdict.own is None else verdict.own] += 1
    assert chisquare(counts, target.numpy() * 2000).pvalue > 1e-5


def test_the_target_rule_is_biased_by_the_second_chance() -> None:
    rng = np.random.default_rng(0)
    target, draft = normal([0.9, 0.1]), normal([0.1, 0.9])
    outcomes = []
    for _ in range(4000):
        token = draw(draft, rng)
        verdict = judge([token], [draft], target[None], "target", rng)
        outcomes.append(token if verdict.own is None else verdict.own)
    # accepted first tokens 0.1; accepted second 0.1; the rest, 0.8, drawn from p: 0.1 + 0.8 * 0.9
    assert np.mean(np.array(outcomes) == 0) == pytest.approx(0.82, abs=0.02)


def test_greedy_verdicts() -> None:
    logits = torch.eye(4)[[2, 1, 3]]
    assert judge_greedy([2, 1], logits) == Judgement(2, 3)
    assert judge_greedy([2, 0], logits) == Judgement(1, 1)
    assert judge_greedy([2, 1, 3], logits) == Judgement(3, None)
    assert judge_greedy([], logits[:1]) == Judgement(0, 2)


def test_equal_distributions_accept_everything() -> None:
    rng = np.random.default_rng(0)
    p = normal([0.2, 0.3, 0.5])
    for _ in range(200):
        token = draw(p, rng)
        assert judge([token], [p], p[None], "residual", rng) == Judgement(1, None)


def test_a_further_token_comes_from_the_last_row() -> None:
    rng = np.random.default_rng(0)
    p = normal([1.0, 1.0, 1.0])
    last = torch.tensor([0.0, 0.0, 1.0], dtype=torch.float64)
    assert judge([1], [p], torch.stack([p, last]), "residual", rng) == Judgement(1, 2)
