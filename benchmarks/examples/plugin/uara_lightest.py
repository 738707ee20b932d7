"""A solver for uara in ten lines, with an option."""

import numpy as np

from uara import Allocation, Context, Instance, Options, allocate, as_solver


class LightestOptions(Options):
    """What it can be asked for."""

    heaviest_first: bool = False
    """Whether the devices with the most work choose first; in the instance's order otherwise."""


@as_solver(options=LightestOptions)
def lightest(instance: Instance, context: Context[LightestOptions]) -> Allocation:
    """Each device in turn joins the usable server with the fewest devices per FLOP/s."""
    channel, speed = instance.channel, instance.servers.compute_flop_per_s
    load, chosen = np.zeros(len(speed)), np.zeros(len(instance.devices), dtype=np.int64)
    work = instance.devices.server_flop * context.options.heaviest_first
    for i in np.argsort(-work, kind="stable"):
        usable = channel.pair_server[channel.pair_start[i] : channel.pair_start[i + 1]]
        chosen[i] = usable[np.argmin((load[usable] + 1) / speed[usable])]
        load[chosen[i]] += 1
    return allocate(instance, chosen)
