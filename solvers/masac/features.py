"""What an agent sees of each pair, and where its weights start. One text for NumPy (solving) and PyTorch (training)."""

from __future__ import annotations

import math
from typing import Any, Literal

from . import wishes

Prior = Literal["uniform", "rules", "alike", "priced"]
"""Where the log-weights start. ``uniform``: equal shares, the paper's baseline. ``rules``: band by the
balance c/D, compute by the square root of f. ``alike``: compute so, band by what each device would choose under a
price guessed as if the devices of a server were alike (:mod:`.wishes`); ``priced``: that guess once corrected."""
CORRECTIONS = {"alike": 0, "priced": 1}
"""The priors that know who is served where: features and corrections are then free of units."""
NAMES = (
    "log D",
    "log c",
    "log c/D",
    "log a",
    "log a c / (2 lambda D^3)",
    "log f",
    "log F",
    "F / mean F",
    "wait",
    "B",
    "log M/E",
    "log E",
    "best uplink",
    "usable part",
    "band load",
    "compute load",
)
COUNT = len(NAMES)
"""Features of a pair, in both sets."""
LARGEST = 15.0
"""Features are clipped here."""
_TINY = 1e-12


def names(prior: Prior) -> tuple[str, ...]:
    """Names of the features that an actor with this prior is given."""
    return wishes.NAMES if prior in CORRECTIONS else NAMES


def pair_features(numbers: Any, xp: Any) -> tuple[Any, Any]:
    """Features of all pairs, scaled to be of order one.

    Parameters
    ----------
    numbers
        Coefficients of P1 with the fields of :class:`uara.p1.dense.Dense`: a leading batch axis, dense
        pairs, ``uplink_ms`` infinite where there is no path.
    xp
        ``numpy`` or ``torch``, whichever the arrays belong to.

    Returns
    -------
    features : (B, M, E, COUNT)
        Zero at unusable pairs.
    usable : (B, M, E)
        1 where the pair can be used, else 0.

    Notes
    -----
    ``a c / (2 lambda D^3)`` settles, alone, by how much the optimal share lies below the balance c/D where
    band is not scarce (``docs/model.md``, section 2); the loads say where it is scarce, if every device went
    to its servers in proportion to their speed.
    """
    local, flop = numbers.local_ms[:, :, None], numbers.server_flop[:, :, None]
    speed, wait = numbers.flop_per_ms[:, None, :], numbers.wait_ms[:, None, :]
    weight = numbers.sync_weight_per_ms[:, None, None]
    _, devices, servers = numbers.uplink_ms.shape
    can = xp.isfinite(numbers.uplink_ms)
    usable = xp.where(can, 1.0, 0.0 * local)
    uplink = xp.where(can, numbers.uplink_ms, local)
    band_cost = numbers.band_cost_ms
    balance = uplink / local
    chance = usable * speed
    chance = chance / chance.sum(-1)[:, :, None]
    band_load = (chance * balance).sum(1)[:, None, :]
    compute_load = (chance * flop).sum(1)[:, None, :] / speed
    best = xp.log(uplink / _least(xp.where(can, uplink, 1e30), xp))
    columns = [
        xp.log(local) - 4.0,
        xp.log(uplink),
        xp.log(balance) + 4.0,
        xp.log(band_cost + _TINY) - 2.0,
        xp.log(band_cost * uplink / (2 * weight * local**3 + _TINY) + _TINY) + 4.0,
        xp.log(flop) - 27.5,
        xp.log(speed) - 24.0,
        speed / speed.sum(-1)[:, :, None] * servers - 1.0,
        xp.log(1.0 + wait / 100.0),
        numbers.battery_fraction[:, :, None],
        0.0 * local + math.log(devices / servers) - 2.0,
        0.0 * local + math.log(servers) - 2.0,
        best,
        usable.sum(-1)[:, :, None] / servers,
        xp.log(band_load + 1e-3),
        xp.log(compute_load + 1e-3) - 6.0,
    ]
    return xp.stack([usable * xp.clip(column, -LARGEST, LARGEST) for column in columns], -1), usable


def prior_log_weights(numbers: Any, prior: Prior, xp: Any) -> Any:
    """(B, M, E, 2) Log-weights of Y and Z that the network's outputs are added to; parameters as above."""
    local = numbers.local_ms[:, :, None]
    can = xp.isfinite(numbers.uplink_ms)
    zero = xp.where(can, 0.0, 0.0 * local)
    if prior == "uniform":
        _, devices, servers = numbers.uplink_ms.shape
        return xp.stack([zero - math.log(max(1.0, devices / servers)), zero], -1)
    uplink = xp.where(can, numbers.uplink_ms, local)
    band = xp.log(xp.clip(uplink / local, None, 1.0))
    compute = zero + 0.5 * (xp.log(numbers.server_flop) - 27.5)[:, :, None]
    return xp.stack([band, compute], -1)


def _least(values: Any, xp: Any) -> Any:
    """(B, M, 1) Least value of each device."""
    least = xp.amin(values, -1)
    return least[:, :, None]
