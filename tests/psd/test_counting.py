from __future__ import annotations

import torch
from torch.utils.flop_counter import FlopCounterMode

from uara.psd.counting import OperationCounter


def test_equals_pytorchs_counter_on_plain_operations() -> None:
    first, second, batch = torch.randn(3, 4), torch.randn(4, 5), torch.randn(2, 3, 4)
    linear = torch.nn.Linear(4, 6)
    with OperationCounter() as ours, FlopCounterMode(display=False) as theirs:
        first @ second
        linear(first)
        torch.bmm(batch, batch.transpose(1, 2))
        torch.relu(first)
    assert ours.flop == theirs.get_total_flops() == 2 * (3 * 4 * 5 + 3 * 4 * 6 + 2 * 3 * 4 * 3)


def test_sees_inside_inference_mode_and_fused_attention() -> None:
    query, key = torch.randn(1, 2, 3, 8), torch.randn(1, 2, 7, 8)
    linear = torch.nn.Linear(4, 6)
    with torch.inference_mode(), OperationCounter() as counter:
        torch.nn.functional.scaled_dot_product_attention(query, key, key)
        linear(torch.randn(3, 4))
    assert counter.flop == 2 * 2 * 2 * 3 * 7 * 8 + 2 * 3 * 4 * 6


def test_only_the_own_thread_is_counted() -> None:
    import threading

    with OperationCounter() as counter:
        other = threading.Thread(target=lambda: torch.randn(3, 3) @ torch.randn(3, 3))
        other.start()
        other.join()
    assert counter.flop == 0
