from __future__ import annotations

import csv
from pathlib import Path

import pytest

from uara.base.errors import InputError
from uara.psd import figures
from uara.psd.figures import comparison_table, draw_figures
from uara.psd.hardware import speeds
from uara.psd.profile import TaskProfile, assumed_profile
from uara.psd.study import Row, best_gammas, saturation_mbit_per_s

DOCS = Path(__file__).parents[2] / "docs" / "psd"


def read(path: Path) -> list[Row]:
    with path.open() as stream:
        listed = list(csv.DictReader(stream))
    kinds = {"task": str, "method": str, "payload": str, "gamma": int}
    return [Row(**{key: kinds.get(key, float)(value) for key, value in each.items()}) for each in listed]


def test_one_call_draws_and_writes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(figures, "RATES_MBIT_PER_S", (0.1, 10.0, 1000.0))
    monkeypatch.setattr(figures, "GAMMAS", range(1, 5))
    profile = assumed_profile({"a": 1.0, "b": 0.0}, {"a": [30], "b": [40]}, new_tokens=20, gamma=3)
    lines = list(draw_figures(profile, speeds(), "a", tmp_path))
    assert lines[0].startswith("best gamma, conventional: a 4, b 1")
    for name in ("figure1.png", "figure2.png"):
        assert (tmp_path / name).read_bytes().startswith(b"\x89PNG")
    rows = read(tmp_path / "figure2_gamma.csv")
    assert len(rows) == 2 * 2 * 4
    assert {each.gamma for each in rows} == {1, 2, 3, 4}
    assert len(read(tmp_path / "figure2_rate.csv")) == 2 * 2 * 2 * 3
    with pytest.raises(InputError, match="no task 'c'"):
        list(draw_figures(profile, speeds(), "c", tmp_path))


def test_observation_one_the_best_gamma_depends_on_the_task() -> None:
    rows = read(DOCS / "figure2_gamma.csv")
    best = best_gammas(rows, "conventional")
    assert best["code"] > best["summary"]
    # and not by a hair: the other's best costs a few per cent
    totals = {
        each.gamma: each.total_ms for each in rows if (each.task, each.method) == ("code", "conventional")
    }
    assert totals[best["summary"]] > 1.03 * totals[best["code"]]


@pytest.mark.parametrize("payload", ["tokens", "full-logits"])
def test_observation_two_the_gain_saturates_with_the_data_rate(payload: str) -> None:
    rows = [each for each in read(DOCS / "figure2_rate.csv") if each.payload == payload]
    for task in ("code", "summary", "chat"):
        own = [each for each in rows if (each.task, each.method) == (task, "psd")]
        highest = max(each.uplink_mbit_per_s for each in own)
        saturated = saturation_mbit_per_s(rows, task, "psd")
        assert min(each.uplink_mbit_per_s for each in own) < saturated < highest
        # beyond it the phone is the bottleneck
        last = next(each for each in own if each.uplink_mbit_per_s == highest)
        assert last.mobile_ms > 0.5 * last.total_ms
        # and before it, the link: that is what the loss at the lowest rate consists of
        loss_ms = own[0].total_ms - last.total_ms
        assert loss_ms > 0.3 * last.total_ms
        assert own[0].transmission_ms - last.transmission_ms > 0.5 * loss_ms


def test_the_data_in_the_docs_are_this_codes() -> None:
    from uara.psd.study import Study

    study = Study(TaskProfile.load("gpt2_gpt2-xl"), speeds("galaxy-s23", "rtx-3090", 20e6, 100e6, 1e-3))
    stored = read(DOCS / "figure2_gamma.csv")
    for each in stored[::37]:
        again = study.row(each.task, each.method, each.gamma, each.payload)
        assert again.total_ms == pytest.approx(each.total_ms, abs=1e-5)


def test_comparison_table() -> None:
    profile = assumed_profile({"a": 1.0}, {"a": [30]}, new_tokens=20, gamma=3)
    table = comparison_table(profile, [2, 4])
    assert table.row_count == 2
    assert len(table.columns) == 4
    with pytest.raises(InputError):
        comparison_table(profile, [-1])
