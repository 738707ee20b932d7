"""A world of a batch as an instance of P1, for solvers."""

from __future__ import annotations

import numpy as np
from torch import Tensor

from uara.base.quantities import Floats
from uara.mec.batch import Environment
from uara.p1.instance import Channel, Devices, Instance, Servers


def instance_of(environment: Environment, world: int, name: str = "world") -> Instance:
    """The present slot of one world, as the rest of the toolkit sees it."""
    fleet, state = environment.fleet[world], environment.state[world]

    def plain(values: Tensor) -> Floats:
        return np.asarray(values.double().cpu().numpy())

    servers = Servers(
        [f"s{j}" for j in range(environment.servers)],
        plain(fleet.server_flop_per_s),
        plain(fleet.bandwidth_hz),
        plain(state.backlog_flop),
    )
    devices = Devices(
        [f"d{i}" for i in range(environment.devices)],
        plain(fleet.device_flop_per_s),
        plain(fleet.tx_power_w),
        plain(state.battery_fraction),
        plain(state.upload_bits),
        plain(state.device_flop),
        plain(state.server_flop),
        battery_capacity_j=plain(fleet.battery_capacity_j),
    )
    weight = {"energy_weight_ms_per_j": float(fleet.energy_weight_ms_per_j)}
    given = environment.given.model_copy(update=weight)
    return Instance(name, servers, devices, Channel.from_dense(plain(state.power_gain)), given)
