"""The same places with another channel: a twin of an instance under the 38.901 UMi model."""

from __future__ import annotations

import numpy as np

import uara
from uara.base.digits import rounded
from uara.base.errors import InputError
from uara.p1.instance import Channel, Instance
from uara.scenarios.channel import umi

_KEPT = ("payload", "battery", "server_mix", "bandwidth_mhz", "server_load_per_slot")


def urban_micro_twin(original: Instance, *, seed: int, name: str | None = None) -> Instance:
    """The same servers, devices and tasks with a 38.901 UMi channel between the same positions.

    Raises
    ------
    InputError
        If the original has no positions, or a device stands within 10 m of a server.
    MissingExtra, ChannelError
        As :func:`uara.scenarios.recipe.generate`.
    """
    if original.servers.position_m is None or original.devices.position_m is None:
        raise InputError(f"{original.name} has no positions to draw a channel between")
    settings = umi.UrbanMicro()
    drop = umi.gains(settings, original.servers.position_m, original.devices.position_m, seed=seed)
    name = name or f"{original.name}_umi"
    versions = {"uara": uara.__version__, "numpy": np.__version__, **drop.facts["versions"]}
    kept = {key: original.provenance.settings[key] for key in _KEPT if key in original.provenance.settings}
    provenance = original.provenance.model_copy(
        update={
            "command": f"uara generate --twin {original.name}.json --channel sionna-umi --seed {seed} -o {name}.json",
            "seed": seed,
            "channel_model": "sionna-umi",
            "versions": versions,
            "settings": {
                **settings.model_dump(exclude={"box_m", "min_best_gain_db", "server_spacing_m"}),
                **kept,
                "twin_of": original.name,
                "twin_of_sha256": original.digest,
            },
        }
    )
    return original.replace(
        name=name, channel=Channel.from_dense(rounded(drop.power_gain)), provenance=provenance
    )
