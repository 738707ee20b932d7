"""The shared uplink: rates and upload times of the requests with given shares of the band."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from uara.base.quantities import MS_PER_S, Floats

if TYPE_CHECKING:
    from uara.hetedge.instance import HetEdge


def rates_bit_per_s(instance: HetEdge, share: Floats) -> Floats:
    """(K,) Rate of each request with its share of the band."""
    width_hz = share * instance.parameters.bandwidth_hz
    if instance.parameters.noise_band == "whole":
        return np.asarray(width_hz * np.log1p(instance.snr) / np.log(2))
    with np.errstate(over="ignore"):
        snr = instance.snr / share
    # A share so small that its ratio leaves double precision has next to no rate, and not an infinite one.
    spectral = np.where(np.isfinite(snr), np.log1p(snr), np.log(instance.snr) - np.log(share))
    return np.asarray(width_hz * spectral / np.log(2))


def upload_ms(instance: HetEdge, share: Floats) -> Floats:
    """(K,) Upload time of each request; what has nothing to send needs no time."""
    bits = instance.requests.upload_bits
    with np.errstate(all="ignore"):
        return np.asarray(np.where(bits > 0, bits / rates_bit_per_s(instance, share) * MS_PER_S, 0.0))


def airtime_ms(instance: HetEdge) -> Floats:
    """(K,) Upload time of each request with the whole band, w_k = S_k / (B e_k)."""
    return upload_ms(instance, np.ones(len(instance.requests)))
