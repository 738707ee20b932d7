"""Counting the operations that PyTorch really dispatches."""

from __future__ import annotations

from typing import Any

import torch
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils.flop_counter import flop_registry, sdpa_flop_count

_CPU_ATTENTION = torch.ops.aten._scaled_dot_product_flash_attention_for_cpu


class OperationCounter(TorchDispatchMode):  # type: ignore[no-untyped-call]
    """Adds up the matrix operations of the thread that enters it.

    PyTorch's own counter follows modules by hooks that all threads share, and knows nothing of the fused
    attention on a CPU; its formulas for each operation are used here.
    """

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.flop = 0

    def __torch_dispatch__(
        self, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        """Run one operation and add its count."""
        kwargs = kwargs or {}
        packet = func._overloadpacket
        if packet is _CPU_ATTENTION:
            shapes = [each.shape for each in args[:3]]
            self.flop += sdpa_flop_count(*shapes)  # type: ignore[no-untyped-call]
        elif packet not in flop_registry:
            # composite operations such as linear show what they are made of
            with self:
                pieces = func.decompose(*args, **kwargs)
            if pieces is not NotImplemented:
                return pieces
        result = func(*args, **kwargs)
        if packet in flop_registry:
            self.flop += int(flop_registry[packet](*args, **kwargs, out_val=result))
        return result
