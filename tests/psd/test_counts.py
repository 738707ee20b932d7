"""Profiles of recorded counts: the schedule, what it censors, and the acceptance behind it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from uara.base.errors import InputError
from uara.psd.counts import Run, Source, acceptance_of, continued, profile_of_counts, read_counts
from uara.psd.profile import TaskProfile

HEAD = "dataset,question_id,category,turn,tokens_per_round\n"
PUBLIC = Path(__file__).parents[2].parent / "shared" / "data" / "specbench_vicuna7b_68m.csv"


def _run(*tokens: int) -> Run:
    return Run("chat", "d/1/0", ("d", "1"), tokens)


def test_the_draft_grows_by_two_and_shrinks_by_one() -> None:
    assert _run(6, 8, 1, 1, 1, 1, 1, 1, 1, 1, 1, 2).drafted() == [5, 7, 9, 8, 7, 6, 5, 4, 3, 2, 1, 1]
    with pytest.raises(InputError, match="round 1 accepted 5 tokens, but the schedule drafted 4"):
        _run(1, 6).drafted()


def test_tokens_behind_a_whole_block_are_not_taken_for_rejected() -> None:
    chances = [0.5, 0.4, 0.3, 0.25]
    assert acceptance_of(_run(3, 5), chances) == [1, 1, 0, 1, 1, 1, 1, 0.25]  # 5 drafted, then 4


def _simulated(chance: float, rounds: int, seed: int) -> Run:
    """A run whose every draft is accepted with one chance, under the schedule."""
    generator, length, tokens = np.random.default_rng(seed), 5, []
    for _ in range(rounds):
        verdicts = generator.random(length) < chance
        accepted = length if verdicts.all() else int(np.argmin(verdicts))
        tokens.append(accepted + 1)
        length = length + 2 if accepted == length else max(1, length - 1)
    return _run(*tokens)


@pytest.mark.parametrize("chance", [0.3, 0.6, 0.8])
def test_the_estimate_is_free_of_the_schedule(chance: float) -> None:
    run = _simulated(chance, 20_000, seed=3)
    for found in continued([run])[:3]:
        assert found == pytest.approx(chance, abs=0.02)
    acceptance = acceptance_of(run, continued([run]))
    assert np.mean(acceptance) == pytest.approx(chance, abs=0.02)
    naive = np.mean([verdict for each in run.tokens for verdict in [1] * (each - 1) + [0]])
    assert naive < chance - 0.03, "taken for rejections, the censored tokens would lower it"


def test_a_profile_of_counts(tmp_path: Path) -> None:
    path = tmp_path / "counts.csv"
    path.write_text(HEAD + "a,1,chat,0,1 2 3\na,1,chat,1,6 1\na,2,code,0,1 1 1 1 1\nb,1,chat,0,1\n")
    profile = profile_of_counts(path, Source("own", "llama-68m", "vicuna-7b-v1.3", credit="me"), dataset="a")
    assert profile.tasks == ["chat", "code"]
    assert [each.prompt_tokens for each in profile.records] == [128, 128 + 6, 128]
    assert [len(each.acceptance) for each in profile.records] == [6, 7, 5]
    assert profile.provenance.acceptance == "measured"
    assert "1 rounds accepted their whole draft" in profile.provenance.note
    assert profile.provenance.sources[-1] == "me"
    profile.save(tmp_path / "own.json")
    tasks = TaskProfile.load(tmp_path / "own.json").draw_tasks(5, np.random.default_rng(1))
    assert (tasks["server_flop"] > 128 * 2 * 6.5e9).all()
    fewer = profile_of_counts(path, Source("own", "llama-68m", "vicuna-7b-v1.3"), most=1)
    assert len(fewer.records) == 2


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("dataset,question_id,category,turn\na,1,c,0\n", "column tokens_per_round: is missing"),
        (HEAD + "a,1,c,0,1 x\n", "row 2, column tokens_per_round: must hold"),
        (HEAD + f"a,1,c,0,{'9' * 5000}\n", "row 2, column tokens_per_round: must hold"),
        (HEAD + "a,1,c,0,\u0663\n", "row 2, column tokens_per_round: must hold"),
        (HEAD + "a,1,c,0,\n", "row 2, column tokens_per_round: must hold"),
        (HEAD + "a,1,c,0,1\na,1,c,0,1\n", "row 3, column question_id: a second run of a/1/0"),
        (HEAD, "holds no run"),
    ],
)
def test_what_holds_no_counts_is_refused(tmp_path: Path, text: str, says: str) -> None:
    path = tmp_path / "counts.csv"
    path.write_text(text)
    with pytest.raises(InputError) as raised:
        read_counts(path)
    assert says in str(raised.value)


def test_the_shipped_profile_is_measured_and_says_how() -> None:
    profile = TaskProfile.load("vicuna-7b_68m")
    assert profile.provenance.acceptance == "measured"
    assert len(profile.tasks) == 13
    assert "Kaplan" in profile.provenance.note
    assert any("Apache-2.0" in each for each in profile.provenance.sources)
    means = {task: summary.acceptance_rate.value for task, summary in profile.summary.items()}
    assert min(means, key=means.__getitem__) == "translation"


@pytest.mark.skipif(not PUBLIC.is_file(), reason="the public counts are not here")
def test_every_public_run_fits_the_schedule() -> None:
    runs = read_counts(PUBLIC, "spec_bench")
    assert len(runs) == 560
    for run in runs:
        run.drafted()


def test_prompts_that_leave_no_room_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "counts.csv"
    path.write_text(HEAD + "a,1,c,0,3 2 1\n")
    with pytest.raises(InputError, match="leaves no room in a context"):
        profile_of_counts(path, Source("own", "llama-68m", "vicuna-7b-v1.3", prompt_tokens=50_000))
