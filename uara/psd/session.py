"""A model with its key-value cache: feed tokens, roll back, and keep count of both."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from uara.base.errors import InputError
from uara.psd.models import LanguageModel

if TYPE_CHECKING:
    import torch


class Forward(NamedTuple):
    """One forward pass as it happened: what was fed after how many cached tokens, and when."""

    fed: int
    cached: int
    logits: int
    start_s: float
    end_s: float


class Session:
    """One sequence in one model's cache. A session belongs to one thread at a time.

    Attributes
    ----------
    length
        Tokens in the cache.
    forwards
        The passes so far, with times on the clock of :func:`time.perf_counter`.
    counted_flop
        Operations that PyTorch dispatched, where counting was asked for (it slows the passes down); else None.
    """

    def __init__(self, language_model: LanguageModel, count_flop: bool = False) -> None:
        from transformers import DynamicCache

        self.language_model = language_model
        cache: Any = DynamicCache
        self.cache = cache(config=language_model.model.config)
        self.cache.activate_past_recording()
        self.length = 0
        self.forwards: list[Forward] = []
        self.counted_flop = 0 if count_flop else None

    def feed(self, tokens: Sequence[int], logits: int = 1) -> torch.Tensor:
        """Run the model on the next tokens of the sequence.

        Parameters
        ----------
        tokens
            At least one id, following what is cached.
        logits
            For how many of the last positions logits are wanted.

        Returns
        -------
        torch.Tensor
            Shape (logits, vocabulary), 32 bits or wider, on the model's device.
        """
        import torch

        with torch.inference_mode():
            ids = torch.tensor([list(tokens)], device=self.language_model.device)
            start_s = time.perf_counter()
            output = self._forward(ids, logits)
            if ids.device.type == "cuda":
                torch.cuda.current_stream(ids.device).synchronize()
            end_s = time.perf_counter()
            self.forwards.append(Forward(len(tokens), self.length, logits, start_s, end_s))
            self.length += len(tokens)
            scores: torch.Tensor = output.logits[0]
            return scores if scores.dtype == torch.float64 else scores.float()

    def _forward(self, ids: torch.Tensor, logits: int) -> Any:
        arguments = {"past_key_values": self.cache, "use_cache": True, "logits_to_keep": logits}
        if self.counted_flop is None:
            return self.language_model.model(input_ids=ids, **arguments)
        from uara.psd.counting import OperationCounter

        with OperationCounter() as counter:
            output = self.language_model.model(input_ids=ids, **arguments)
        self.counted_flop += counter.flop
        return output

    def roll_back(self, length: int) -> None:
        """Forget all but the first ``length`` tokens; nothing happens if there are no more.

        Raises
        ------
        InputError
            If the model's cache cannot be cut, as that of a recurrent model.
        """
        if length >= self.length:
            return
        try:
            self.cache.crop(length - self.length)
        except (RuntimeError, NotImplementedError, AttributeError) as error:
            name = self.language_model.name
            raise InputError(f"{name}: its cache cannot be rolled back ({error})") from None
        self.length = length
