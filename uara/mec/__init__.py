"""The slotted world of section III.A: moving devices, draining batteries, queues at the servers."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from uara.mec.own_policy import policy_solver

__all__ = ["policy_solver"]


def __getattr__(name: str) -> Any:
    if name in __all__:
        from uara.mec.own_policy import policy_solver

        return policy_solver
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


# Else uara.mec.envs does it: most of what imports this package needs no Gymnasium.
if "gymnasium" in sys.modules:
    from uara.mec.registration import register

    register()
