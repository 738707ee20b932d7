"""Shares of the uplink band: the least largest delay, the least total delay, and delays in time for a schedule.

With the noise of the whole band a request's rate is linear in its share ``b``, ``b B log2(1 + SNR)``, and the
optima are closed forms. With the noise of the share alone the rate is ``b B log2(1 + SNR / b)``; the share that
a deadline asks for is then a Lambert W, and one scalar root closes the budget. Derivations: ``docs/hetedge.md``.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Literal

import numpy as np

from uara.base.quantities import MS_PER_S, Floats
from uara.hetedge.uplink import airtime_ms as airtime_ms
from uara.hetedge.uplink import rates_bit_per_s as rates_bit_per_s
from uara.hetedge.uplink import upload_ms as upload_ms

if TYPE_CHECKING:
    from uara.hetedge.instance import HetEdge

Rule = Literal["uniform", "min-max", "min-sum"]
_ITERATIONS = 200
_TOLERANCE = 1e-13


def shares(instance: HetEdge, rule: Rule) -> Floats:
    """(K,) Shares by a rule: ``uniform``, ``min-max`` or ``min-sum`` of the upload delays."""
    if rule == "uniform":
        return np.full(len(instance.requests), 1 / len(instance.requests))
    return min_max(instance) if rule == "min-max" else min_sum(instance)


def min_max(instance: HetEdge) -> Floats:
    """(K,) Shares that minimise the largest upload delay: all delays are equal.

    With a linear rate b_k = w_k / sum w; otherwise the common delay is the root of sum b_k(T) = 1.
    """
    return in_time(instance, np.zeros(len(instance.requests)))[0]


def min_sum(instance: HetEdge, weight: Floats | None = None) -> Floats:
    """(K,) Shares that minimise the (weighted) sum of the upload delays.

    With a linear rate b_k = sqrt(v_k w_k) / sum; otherwise the marginal gain of band is equal for all, and the
    price at which the shares fill the band is found by bisection.
    """
    airtime = airtime_ms(instance)
    value = np.ones(len(airtime)) if weight is None else weight
    if not (airtime > 0).any():
        return np.full(len(airtime), 1 / len(airtime))
    if instance.parameters.noise_band == "whole":
        return _normalised(np.sqrt(value * airtime))
    sends = airtime > 0
    snr, scale = instance.snr[sends], value[sends] * instance.requests.upload_bits[sends]

    def at(log_price: float) -> Floats:
        return _share_at_price(scale, snr, np.exp(log_price))

    middle = float(np.log(np.median(-_delay_slope(scale, snr, np.full(len(snr), 1 / len(snr))))))
    log_price = _decreasing_root(lambda x: float(np.sum(at(x))) - 1, middle - 1, middle + 1)
    share = np.zeros(len(airtime))
    share[sends] = at(log_price)
    return _normalised(share)


def in_time(instance: HetEdge, offset_ms: Floats) -> tuple[Floats, float]:
    """Shares with which request k is uploaded by ``t + offset_ms[k]``, for the least t from 0 on.

    Parameters
    ----------
    offset_ms
        (K,) How much later than t each may arrive; with zeros the largest delay is minimised. What becomes
        ready later has less time: its offset is smaller by that.

    Returns
    -------
    share
        (K,) Shares that fill the band.
    t_ms
        The least common start; at 0 prompts may arrive earlier than they must.
    """
    airtime = airtime_ms(instance)
    sends = airtime > 0
    if not sends.any():
        return np.full(len(airtime), 1 / len(airtime)), 0.0
    offset = np.minimum(offset_ms, 1e9 * airtime.sum())
    linear = instance.parameters.noise_band == "whole"

    def needed(t_ms: float) -> Floats:
        deadline = t_ms + offset[sends]
        if linear:
            return np.asarray(airtime[sends] / deadline)
        bits_per_hz = instance.requests.upload_bits[sends] / (
            instance.parameters.bandwidth_hz * deadline / MS_PER_S
        )
        return share_for_rate(bits_per_hz, instance.snr[sends])

    longest = float(airtime.sum())
    # Below the largest single airtime less its offset somebody would need more than the whole band.
    shortest = max(float(np.max(airtime[sends] - offset[sends])), 1e-12 * longest)
    t_ms = shortest
    if needed(shortest).sum() > 1:
        t_ms = _decreasing_root(lambda t: float(needed(t).sum()) - 1, shortest, max(longest, shortest))
    share = np.zeros(len(airtime))
    share[sends] = needed(t_ms)
    return _normalised(share), t_ms


def share_for_rate(bits_per_hz: Floats, snr: Floats) -> Floats:
    """Share b with b log2(1 + snr / b) = r, where the noise fills the share alone; infinite beyond any share.

    Notes
    -----
    With u = snr / b and q = r ln 2 / snr the equation is ln(1 + u) = q u, whose root other than 0 is
    u = -W(-q exp(-q)) / q - 1 on the branch W_-1; it exists for q < 1.
    """
    from scipy.special import lambertw

    q = np.asarray(bits_per_hz * np.log(2) / snr, dtype=float)
    share = np.full(q.shape, np.inf)
    below = q < 1
    inner = q[below]
    u = -np.real(lambertw(-inner * np.exp(-inner), k=-1)) / inner - 1
    # Near q = 1 the branch is steep and its argument is rounded: Newton's method finishes from where it led.
    u = np.where(u > 1e-6, u, 2 * (1 - inner) / inner)
    for _ in range(_ITERATIONS):
        slope = inner - 1 / (1 + u)
        step = (inner * u - np.log1p(u)) / np.where(slope > 0, slope, np.inf)
        u = np.where(step < u, u - step, u / 2)
        if np.all(np.abs(step) <= 1e-15 * u):
            break
    share[below] = snr[below] / u
    return share


def _delay_slope(scale: Floats, snr: Floats, share: Floats) -> Floats:
    """Derivative of ``scale / (b log2(1 + snr / b))`` in b."""
    rate = share * np.log1p(snr / share)
    slope = np.log1p(snr / share) - snr / (share + snr)
    return np.asarray(-scale * np.log(2) * slope / rate**2)


def _share_at_price(scale: Floats, snr: Floats, price: float) -> Floats:
    """Shares at which a little more band is worth ``price``: bisection on log b, where the slope is monotone."""
    low, high = np.full(len(snr), -80.0), np.full(len(snr), 5.0)
    for _ in range(_ITERATIONS):
        middle = (low + high) / 2
        worth_more = -_delay_slope(scale, snr, np.exp(middle)) > price
        low, high = np.where(worth_more, middle, low), np.where(worth_more, high, middle)
        if np.max(high - low) < _TOLERANCE:
            break
    return np.asarray(np.exp((low + high) / 2))


def _decreasing_root(function: Callable[[float], float], low: float, high: float) -> float:
    """Root of a decreasing function; the bracket is widened until it holds one."""
    from scipy.optimize import brentq

    width = max(high - low, abs(low) * 1e-6, 1e-12)
    for _ in range(_ITERATIONS):
        if function(high) <= 0:
            break
        high += width
        width *= 2
    width = max(high - low, 1e-12)
    for _ in range(_ITERATIONS):
        if function(low) >= 0:
            break
        low -= width
        width *= 2
    return float(brentq(function, low, high, xtol=1e-300, rtol=1e-14, maxiter=500))


def _normalised(share: Floats) -> Floats:
    """Shares that fill the band; what sends nothing keeps a trace of it, since a share must be positive."""
    floor = 1e-12
    share = np.maximum(share / share.sum(), floor)
    return np.asarray(share / share.sum())
