from __future__ import annotations

import pytest

from uara.base.errors import InputError
from uara.psd.comparison import Study, comparison_table, ratio_speeds, speedups
from uara.psd.hardware import speeds
from uara.psd.profile import TaskProfile, assumed_profile

PROFILE = assumed_profile({"sure": 1.0, "never": 0.0}, {"sure": [40], "never": [40]}, new_tokens=24, gamma=4)


def test_parts_add_up_and_rates_apply() -> None:
    study = Study(PROFILE, speeds(uplink_bit_per_s=1e6))
    for each in study.comparison(4, "full-logits"):
        assert each.mobile_ms + each.transmission_ms + each.server_ms + each.idle_ms == pytest.approx(
            each.total_ms
        )
        assert each.uplink_mbit_per_s == 1
    slow, fast = (study.row("sure", "psd", 4, "full-logits", rate).total_ms for rate in (1, 100))
    assert fast < slow / 10


def test_speedups_are_ratios_of_totals() -> None:
    rows = Study(PROFILE, ratio_speeds(4)).comparison(4, "tokens")
    gains = speedups(rows)
    # all accepted: 4 rounds of 8 ms and one of 7 for 24 tokens, against 7 rounds of 4 ms
    assert gains["sure"]["conventional"] == pytest.approx(39 / 28)
    # nothing accepted: 20 rounds of 8 ms, then 7, 6, 5 and 4 ms, against 24 of 4 ms
    assert gains["never"]["conventional"] == pytest.approx(182 / 96)
    assert gains["never"]["autoregressive"] == pytest.approx(1)


@pytest.mark.parametrize("ratio", [2, 3, 4, 5])
def test_the_bar_psd_gains_a_fifth_for_every_measured_task(ratio: int) -> None:
    profile = TaskProfile.load("smollm2_int4")
    gains = speedups(Study(profile, ratio_speeds(ratio)).comparison(ratio, "tokens"))
    assert set(gains) == {"code", "summary", "chat"}
    for gain in gains.values():
        assert gain["conventional"] >= 1.2
        assert gain["autoregressive"] > 1.3


def test_unknown_tasks() -> None:
    with pytest.raises(InputError, match="no task 'poetry'"):
        Study(PROFILE, speeds()).row("poetry", "psd", 4, "tokens")


def test_comparison_table() -> None:
    profile = assumed_profile({"a": 1.0}, {"a": [30]}, new_tokens=20, gamma=3)
    table = comparison_table(profile, [2, 4])
    assert len(table.rows) == 2
    assert len(table.columns) == 4
    with pytest.raises(InputError):
        comparison_table(profile, [-1])
