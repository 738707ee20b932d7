from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from uara.base.errors import InputError
from uara.psd.flops import GPT2, GPT2_XL, SMOLLM2_135M
from uara.psd.payload import upload_bits
from uara.psd.profile import TaskProfile, assumed_profile, shipped_profiles
from uara.psd.replay import replay

ASSUMED = assumed_profile(
    {"code": 0.87, "chat": 0.7}, {"code": [170, 150, 300], "chat": [68, 30]}, new_tokens=64, gamma=4
)
CERTAIN = assumed_profile({"code": 1.0}, {"code": [100]}, new_tokens=20, gamma=4)
SHIPPED = ["gpt2_gpt2-xl", "smollm2_int4", "smollm2_int4_t1"]


def test_files_go_round(tmp_path: Path) -> None:
    ASSUMED.save(tmp_path / "p.json")
    assert TaskProfile.load(tmp_path / "p.json") == ASSUMED
    assert TaskProfile.load(str(tmp_path / "p.json")) == ASSUMED


def test_an_assumption_says_so() -> None:
    assert ASSUMED.provenance.acceptance == "assumed"
    assert "code 0.87" in ASSUMED.provenance.note
    assert all(not record.runs for record in ASSUMED.records)


def test_absent_and_damaged_files(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="shipped are"):
        TaskProfile.load("nothing")
    with pytest.raises(InputError, match="no such file"):
        TaskProfile.load(tmp_path / "nothing.json")
    path = tmp_path / "p.json"
    ASSUMED.save(path)
    text = path.read_text()
    for old, new, place in (
        ('"schema_version": 1', '"schema_version": 2', "schema_version"),
        ('"temperature": 1.0', '"temperature": -1.0', "temperature"),
        ('"prompt_tokens": 170', '"prompt_tokens": 0', "prompt_tokens"),
        ("0.87, 0.87", "0.87, 1.87", "acceptance"),
        ('"acceptance": "assumed"', '"acceptance": "guessed"', "provenance"),
        ('"max_new_tokens": 64', '"max_new_tokens": 63', "longer than max_new_tokens, 63"),
    ):
        assert old in text
        path.write_text(text.replace(old, new, 1))
        with pytest.raises(InputError, match=place) as caught:
            TaskProfile.load(path)
        assert "p.json" in str(caught.value)


def test_drawn_tasks_are_the_records_own_loads() -> None:
    drawn = CERTAIN.draw_tasks(5, np.random.default_rng(0))
    trace = replay([1.0] * 20, "psd", 4, 100)
    assert drawn["task"] == ["code"] * 5
    assert set(drawn["upload_bits"]) == {upload_bits(trace, "probabilities", 50257)}
    device_flop, server_flop = trace.flop(GPT2, GPT2_XL)
    assert set(drawn["device_flop"]) == {device_flop}
    assert set(drawn["server_flop"]) == {server_flop}


def test_draws_differ_repeat_and_cover_the_tasks() -> None:
    drawn = ASSUMED.draw_tasks(400, np.random.default_rng(1))
    again = ASSUMED.draw_tasks(400, np.random.default_rng(1))
    assert drawn["task"] == again["task"]
    assert np.array_equal(drawn["server_flop"], again["server_flop"])
    assert len(np.unique(drawn["server_flop"])) > 100
    assert 120 < drawn["task"].count("chat") < 280
    other = ASSUMED.draw_tasks(400, np.random.default_rng(2))
    assert not np.array_equal(drawn["server_flop"], other["server_flop"])


def test_drawn_means_are_those_of_fresh_runs() -> None:
    drawn = CERTAIN.draw_tasks(3, np.random.default_rng(0), draft="smollm2-135m", target=GPT2)
    trace = replay([1.0] * 20, "psd", 4, 100)
    assert tuple(trace.flop(SMOLLM2_135M, GPT2)) == (drawn["device_flop"][0], drawn["server_flop"][0])
    rng = np.random.default_rng(3)
    chat = ASSUMED.draw_tasks(3000, rng, tasks=["chat"])
    fresh = [replay([0.7] * 64, "psd", 4, length, rng=rng).flop(GPT2, GPT2_XL) for length in (68, 30) * 300]
    means = np.mean(fresh, axis=0)
    assert chat["device_flop"].mean() == pytest.approx(means[0], rel=0.03)
    assert chat["server_flop"].mean() == pytest.approx(means[1], rel=0.03)


def test_payloads_and_methods() -> None:
    def bits(payload: str | None = None, **more: object) -> float:
        drawn = CERTAIN.draw_tasks(1, np.random.default_rng(0), payload=payload, **more)  # type: ignore[arg-type]
        return float(drawn["upload_bits"][0])

    assert bits("tokens") < bits("probabilities") == bits() < bits("full-logits")
    conventional = CERTAIN.draw_tasks(1, np.random.default_rng(0), method="conventional", gamma=9)
    trace = replay([1.0] * 20, "conventional", 9, 100)
    assert conventional["server_flop"][0] == trace.flop(GPT2, GPT2_XL)[1]


def test_no_devices_and_refusals() -> None:
    rng = np.random.default_rng(0)
    assert ASSUMED.draw_tasks(0, rng)["upload_bits"].shape == (0,)
    wrong: list[dict[str, object]] = [
        {"tasks": ["poetry"]},
        {"draft": "gpt9"},
        {"payload": "all"},
        {"gamma": 0},
    ]
    for each in wrong:
        with pytest.raises(InputError):
            ASSUMED.draw_tasks(1, rng, **each)  # type: ignore[arg-type]
    with pytest.raises(InputError):
        ASSUMED.draw_tasks(-1, rng)


def test_shipped_names() -> None:
    assert sorted(shipped_profiles()) == [
        *SHIPPED,
        "vicuna-7b_68m",
    ]  # of counts, in its own categories: test_counts.py


@pytest.mark.parametrize("name", SHIPPED)
def test_shipped_profiles(name: str) -> None:
    profile = TaskProfile.load(name)
    assert profile.name == name
    assert profile.tasks == ["code", "summary", "chat"]
    assert len(profile.records) >= 24
    for summary in profile.summary.values():
        estimate = summary.acceptance_rate
        assert 0.5 < estimate.low <= estimate.value <= estimate.high < 1
    drawn = profile.draw_tasks(100, np.random.default_rng(0))
    for key in ("upload_bits", "device_flop", "server_flop"):
        assert (drawn[key] > 0).all()


@pytest.mark.parametrize("name", ["smollm2_int4", "smollm2_int4_t1"])
def test_measured_profiles_hold_together(name: str) -> None:
    profile = TaskProfile.load(name)
    assert profile.provenance.acceptance == "measured"
    pair = profile.draft.architecture, profile.target.architecture
    counted = 0
    for record in profile.records:
        for run in record.runs:
            assert run.overhead_share <= 0.10
            assert run.trace.prompt_tokens == record.prompt_tokens
            if run.counted_device_flop is not None:
                counted += 1
                assert (run.counted_device_flop, run.counted_server_flop) == run.trace.flop(*pair)
        if profile.decoding.temperature == 0:
            # two passes over the output tell what the real loop did
            real = next(run.trace for run in record.runs if run.trace.method == "psd")
            replayed = profile.trace(record)
            assert (real.judged, real.accepted) == (replayed.judged, replayed.accepted)
    assert counted == 3


def test_the_transferred_profile_says_where_acceptance_comes_from() -> None:
    transferred, measured = TaskProfile.load("gpt2_gpt2-xl"), TaskProfile.load("smollm2_int4")
    assert transferred.provenance.acceptance == "transferred"
    assert "smollm2-int4" in transferred.provenance.note
    assert transferred.target.architecture == GPT2_XL
    assert [each.acceptance for each in transferred.records] == [each.acceptance for each in measured.records]
    assert all(not each.runs for each in transferred.records)
