"""What a learner sees of a slot and what its answers mean: columns of every pair, two scales, padding.

``raw``: logarithms as they are, and log-weights as the action. ``unit``: both of order one, with a finite symmetric
action box in which 0 is equal shares.
"""

from __future__ import annotations

import math
from typing import Literal

import torch
from torch import Tensor

from uara.base.errors import InputError
from uara.mec.worlds import Slot

Scale = Literal["raw", "unit"]

OBSERVED = (
    "usable", "log c", "log D", "log a", "log f", "B", "log F", "wait s", "log lambda", "log M/E",
)  # fmt: skip
"""What is seen of each pair: P1's coefficients (see :class:`uara.mec.worlds.Slot`), the server's speed and queue,
lambda, and the crowd."""
_OF_A_PAIR = [OBSERVED.index(name) for name in ("usable", "log c", "log a")]
LARGEST = 50.0
"""Observations are clipped here."""
LOG_WEIGHT_RANGE = (-15.0, 5.0)
"""Raw actions are clipped to it."""
SPAN = (6.0, 2.0)
"""Unit actions of -1 and 1 are a factor of exp(-SPAN) and exp(SPAN) on the equal share of band and of compute."""
_CENTRE = (0.0, 1.0, 4.0, 2.0, 27.5, 0.5, 24.0, 0.0, -2.3, 2.0)
_SPREAD = (1.0, 2.0, 1.0, 1.5, 1.0, 0.5, 1.0, 0.2, 2.0, 1.0)
"""Rounded middles and spreads of the columns over worlds with Table I's parameters."""
_TINY = 1e-12


def observation(slot: Slot, scale: Scale = "raw") -> Tensor:
    """(B, M, E, 10) What is seen of every pair, see :data:`OBSERVED`; usable, log c and log a are 0 without a path."""
    usable = torch.isfinite(slot.uplink_ms)
    size = usable.shape
    _, devices, servers = size
    one = torch.ones_like(slot.band_cost_ms)
    columns = [
        usable.to(one.dtype),
        torch.log(slot.uplink_ms),
        torch.log(slot.local_ms)[:, :, None].expand(size),
        torch.log(slot.band_cost_ms + _TINY),
        torch.log(slot.server_flop)[:, :, None].expand(size),
        slot.battery_fraction[:, :, None].expand(size),
        torch.log(slot.flop_per_ms)[:, None, :].expand(size),
        (slot.wait_ms / 1e3)[:, None, :].expand(size),
        torch.log(slot.sync_weight_per_ms + _TINY)[:, None, None].expand(size),
        one * math.log(devices / servers),
    ]
    if scale == "unit":
        columns = [
            (column - centre) / spread
            for column, centre, spread in zip(columns, _CENTRE, _SPREAD, strict=True)
        ]
    for pair in _OF_A_PAIR:
        columns[pair] = torch.where(usable, columns[pair], 0.0)
    return torch.stack(columns, -1).clamp(-LARGEST, LARGEST).float()


def slot_seen(seen: Tensor, scale: Scale = "raw") -> Slot:
    """The slot that an observation (B, M, E, 10) without padding was made from, for learners with own features."""
    if scale == "unit":
        seen = seen * seen.new_tensor(_SPREAD) + seen.new_tensor(_CENTRE)
    column = dict(zip(OBSERVED, seen.unbind(-1), strict=True))
    return Slot(
        uplink_ms=torch.where(column["usable"] > 0, column["log c"].exp(), math.inf),
        band_cost_ms=column["log a"].exp(),
        local_ms=column["log D"][:, :, 0].exp(),
        server_flop=column["log f"][:, :, 0].exp(),
        flop_per_ms=column["log F"][:, 0].exp(),
        wait_ms=column["wait s"][:, 0] * 1e3,
        battery_fraction=column["B"][:, :, 0],
        sync_weight_per_ms=column["log lambda"][:, 0, 0].exp(),
    )


def action_range(scale: Scale) -> tuple[float, float]:
    """Bounds of every entry of an action."""
    return LOG_WEIGHT_RANGE if scale == "raw" else (-1.0, 1.0)


def log_weights(action: Tensor, scale: Scale) -> Tensor:
    """(B, M, E, 2) Log-weights of Y and Z that an action of the same shape means; it is clipped to its range.

    Raises
    ------
    InputError
        If it has another shape, or holds a NaN.
    """
    if torch.isnan(action).any():
        where = ", ".join(str(int(part)) for part in torch.nonzero(torch.isnan(action))[0][1:])
        raise InputError(f"is not a number at [{where}]", source="action")
    action = action.clamp(*action_range(scale))
    if scale == "raw":
        return action
    _, devices, servers, _ = action.shape
    equal = action.new_tensor([-math.log(max(1.0, devices / servers)), 0.0])
    return equal + action * action.new_tensor(SPAN)


def padded(values: Tensor, size: tuple[int, int], fill: float = 0.0) -> Tensor:
    """(B, M', E', ...) from (B, M, E, ...), filled up at the ends of the axes of devices and servers."""
    batch, devices, servers = values.shape[:3]
    if (devices, servers) == size:
        return values
    made = values.new_full((batch, *size, *values.shape[3:]), fill)
    made[:, :devices, :servers] = values
    return made
