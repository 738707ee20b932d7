"""Rates and upload times with shares of the band, against the equation with plain numbers."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hetedge_cases import make_hetedge
from hypothesis import given, settings
from hypothesis import strategies as st

from uara.hetedge.uplink import airtime_ms, rates_bit_per_s, upload_ms

cases = st.tuples(st.integers(0, 10_000), st.sampled_from(["whole", "share"]))


@settings(deadline=None)
@given(cases, st.integers(0, 10_000))
def test_rates_are_the_equations(case: tuple[int, str], other: int) -> None:
    instance = make_hetedge(5, case[0], noise_band=case[1])
    share = np.random.default_rng(other).dirichlet(np.ones(5))
    given_, requests = instance.parameters, instance.requests
    rate, upload = rates_bit_per_s(instance, share), upload_ms(instance, share)
    for k in range(5):
        noisy_hz = given_.bandwidth_hz * (share[k] if case[1] == "share" else 1.0)
        noise_w = 10 ** (given_.noise_psd_dbm_per_hz / 10 - 3) * noisy_hz
        snr = requests.power_gain[k] * requests.tx_power_w[k] / noise_w
        expected = share[k] * given_.bandwidth_hz * math.log2(1 + snr)
        assert rate[k] == pytest.approx(expected, rel=1e-9)
        bits = requests.upload_bits[k]
        assert upload[k] == pytest.approx(bits / expected * 1e3 if bits else 0.0, rel=1e-9)
    assert (airtime_ms(instance) <= upload * (1 + 1e-12)).all()


@settings(deadline=None)
@given(cases, st.floats(1e-9, 0.5))
def test_more_band_is_never_slower(case: tuple[int, str], share: float) -> None:
    instance = make_hetedge(5, case[0], noise_band=case[1])
    narrow, wide = (rates_bit_per_s(instance, np.full(5, each)) for each in (share, 2 * share))
    assert (narrow <= wide * (1 + 1e-12)).all()
    assert (wide <= 2 * narrow * (1 + 1e-9)).all()  # concave in the share


@pytest.mark.parametrize("noise", ["whole", "share"])
def test_a_share_next_to_nothing_has_a_rate_next_to_nothing(noise: str) -> None:
    instance = make_hetedge(4, 1, noise_band=noise)
    rate = rates_bit_per_s(instance, np.full(4, 1e-305))
    assert np.isfinite(rate).all()
    assert (rate < 1e-290).all()
    silent = instance.replace(requests=instance.requests.replace(upload_bits=np.zeros(4)))
    assert not upload_ms(silent, np.full(4, 0.0)).any()
