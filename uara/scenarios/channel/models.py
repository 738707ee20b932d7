"""The channel models by name: the settings of each, and drawing by whichever is meant."""

from __future__ import annotations

from typing import Any, Literal

from uara.base.quantities import Floats
from uara.scenarios.channel import mobility, pathloss, pathloss_walk, raytrace, umi
from uara.scenarios.channel.drop import Drop
from uara.scenarios.channel.mobility import MovingDrop, Walk
from uara.scenarios.channel.pathloss import PathLoss
from uara.scenarios.channel.raytrace import RayTracing
from uara.scenarios.channel.umi import UrbanMicro

ChannelModel = Literal["sionna-rt", "sionna-umi", "path-loss"]
"""Ray tracing; the stochastic 3GPP 38.901 UMi model; or a distance law that needs no Sionna."""
ChannelSettings = RayTracing | UrbanMicro | PathLoss
_MODULES: dict[type[ChannelSettings], Any] = {RayTracing: raytrace, UrbanMicro: umi, PathLoss: pathloss}


def settings_of(model: ChannelModel, box_m: float, **traced: Any) -> ChannelSettings:
    """Settings of a model in a box; ``traced`` are further ones of ray tracing."""
    if model == "sionna-rt":
        return RayTracing(box_m=box_m, **traced)
    return UrbanMicro(box_m=box_m) if model == "sionna-umi" else PathLoss(box_m=box_m)


def draw(settings: ChannelSettings, *, servers: int, devices: int, seed: int) -> Drop:
    """Place servers and devices, and draw the channel between them; raises as the model's own ``draw``."""
    drop: Drop = _MODULES[type(settings)].draw(settings, servers=servers, devices=devices, seed=seed)
    return drop


def gains(
    settings: ChannelSettings, server_position_m: Floats, device_position_m: Floats, *, seed: int
) -> Drop:
    """Draw the channel between given positions (E, 3) and (M, 3) [m]; raises as the model's own ``gains``."""
    drop: Drop = _MODULES[type(settings)].gains(settings, server_position_m, device_position_m, seed=seed)
    return drop


def walk(settings: ChannelSettings, walk: Walk, *, servers: int, devices: int, seed: int) -> MovingDrop:
    """Draw the channel along walks; raises as the model's own function."""
    counts = {"servers": servers, "devices": devices, "seed": seed}
    if isinstance(settings, RayTracing):
        return mobility.draw_traced(settings, walk, **counts)
    if isinstance(settings, UrbanMicro):
        return mobility.draw_umi(settings, walk, **counts)
    return pathloss_walk.draw(settings, walk, **counts)
