"""A slot end to end, new gains and tasks, warm: the tracker beside ``price``, in processor time.

python benchmarks/slots.py instances/traces/walk_etoile.json
"""

from __future__ import annotations

import argparse
import time

import numpy as np

import uara
from uara.mec.slots import place_on, without_outages
from uara.psd.profile import TaskProfile
from uara.scenarios.trace import MobilityTrace


def measure(trace: MobilityTrace, slots: int, beside: int) -> tuple[list[float], list[float], list[float]]:
    """Milliseconds and gaps of the tracker's slots after the second, and milliseconds of ``price`` on some."""
    rng, gains = np.random.default_rng(0), without_outages(trace.power_gain)
    profile = TaskProfile.load("gpt2_gpt2-xl")
    tracker = uara.Tracker(trace.instance)
    took, gap, price = [], [], []
    for number in range(slots):
        tasks = profile.draw_tasks(len(trace.instance.devices), rng, payload=trace.payload)
        columns = {name: tasks[name] for name in ("upload_bits", "device_flop", "server_flop")}
        began = time.process_time()
        slot = tracker.step(power_gain=gains[place_on(len(trace), number)], **columns)
        took.append(1e3 * (time.process_time() - began))
        gap.append(slot.gap)
        if number < beside:
            began = time.process_time()
            uara.solve(slot.instance, "price", options={"prices": slot.certificate.to_plain()})
            price.append(1e3 * (time.process_time() - began))
    return took[2:], gap[2:], price[1:]


def main() -> None:
    """Print medians and tails."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("trace")
    parser.add_argument("--slots", type=int, default=120)
    parser.add_argument("--beside", type=int, default=8, help="slots on which price runs too")
    given = parser.parse_args()
    took, gap, price = measure(MobilityTrace.load(given.trace), given.slots, given.beside)
    p50, p99 = np.percentile(took, [50, 99])
    print(
        f"tracker: p50 {p50:.2f} ms, p99 {p99:.2f} ms, gap median {np.median(gap):.4%}, most {max(gap):.4%}"
    )
    print(f"price: p50 {np.median(price):.1f} ms, {np.median(price) / p50:.1f} times the tracker")


if __name__ == "__main__":
    main()
