"""What may be handed to a solver to start from."""

from __future__ import annotations

import numpy as np

from uara.errors import InputError
from uara.instance import Instance
from uara.model import Allocation, coefficients
from uara.problem import Decision, Problem


def check_start(instance: Problem, start: Decision) -> None:
    """Refuse a start that names what is not there: solvers index by it in compiled code, without checks.

    Its shares may break their budgets; a solver that goes on from it looks at the association.

    Raises
    ------
    InputError
        For another number of devices, a server that is none, or a pair without a path.
    """
    if not isinstance(instance, Instance):
        instance.evaluate(start)
        return
    if not isinstance(start, Allocation):
        raise InputError(f"is {type(start).__name__}, not an Allocation", source="start")
    devices, association = instance.devices.id, start.association
    if len(association) != len(devices):
        raise InputError(
            f"is for {len(association)} devices, but {instance.name} has {len(devices)}", source="start"
        )
    lost = np.flatnonzero(coefficients(instance).pairs_of(association) < 0)
    if len(lost):
        server, count = int(association[lost[0]]), len(instance.servers)
        reason = "has no path to it" if 0 <= server < count else f"the servers are 0 to {count - 1}"
        raise InputError(f"puts device {devices[lost[0]]} on server {server}: {reason}", source="start")
