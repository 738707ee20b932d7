"""Independent twin of the certificate of request prices: every group of every set of requests is listed and played.

Nothing is shared with ``uara.hetedge`` or the solvers but the instance's data: no kinds of batches, no greedy choice of
members, no screens. For a few requests only.
"""

from __future__ import annotations

import itertools
import math
from typing import Any

from truth.hetedge import batch_times, memory_ok

Batch = tuple[tuple[int, ...], int]


def batches(instance: Any) -> list[Batch]:
    """Every set of requests up to the largest batch, with every length."""
    given, count = instance.parameters, len(instance.requests)
    lengths = [0, *range(given.shortest_speculation, given.longest_speculation + 1)]
    sets = [
        members
        for size in range(1, min(given.largest_batch, count) + 1)
        for members in itertools.combinations(range(count), size)
    ]
    return [(members, length) for members in sets for length in lengths]


def played(group: list[dict[str, float]], tail_ms: float) -> tuple[list[float], float]:
    """Ends of a group's batches, and when the draft node is free, round by round; the verify node is busy at first."""
    draft_free, verify_free = 0.0, tail_ms
    arrival, end = [0.0] * len(group), [0.0] * len(group)
    for turn in range(1, int(max(batch["rounds"] for batch in group)) + 1):
        for index, batch in enumerate(group):
            if turn > batch["rounds"]:
                continue
            draft_free = max(draft_free, arrival[index]) + batch["draft"]
            draft_free += batch["prefill"] if turn == 1 else 0.0
            work = batch["first_verify"] if turn == 1 else batch["verify"]
            verify_free = max(verify_free, draft_free + batch["send"]) + work
            end[index] = verify_free
            arrival[index] = verify_free + batch["reply"]
    return end, draft_free


def earliest_ms(instance: Any) -> float:
    """The first prompt's arrival with the whole band."""
    requests, given = instance.requests, instance.parameters
    noise_w = 10 ** (given.noise_psd_dbm_per_hz / 10 - 3) * given.bandwidth_hz
    found = math.inf
    for k in range(len(requests)):
        rate = given.bandwidth_hz * math.log2(1 + requests.power_gain[k] * requests.tx_power_w[k] / noise_w)
        ready = 0.0 if requests.ready_ms is None else float(requests.ready_ms[k])
        bits = float(requests.upload_bits[k])
        found = min(found, ready + (bits / rate * 1e3 if bits else 0.0))
    return found


def proved_ms(instance: Any, price: list[float], potential: list[float]) -> float:
    """What prices and potentials prove, with exact lengths of prompts and outputs and pairs of disjoint batches."""
    count, listed = len(price), batches(instance)
    times = {batch: batch_times(instance, list(batch[0]), batch[1]) for batch in listed}
    tail = min(each["send"] + min(each["first_verify"], each["verify"]) for each in times.values())
    groups = [[batch] for batch in listed] + [
        [first, second]
        for first, second in itertools.permutations(listed, 2)
        if not set(first[0]) & set(second[0])
    ]
    slack, steps = [0.0] * count, set()
    for group in groups:
        if not memory_ok(instance, [[(list(members), length) for members, length in group]]):
            continue
        size = sum(len(members) for members, _ in group)
        steps.add(size)
        worth = sum(price[k] for members, _ in group for k in members)
        for i in range(count - size + 1):
            ends, free = played([times[batch] for batch in group], tail if i else 0.0)
            cost = sum(len(batch[0]) * end for batch, end in zip(group, ends, strict=True))
            cost += (count - i - size) * free
            slack[i] = min(slack[i], cost - worth - potential[i] + potential[i + size])
    least = [math.inf] * count + [0.0]
    for i in range(count - 1, -1, -1):
        least[i] = slack[i] + min(least[i + size] for size in steps if i + size <= count)
    return count * earliest_ms(instance) + sum(price) + potential[0] - potential[count] + least[0]
