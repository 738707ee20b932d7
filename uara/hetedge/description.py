"""An instance of the batched system in words."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from uara.base.sentences import counted, spread
from uara.hetedge.latency import expected_tokens, phases
from uara.hetedge.schema import Node, Transformer

if TYPE_CHECKING:
    from uara.hetedge.instance import HetEdge


def describe(instance: HetEdge) -> list[str]:
    """What the instance holds, a line each, for people."""
    requests, given, made = instance.requests, instance.parameters, instance.provenance
    length = (given.shortest_speculation + given.longest_speculation) // 2
    prompt, output = float(np.median(requests.prompt_tokens)), float(np.median(requests.output_tokens))
    one = phases(instance.system, 1, prompt, output, length)
    full = phases(instance.system, given.largest_batch, prompt, output, length)
    lines = [
        f"{instance.name}: {len(requests)} requests{made.origin}",
        f"requests: {counted(requests.task)}; prompt {spread(requests.prompt_tokens, 'tokens')}; "
        f"output {spread(requests.output_tokens, 'tokens')}",
        f"acceptance rate: {spread(requests.acceptance_rate, '')}; a round of {length} drafts yields "
        f"{spread(expected_tokens(requests.acceptance_rate, length), 'tokens')}",
        f"uplink: {given.bandwidth_hz / 1e6:g} MHz shared, noise over the {given.noise_band} band; "
        f"SNR {spread(10 * np.log10(instance.snr), 'dB')}; upload {spread(requests.upload_bits / 1e3, 'kbit')}",
        f"draft node: {_node(instance.draft_node, instance.draft_model)}",
        f"verify node: {_node(instance.target_node, instance.target_model)}",
        f"link: {instance.link.rate_bit_per_s / 1e9:g} Gbit/s, {instance.link.latency_ms:g} ms",
        f"limits: {given.largest_batch} requests a batch, speculation length "
        f"{given.shortest_speculation} to {given.longest_speculation}",
        f"a round of {length} drafts, alone / in a full batch: draft {one.draft:.3g} / {full.draft:.3g} ms, "
        f"send {one.send:.3g} / {full.send:.3g} ms, verify {one.verify:.3g} / {full.verify:.3g} ms",
    ]
    return [*lines, *made.lines()]


def _node(node: Node | None, model: Transformer | None) -> str:
    if node is None or model is None:
        return "none, requests bring their drafts"
    free = (node.memory_bytes - model.weight_bytes) / 1e9
    return (
        f"{model.name} on {node.model}, {node.compute_flop_per_s / 1e12:g} TFLOP/s, "
        f"{node.memory_bytes_per_s / 1e9:g} GB/s, {free:.3g} GB free for caches"
    )
