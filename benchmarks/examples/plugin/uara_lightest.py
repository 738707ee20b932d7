"""A solver for uara in ten lines."""

import numpy as np

from uara import Allocation, Context, Instance, allocate


def lightest(instance: Instance, context: Context) -> Allocation:
    """Each device in turn joins the usable server with the fewest devices per FLOP/s."""
    channel, speed = instance.channel, instance.servers.compute_flop_per_s
    load, chosen = np.zeros(len(speed)), []
    for i in range(len(instance.devices)):
        usable = channel.pair_server[channel.pair_start[i] : channel.pair_start[i + 1]]
        chosen.append(usable[np.argmin((load[usable] + 1) / speed[usable])])
        load[chosen[-1]] += 1
    return allocate(instance, np.array(chosen))
