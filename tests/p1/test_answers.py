from __future__ import annotations

import math

import numpy as np
import pytest
from cases import instances, make_instance, random_association
from hypothesis import given, settings

from uara import Allocation, Certificate, Instance, allocate, evaluate, solve
from uara.p1 import worth
from uara.p1.answers import COLUMNS, file_columns, tables


@settings(max_examples=40)
@given(instances())
def test_every_number_is_that_of_its_equation(instance: Instance) -> None:
    decision = allocate(instance, random_association(instance), "sqrt")
    found, score = tables(instance, decision), evaluate(instance, decision)
    rows = [dict(zip(COLUMNS, row, strict=True)) for row in zip(*found["devices"].values(), strict=True)]
    gain, noise_w_per_hz = instance.channel.dense(len(instance.servers)), 10 ** (-174 / 10) / 1e3
    given_, servers = instance.devices, instance.servers
    for i, row in enumerate(rows):
        j = servers.id.index(row["server"])
        assert (row["device"], j) == (given_.id[i], decision.association[i])
        snr = gain[i, j] * given_.tx_power_w[i] / (noise_w_per_hz * servers.bandwidth_hz[j])
        rate = row["band_share"] * servers.bandwidth_hz[j] * math.log2(1 + snr)
        assert row["snr_db"] == pytest.approx(10 * math.log10(snr))
        assert row["rate_bit_per_s"] == pytest.approx(rate, rel=1e-6)
        assert row["uplink_ms"] == pytest.approx(given_.upload_bits[i] / rate * 1e3, rel=1e-6)
        assert row["local_ms"] == pytest.approx(given_.device_flop[i] / given_.compute_flop_per_s[i] * 1e3)
        speed = row["compute_share"] * servers.compute_flop_per_s[j]
        assert row["server_ms"] == pytest.approx(given_.server_flop[i] / speed * 1e3)
        parts = max(row["local_ms"], row["uplink_ms"]) + row["queue_ms"] + row["server_ms"]
        assert row["latency_ms"] == pytest.approx(parts)
    assert sum(row["energy_j"] for row in rows) == pytest.approx(score.energy_j)
    table = found["servers"]
    assert sum(table["devices"]) == len(rows)
    for j, name in enumerate(table["server"]):
        own = [row for row in rows if row["server"] == name]
        assert table["devices"][j] == len(own)
        assert table["band_used"][j] == pytest.approx(sum(row["band_share"] for row in own))
        assert table["compute_used"][j] == pytest.approx(sum(row["compute_share"] for row in own))
        assert {row["queue_ms"] for row in own} <= {table["queue_ms"][j]}
        mean = np.mean([row["latency_ms"] for row in own]) if own else 0.0
        assert table["mean_latency_ms"][j] == pytest.approx(mean)
        assert table["work_ms"][j] == pytest.approx(
            table["work_flop"][j] / servers.compute_flop_per_s[j] * 1e3
        )


def test_prices_stand_beside_the_servers_where_the_certificate_has_them() -> None:
    instance = make_instance(6, 3)
    decision = allocate(instance, random_association(instance))
    table = tables(instance, decision, Certificate([1.0, 2.0, 3.0], [4.0, 5.0, 6.0]))["servers"]
    assert table["compute_price_ms_per_root_flop"] == [1.0, 2.0, 3.0]
    assert table["band_price_ms"] == [4.0, 5.0, 6.0]
    for other in (None, object(), Certificate([1.0], [1.0])):
        assert not any("price" in name for name in tables(instance, decision, other)["servers"])


def test_servers_say_what_more_would_save() -> None:
    instance = make_instance(6, 3)
    decision = allocate(instance, random_association(instance), "uniform")
    table = tables(instance, decision)["servers"]
    assert table["saved_by_1_mhz_ms"] == worth.of_band(instance, decision.association).tolist()
    assert table["saved_by_1_tflop_per_s_ms"] == worth.of_compute(instance, decision.association).tolist()
    nowhere = Allocation([0, 1, 7, 0, 1, 2], decision.bandwidth, decision.compute)
    assert not any("saved" in name for name in tables(instance, nowhere)["servers"])


def test_device_prices_have_a_price_of_band() -> None:
    instance = make_instance(8, 2, seed=3)
    proven = solve(instance, "exact")
    table = tables(instance, proven.decision, proven.certificate)["servers"]  # type: ignore[arg-type]
    assert "compute_price_ms_per_root_flop" not in table
    assert len(table["band_price_ms"]) == 2
    assert min(table["band_price_ms"]) >= 0


def test_what_serves_nobody_is_infinite_and_not_an_error() -> None:
    instance = make_instance(5, 2, missing=0.0)
    decision = Allocation([0, 1, 7, 0, 1], [0.5, 0.0, 0.1, 0.1, 0.1], [0.5, 0.5, 0.1, 0.0, 0.1])
    found = tables(instance, decision)["devices"]
    assert found["server"][2] == ""
    assert [math.isinf(each) for each in found["uplink_ms"]] == [False, True, True, False, False]
    assert [math.isinf(each) for each in found["server_ms"]] == [False, False, True, True, False]
    assert found["rate_bit_per_s"][1] == found["rate_bit_per_s"][2] == 0.0


def test_the_columns_of_files_are_known_before_there_is_an_answer() -> None:
    instance = make_instance(3, 2)
    first = next(iter(tables(instance, allocate(instance, random_association(instance))).values()))
    assert tuple(first) == file_columns()
