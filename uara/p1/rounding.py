"""Where doubles cannot hold the synchronisation of P1: delays that differ by a rounding, and weights beyond all sizes.

``lambda (D - c/y)^2`` is the square of a difference. Its two delays are rounded, each by about 2^-52 of itself, and
with ``lambda`` of 1e20 per ms that alone is worth a microsecond, with 1e25 a tenth of one. Scores say what is true of
the numbers in the files, so there the difference is computed in ``decimal``. Bounds and solvers need none of this:
a smaller weight gives a smaller cost, and beyond a certain weight the least cost of a pair changes no more.
"""

from __future__ import annotations

from decimal import Context, Decimal
from typing import TYPE_CHECKING

import numpy as np

from uara.base.quantities import Floats, Indices

if TYPE_CHECKING:
    from uara.p1.instance import Instance

SMALLEST_SHARE = 1e-9
"""Band share given to a device whose optimum is no band at all (lambda = 0); P1 wants y > 0."""
_LOST = 2.0**-45
"""Part of a delay that its rounding may be: 128 last places, most of them the noise's power of ten."""
_MATTERS = 1e-10
"""Part of a device's cost that is not left to rounding."""
_STIFFEST = 1e17
"""Most that synchronisation may weigh: a gap as long as a device's whole delay, in least costs of a device."""
_SLACKEST = 1e-16
"""Part of all compute that it must be worth at the smallest share, or it is nothing."""
_DIGITS = 60


def exact_gap_ms(instance: Instance, device: int, pair: int, share: float) -> float:
    """``D - c / y`` of one device, rounded once: eqs. (5) and (6) in 60 decimal digits.

    Parameters
    ----------
    pair
        The device's pair in the instance's channel.
    share
        y > 0.
    """
    servers, devices, given = instance.servers, instance.devices, instance.parameters
    digits = Context(prec=_DIGITS, Emin=-(10**6), Emax=10**6)
    thousand, ten = Decimal(1000), Decimal(10)

    def product(*factors: float | Decimal) -> Decimal:
        total = Decimal(1)
        for factor in factors:
            total = digits.multiply(total, factor if isinstance(factor, Decimal) else Decimal(float(factor)))
        return total

    band = servers.bandwidth_hz[instance.channel.pair_server[pair]]
    noise = digits.power(ten, digits.divide(Decimal(float(given.noise_psd_dbm_per_hz)), ten))
    signal = product(instance.channel.power_gain[pair], devices.tx_power_w[device], thousand)
    ratio = digits.divide(signal, product(band, noise))
    finer = Context(prec=_DIGITS + max(0, -ratio.adjusted()), Emin=-(10**6), Emax=10**6)
    bits = digits.divide(finer.ln(finer.add(1, ratio)), digits.ln(Decimal(2)))
    uplink = digits.divide(product(devices.upload_bits[device], thousand), product(band, bits, share))
    local = digits.divide(
        product(devices.device_flop[device], thousand), product(devices.compute_flop_per_s[device])
    )
    return float(digits.subtract(local, uplink))


@np.errstate(all="ignore")
def lost_gaps(sync_weight: float, local_ms: Floats, delay_ms: Floats, cost_ms: Floats) -> Indices:
    """The devices whose cost the rounding of two delays may change by more than 1e-10 of it.

    Parameters
    ----------
    local_ms, delay_ms
        (M,) D and c / y.
    cost_ms
        (M,) What each device costs.
    """
    lost = _LOST * (local_ms + delay_ms)
    worth = sync_weight * lost * (2.0 * np.abs(local_ms - delay_ms) + lost)
    return np.flatnonzero((worth > _MATTERS * cost_ms) & np.isfinite(delay_ms) & np.isfinite(cost_ms))


@np.errstate(all="ignore")
def working_weight(
    sync_weight: float, local_ms: Floats, uplink_ms: Floats, work: Floats, work_per_ms: Floats
) -> float:
    """The weight that bounds and solvers work with: lambda, unless doubles cannot; never above it.

    Too large: where the rounding of delays, squared, comes near what a device costs at least. A pair's least cost then
    differs from that of the true weight by 1e-17 of it, unless delays are spread over orders of magnitude.
    Too small: where even the smallest share that is given costs nothing that could be told from rounding. It is 0 then.

    Parameters
    ----------
    local_ms, work
        (M,) D, and the devices' loads.
    uplink_ms
        (K,) c of the pairs.
    work_per_ms
        (E,) The servers' speeds in loads per ms.
    """
    # Compute alone, on all servers together.
    least_ms = float(np.sum(np.sqrt(work)) ** 2 / np.sum(work_per_ms))
    longest_ms = max(float(np.max(local_ms)), float(np.max(uplink_ms)) / SMALLEST_SHARE)
    if sync_weight * len(local_ms) * longest_ms**2 < _SLACKEST * least_ms:
        return 0.0
    stiffest = _STIFFEST * (least_ms / len(local_ms)) / float(np.max(local_ms)) ** 2
    return min(sync_weight, stiffest) if stiffest > 0.0 else sync_weight
