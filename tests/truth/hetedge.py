"""Independent twin of the batched system: its own latency formulas, its own pipeline, every plan tried.

Nothing is shared with ``uara.hetedge`` but the instance's data. The pipeline is solved as a longest path: every
piece of work starts when what it needs is there, iterated to the fixed point over explicit lists.
"""

from __future__ import annotations

import itertools
import math
from typing import Any


def roofline_ms(node: Any, model: Any, n: float, new: float, cached: float, logits: float) -> float:
    j, h1, h2 = model.layers, model.hidden_width, model.feed_forward_width
    per_token = 8 * h1 * h1 + 2 * model.feed_forward_matrices * h1 * h2
    flop = n * j * (per_token * new + 4 * new * (cached + new) * h1)
    if model.count_read_out:
        flop += n * logits * 2 * model.vocabulary_tokens * h1
    kept = n * (cached + new) * 2 * j * model.cache_width * model.cache_bits / 8
    read = model.parameters * model.weight_bits / 8 + kept
    compute_s = flop / (node.compute_flop_per_s * node.compute_efficiency)
    memory_s = read / (node.memory_bytes_per_s * node.memory_efficiency)
    return max(compute_s, memory_s) * 1e3 + node.pass_overhead_ms


def batch_times(instance: Any, members: list[int], length: int) -> dict[str, float]:
    requests, link, given = instance.requests, instance.link, instance.parameters
    n = len(members)
    prompt = max(int(requests.prompt_tokens[k]) for k in members)
    output = max(int(requests.output_tokens[k]) for k in members)
    needed = 0
    for k in members:
        rate = float(requests.acceptance_rate[k])
        pace = sum(rate**power for power in range(length + 1))
        needed = max(needed, math.ceil(int(requests.output_tokens[k]) / pace - 1e-9))
    context = prompt + output / 2
    target = instance.target_node, instance.target_model
    times = {
        "rounds": float(needed),
        "first_verify": roofline_ms(*target, n, prompt + length, 0, length + 1),
        "verify": roofline_ms(*target, n, length + 1, context, length + 1),
        "prefill": 0.0,
        "draft": 0.0,
        "send": 0.0,
        "reply": 0.0,
    }
    if instance.draft_node is not None and length > 0:
        draft = instance.draft_node, instance.draft_model
        carried = given.probabilities_per_token
        carried = instance.draft_model.vocabulary_tokens if carried is None else carried
        times["prefill"] = roofline_ms(*draft, n, prompt, 0, 1)
        times["draft"] = length * roofline_ms(*draft, n, 1, context, 1)
        bits = n * length * (given.token_bits + carried * given.probability_bits)
        times["send"] = link.latency_ms + bits / link.rate_bit_per_s * 1e3
        times["reply"] = link.latency_ms + n * 2 * given.token_bits / link.rate_bit_per_s * 1e3
    return times


def memory_ok(instance: Any, groups: list[list[tuple[list[int], int]]]) -> bool:
    requests = instance.requests
    for node, model in (
        (instance.draft_node, instance.draft_model),
        (instance.target_node, instance.target_model),
    ):
        if node is None:
            continue
        per_token = 2 * model.layers * model.cache_width * model.cache_bits / 8
        room = node.memory_bytes - model.parameters * model.weight_bits / 8
        for group in groups:
            need = 0.0
            for members, length in group:
                if length == 0 and node is instance.draft_node:
                    continue
                prompt = max(int(requests.prompt_tokens[k]) for k in members)
                output = max(int(requests.output_tokens[k]) for k in members)
                need += len(members) * (prompt + output + length) * per_token
            if need > room:
                return False
    return True


def completions_ms(groups: list[list[dict[str, float]]], releases: list[list[float]]) -> list[float]:
    """Completion of every batch: work in dependency order, each piece after its node's last one and its input."""
    draft_free = verify_free = 0.0
    done: list[float] = []
    for group, release in zip(groups, releases, strict=True):
        arrival = list(release)
        end = [0.0] * len(group)
        for turn in range(1, int(max(batch["rounds"] for batch in group)) + 1):
            active = [index for index, batch in enumerate(group) if turn <= batch["rounds"]]
            # within a turn the draft node serves all before any of their verifications can call for it again
            sent = {}
            for index in active:
                batch = group[index]
                work = batch["draft"] + (batch["prefill"] if turn == 1 else 0.0)
                draft_free = max(draft_free, arrival[index]) + work
                sent[index] = draft_free + batch["send"]
            for index in active:
                batch = group[index]
                work = batch["first_verify"] if turn == 1 else batch["verify"]
                verify_free = max(verify_free, sent[index]) + work
                end[index] = verify_free
                arrival[index] = verify_free + batch["reply"]
        done.extend(end)
    return done


def compositions(count: int, largest: int) -> Any:
    if count == 0:
        yield ()
        return
    for first in range(1, min(largest, count) + 1):
        for rest in compositions(count - first, largest):
            yield (first, *rest)


def pairings(batches: int) -> Any:
    """Ways to group consecutive batches by ones and twos."""
    if batches == 0:
        yield ()
        return
    for rest in pairings(batches - 1):
        yield (1, *rest)
    if batches > 1:
        for rest in pairings(batches - 2):
            yield (2, *rest)


def best_total_ms(
    instance: Any, order: list[int], release_ms: list[float], lengths: list[int], pairs: bool = True
) -> float:
    """The least total latency over all batch boundaries, pairings and speculation lengths of an order."""
    known: dict[tuple[int, int, int], dict[str, float]] = {}
    best = math.inf
    for sizes in compositions(len(order), instance.parameters.largest_batch):
        starts = list(itertools.accumulate(sizes, initial=0))
        for grouping in pairings(len(sizes)):
            if not pairs and 2 in grouping:
                continue
            edges = list(itertools.accumulate(grouping, initial=0))
            for chosen in itertools.product(lengths, repeat=len(sizes)):
                members = [order[starts[m] : starts[m + 1]] for m in range(len(sizes))]
                groups = [
                    [(members[m], chosen[m]) for m in range(edges[g], edges[g + 1])]
                    for g in range(len(grouping))
                ]
                if not memory_ok(instance, groups):
                    continue
                for m, length in enumerate(chosen):
                    key = starts[m], sizes[m], length
                    if key not in known:
                        known[key] = batch_times(instance, members[m], length)
                timed = [
                    [known[starts[m], sizes[m], chosen[m]] for m in range(edges[g], edges[g + 1])]
                    for g in range(len(grouping))
                ]
                releases = [[max(release_ms[k] for k in batch) for batch, _ in group] for group in groups]
                ends = completions_ms(timed, releases)
                best = min(best, sum(size * end for size, end in zip(sizes, ends, strict=True)))
    return best
