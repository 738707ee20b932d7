"""What a decoding run is asked for, and what it gives."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple, get_args

from uara.base.errors import InputError
from uara.psd.activity import Activity, busy_s
from uara.psd.models import LanguageModel, require_same_tokens
from uara.psd.payload import RULES, Rule
from uara.psd.session import Session
from uara.psd.trace import DecodingTrace, Method, Round


@dataclass(frozen=True)
class DecodingOptions:
    """How to decode.

    Raises
    ------
    InputError
        For an option out of its range.
    """

    method: Method = "psd"
    gamma: int = 5
    max_new_tokens: int = 64
    temperature: float = 0.0
    top_p: float = 1.0
    rule: Rule = "residual"
    seed: int = 0

    def __post_init__(self) -> None:
        for name, known in (("method", get_args(Method)), ("rule", RULES)):
            if getattr(self, name) not in known:
                raise InputError(f"{name} must be one of {', '.join(known)}, not {getattr(self, name)!r}")
        if self.gamma < 1 or self.max_new_tokens < 1:
            raise InputError("gamma and max_new_tokens must be at least 1")
        if not 0 <= self.temperature < float("inf") or not 0 < self.top_p <= 1 or self.seed < 0:
            raise InputError("temperature and seed must not be negative, and top_p must lie in (0, 1]")


class RoundEvent(NamedTuple):
    """What a round did to the text: tokens kept from the draft, the refused one, the target's own, tokens lost."""

    round: Round
    accepted: list[int]
    rejected: int | None
    own: int | None
    discarded: list[int]


@dataclass(frozen=True)
class Decoded:
    """A finished run.

    Attributes
    ----------
    tokens
        The output, without the prompt; ends with an end-of-sequence token if the model gave one.
    activities
        Each model's forward passes on a clock that starts with the run.
    """

    tokens: list[int]
    text: str
    trace: DecodingTrace
    activities: list[Activity]
    draft: Session | None
    target: Session
    wall_s: float

    @property
    def overhead_share(self) -> float:
        """Share of the run in which neither model was in a forward pass."""
        return 1 - busy_s(self.activities) / self.wall_s


def check_request(
    draft: LanguageModel | None, target: LanguageModel, prompt: Sequence[int], options: DecodingOptions
) -> None:
    """Refuse what cannot be decoded: an empty prompt, no room in a context, tokenizers that differ.

    Raises
    ------
    InputError
        Saying which, with figures.
    """
    pair = [target]
    if options.method != "autoregressive":
        if draft is None:
            raise InputError(f"{options.method} decoding needs a draft model")
        require_same_tokens(draft, target)
        pair.append(draft)
    if not prompt:
        raise InputError("the prompt is empty")
    for model in pair:
        vocabulary = model.architecture.vocabulary_tokens
        if any(not 0 <= token < vocabulary for token in prompt):
            raise InputError(f"the prompt has token ids outside {model.name}'s 0 to {vocabulary - 1}")
        left = model.context_tokens - len(prompt)
        if left < options.max_new_tokens:
            raise InputError(
                f"a prompt of {len(prompt)} tokens leaves {max(left, 0)} of {model.name}'s {model.context_tokens} "
                f"for the output, fewer than the {options.max_new_tokens} wanted: shorten it, or max_new_tokens"
            )
