from __future__ import annotations

from pathlib import Path

import pytest
from psd.tiny import tiny_model, tiny_tokenizer

from uara.base import locks
from uara.base.errors import InputError
from uara.psd import profiler
from uara.psd.models import LanguageModel, wrap
from uara.psd.profile import TaskProfile
from uara.psd.profiler import measure_profile, partial_path
from uara.psd.prompts import Prompt
from uara.psd.request import DecodingOptions

PROMPTS = [Prompt("a", "1", "w3 w4 w5"), Prompt("a", "2", "w9"), Prompt("b", "3", "w7 w8 w8 w2")]
OPTIONS = DecodingOptions("psd", 3, 15)


@pytest.mark.integration
def test_a_profile_of_real_runs(pair: tuple[LanguageModel, LanguageModel], tmp_path: Path) -> None:
    output = tmp_path / "p.json"
    seen: list[int] = []
    profile = measure_profile(*pair, PROMPTS, OPTIONS, output, on_prompt=lambda done, _: seen.append(done))
    assert seen == [1, 2, 3]
    assert TaskProfile.load(output) == profile
    assert not partial_path(output).exists()
    assert profile.provenance.acceptance == "measured"
    assert profile.target.sha256 == pair[1].weights_sha256()
    assert [each.prompt_tokens for each in profile.records] == [3, 1, 4]
    assert [each.prompt_sha256 for each in profile.records] == [each.sha256 for each in PROMPTS]
    sizes = profile.draft.architecture, profile.target.architecture
    for record in profile.records:
        traces = {run.trace.method: run.trace for run in record.runs}
        # the acceptance along the output tells all methods' verdicts
        for method, trace in traces.items():
            replayed = profile.trace(record, method)
            assert (replayed.judged, replayed.accepted) == (trace.judged, trace.accepted)
        counted = [run for run in record.runs if run.counted_device_flop is not None]
        assert all(
            (run.counted_device_flop, run.counted_server_flop) == run.trace.flop(*sizes) for run in counted
        )
    # the first prompt of each task is counted
    assert [len([r for r in each.runs if r.counted_server_flop]) for each in profile.records] == [1, 0, 1]


@pytest.mark.integration
def test_a_stopped_run_goes_on(
    pair: tuple[LanguageModel, LanguageModel], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    output = tmp_path / "p.json"
    whole = measure_profile(*pair, PROMPTS, OPTIONS, tmp_path / "whole.json")

    def stop(done: int, prompt: Prompt) -> None:
        if done == 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        measure_profile(*pair, PROMPTS, OPTIONS, output, on_prompt=stop)
    assert partial_path(output).exists()
    assert not output.exists()
    measured: list[str] = []
    original = profiler.measure_prompt

    def watch(*arguments, **more):  # type: ignore[no-untyped-def]
        measured.append(arguments[2].name)
        return original(*arguments, **more)

    monkeypatch.setattr(profiler, "measure_prompt", watch)
    resumed = measure_profile(*pair, PROMPTS, OPTIONS, output)
    assert measured == ["3"]
    assert [each.acceptance for each in resumed.records] == [each.acceptance for each in whole.records]
    assert resumed.summary == whole.summary


def test_another_measurement_is_not_taken_over(
    pair: tuple[LanguageModel, LanguageModel], tmp_path: Path
) -> None:
    output = tmp_path / "p.json"
    partial_path(output).write_text('{"key": "other", "records": []}')
    with pytest.raises(InputError, match="holds another measurement"):
        measure_profile(*pair, PROMPTS, OPTIONS, output)
    partial_path(output).write_text("{")
    with pytest.raises(InputError, match="not valid JSON"):
        measure_profile(*pair, PROMPTS, OPTIONS, output)


def test_sampled_profiles_hold_probabilities(
    pair: tuple[LanguageModel, LanguageModel], tmp_path: Path
) -> None:
    options = DecodingOptions("psd", 3, 15, temperature=1.0, rule="target")
    profile = measure_profile(*pair, PROMPTS, options, tmp_path / "p.json")
    assert any(0 < each < 1 for record in profile.records for each in record.acceptance)
    assert profile.payload == "probabilities"


def test_refusals(pair: tuple[LanguageModel, LanguageModel], tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no prompts"):
        measure_profile(*pair, [], OPTIONS, tmp_path / "p.json")
    other = wrap(tiny_model(), tiny_tokenizer(23), "other")
    with pytest.raises(InputError, match="differ"):
        measure_profile(other, pair[1], PROMPTS, OPTIONS, tmp_path / "p.json")


def test_a_profile_is_measured_by_one_process_and_replaces_profiles_alone(
    pair: tuple[LanguageModel, LanguageModel], tmp_path: Path
) -> None:
    with (
        locks.exclusive(tmp_path / ".p.json.lock"),
        pytest.raises(InputError, match=r"another process is measuring p\.json"),
    ):
        measure_profile(*pair, PROMPTS, OPTIONS, tmp_path / "p.json")
    (tmp_path / "p.json").write_text('{"kind": "p1"}')
    for path, text in ((tmp_path / "p.json", "holds 'p1'"), (Path("/dev/null"), "name a file")):
        with pytest.raises(InputError, match=text):
            measure_profile(*pair, PROMPTS, OPTIONS, path)
    assert [item.name for item in tmp_path.iterdir()] == ["p.json"]
