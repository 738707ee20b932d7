"""Figures 5 and 6: the parts of the command, and the bars on the numbers it recorded."""

from __future__ import annotations

import csv
from pathlib import Path

import figures_5_6 as figures
import numpy as np
import pytest

ROOT = Path(__file__).parents[3]
RECORDED = ROOT / "docs" / "masac"


def rows(name):
    with (RECORDED / name).open() as file:
        return list(csv.DictReader(file))


def mean(table, key, **match):
    return np.mean([float(row[key]) for row in table if all(row[k] == str(v) for k, v in match.items())])


def test_the_interval_is_students():
    values = [1.0, 2.0, 4.0]
    middle, half = figures.interval(values)
    assert middle == pytest.approx(7 / 3)
    assert half == pytest.approx(4.302653 * np.std(values, ddof=1) / np.sqrt(3), rel=1e-6)


def test_reductions_are_against_the_best_baseline_of_each_point():
    gaps = {"gap": 0.01, "allocation_gap": 0.005}

    def entry(scheme, latency):
        return {
            "axis": "devices",
            "devices": 30,
            "servers": 8,
            "scheme": scheme,
            "latency_ms": latency,
            **gaps,
        }

    latencies = {"tma-masac": 60, "tma-masac polish": 59, "price, certified": 58}
    for sharing, best in (("uniform", 100), ("optimal", 80)):
        latencies |= {f"random {sharing}": best, f"max-sinr {sharing}": 200, f"max-compute {sharing}": 300}
    table = figures.reductions([entry(*pair) for pair in latencies.items()])
    assert len(table) == 1
    assert table[0]["best_uniform"] == "random"
    assert table[0]["reduction_uniform"] == pytest.approx(0.4)
    assert table[0]["reduction_optimal"] == pytest.approx(0.25)


def test_fig5_recorded_ten_held_out_seeds_at_every_point():
    table = rows("fig5.csv")
    seeds = {int(row["seed"]) for row in table}
    assert len(seeds) >= 10
    assert max(seeds) < 7_000_000
    points = {(row["axis"], row["devices"], row["servers"]) for row in table}
    expected = {("devices", str(m), "8") for m in figures.DEVICES}
    expected |= {("servers", "90", str(e)) for e in figures.SERVERS}
    assert points == expected
    assert len(table) == len(points) * len(seeds) * len(figures.CONTROLLERS)


def test_fig5s_reductions_follow_from_its_rows():
    numbers = [
        {key: float(value) if key not in ("axis", "scheme") else value for key, value in row.items()}
        for row in rows("fig5.csv")
    ]
    recorded = rows("fig5_reductions.csv")
    for made, kept in zip(figures.reductions(numbers), recorded, strict=True):
        for key, value in made.items():
            assert kept[key] == value or float(kept[key]) == pytest.approx(value, rel=1e-6), key


def test_fig5s_bars_against_the_best_baseline_at_each_point():
    table = rows("fig5_reductions.csv")
    cut = [float(row["reduction_uniform"]) for row in table]
    assert np.mean(cut) >= 0.237
    assert max(cut) >= 0.280
    assert min(float(row["reduction_optimal"]) for row in table) > 0


def test_proven_gaps_at_every_size():
    for row in rows("fig5_reductions.csv"):
        assert float(row["gap"]) <= 0.05, row
        assert float(row["gap_polish"]) <= 0.01, row
        assert float(row["allocation_gap"]) <= 0.05, row


@pytest.mark.parametrize("scheme", ["tma-masac", figures.KEPT])
@pytest.mark.parametrize("battery", ["low", "high"])
def test_fig6s_trends_energy_falls_and_latency_grows(scheme, battery):
    table = rows("fig6.csv")
    ends = [
        [mean(table, key, scheme=scheme, battery=battery, w=f"{w:g}") for w in figures.WEIGHTS]
        for key in ("latency_ms", "energy_j", "uplink_energy_mj")
    ]
    latency, energy, uplink = (np.diff(values) for values in ends)
    assert (latency > -0.02).all(), "where X is free, a step may be flat to some thousandths of a percent"
    assert ends[0][0] < ends[0][2] < ends[0][4]
    assert (energy < 0).all()
    assert (uplink < 0).all()


def test_fig6s_trends_are_stronger_for_low_batteries():
    """Where the association is kept; a free one also moves high batteries off the weakest pairs."""
    table = rows("fig6.csv")

    def change(key, battery):
        low, high = (mean(table, key, scheme=figures.KEPT, battery=battery, w=w) for w in ("20", "100"))
        return (high - low) / low

    assert change("latency_ms", "low") > change("latency_ms", "high") > 0
    assert change("uplink_energy_mj", "low") < change("uplink_energy_mj", "high") < 0
