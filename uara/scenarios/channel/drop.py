"""What every channel model delivers: positions, and the gains between them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from uara.base.quantities import Floats


@dataclass(frozen=True)
class Drop:
    """Positions and the channel between them.

    Attributes
    ----------
    server_position_m : (E, 3)
    device_position_m : (M, 3)
    power_gain : (M, E)
        h_ij^2, linear; 0 where there is no path.
    facts
        What the simulator reports about itself: versions, devices drawn again.
    """

    server_position_m: Floats
    device_position_m: Floats
    power_gain: Floats
    facts: dict[str, Any]
