"""An instance of the batched system in words."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

import numpy as np

from uara.base.quantities import Floats, Indices
from uara.hetedge.latency import expected_tokens, phases
from uara.hetedge.schema import Node, Transformer

if TYPE_CHECKING:
    from uara.hetedge.instance import HetEdge


def describe(instance: HetEdge) -> list[str]:
    """What the instance holds, a line each, for people."""
    requests, given, made = instance.requests, instance.parameters, instance.provenance
    origin = ", ".join(part for part in (made.channel_model, made.scene) if part)
    kinds = ", ".join(f"{n} x {kind}" for kind, n in sorted(Counter(requests.task or ()).items()))
    length = (given.shortest_speculation + given.longest_speculation) // 2
    prompt, output = float(np.median(requests.prompt_tokens)), float(np.median(requests.output_tokens))
    one = phases(instance.system, 1, prompt, output, length)
    full = phases(instance.system, given.largest_batch, prompt, output, length)
    lines = [
        f"{instance.name}: {len(requests)} requests" + (f" ({origin})" if origin else ""),
        f"requests: {kinds or 'unnamed'}; prompt {_range(requests.prompt_tokens, 'tokens')}; "
        f"output {_range(requests.output_tokens, 'tokens')}",
        f"acceptance rate: {_range(requests.acceptance_rate, '')}; a round of {length} drafts yields "
        f"{_range(expected_tokens(requests.acceptance_rate, length), 'tokens')}",
        f"uplink: {given.bandwidth_hz / 1e6:g} MHz shared, noise over the {given.noise_band} band; "
        f"SNR {_range(10 * np.log10(instance.snr), 'dB')}; upload {_range(requests.upload_bits / 1e3, 'kbit')}",
        f"draft node: {_node(instance.draft_node, instance.draft_model)}",
        f"verify node: {_node(instance.target_node, instance.target_model)}",
        f"link: {instance.link.rate_bit_per_s / 1e9:g} Gbit/s, {instance.link.latency_ms:g} ms",
        f"limits: {given.largest_batch} requests a batch, speculation length "
        f"{given.shortest_speculation} to {given.longest_speculation}",
        f"a round of {length} drafts, alone / in a full batch: draft {one.draft:.3g} / {full.draft:.3g} ms, "
        f"send {one.send:.3g} / {full.send:.3g} ms, verify {one.verify:.3g} / {full.verify:.3g} ms",
    ]
    return [*lines, *made.lines()]


def _range(values: Floats | Indices, unit: str) -> str:
    low, middle, high = np.percentile(values, [0, 50, 100])
    text = f"{low:.4g}" if low == high else f"{low:.4g} / {middle:.4g} / {high:.4g}"
    return f"{text} {unit}".rstrip()


def _node(node: Node | None, model: Transformer | None) -> str:
    if node is None or model is None:
        return "none, requests bring their drafts"
    free = (node.memory_bytes - model.weight_bytes) / 1e9
    return (
        f"{model.name} on {node.model}, {node.compute_flop_per_s / 1e12:g} TFLOP/s, "
        f"{node.memory_bytes_per_s / 1e9:g} GB/s, {free:.3g} GB free for caches"
    )
