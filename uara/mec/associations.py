"""Rules that choose the association once a policy has weighed the pairs, by name or as functions."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from uara.base.errors import InputError, meant
from uara.base.plugins import offered
from uara.mec.worlds import Slot

Associate = Callable[[Slot, Tensor, Tensor], Tensor]
"""``(slot, log_weight (B, M, E, 2), first association (B, M)) -> association (B, M)``."""

GROUP = "uara.associations"
"""Entry points of installed rules; ``tma`` is Algorithm 1 under the policy's weights."""
DEFAULT = "tma"


def nearest(slot: Slot, log_weight: Tensor, start: Tensor) -> Tensor:
    """(B, M) The server with the fastest uplink, whatever the weights."""
    return slot.uplink_ms.argmin(2)


_BUILT_IN: dict[str, Associate] = {"nearest": nearest}


def rule(name: str | Associate) -> Associate:
    """The rule that is meant.

    Raises
    ------
    InputError
        If there is none of this name.
    """
    if not isinstance(name, str):
        return name
    if name in _BUILT_IN:
        return _BUILT_IN[name]
    points = offered(GROUP)
    if name not in points:
        raise InputError(f"there is no rule {name!r}{meant(name, [*_BUILT_IN, *points])}", source="associate")
    found: Associate = points[name].load()
    return found


def checked(slot: Slot, association: Any) -> Tensor:
    """What a rule returned, if it is an association of the slot.

    Raises
    ------
    InputError
        If it is not, naming the first device without a path.
    """
    wanted, servers = slot.local_ms.shape, slot.uplink_ms.shape[2]
    if not isinstance(association, Tensor) or association.is_floating_point() or association.shape != wanted:
        found = tuple(getattr(association, "shape", ())) or type(association).__name__
        raise InputError(f"answered {found}, not integers of shape {tuple(wanted)}", source="associate")
    association = association.to(slot.local_ms.device, torch.int64)
    inside = (association >= 0) & (association < servers)
    uplink = slot.uplink_ms.gather(2, association.clamp(0, servers - 1)[:, :, None])[:, :, 0]
    wrong = torch.nonzero(~(inside & torch.isfinite(uplink)))
    if len(wrong):
        world, device = wrong[0].tolist()
        server = int(association[world, device])
        raise InputError(
            f"put device {device} of world {world} at server {server}, which it has no path to",
            source="associate",
        )
    found_servers: Tensor = association
    return found_servers
