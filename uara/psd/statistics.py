"""Means over prompts with their confidence intervals."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from uara.base.errors import InputError
from uara.psd.payload import PAYLOADS, upload_bits
from uara.psd.records import Decoding, Estimate, ModelRecord, PromptRecord, TaskSummary
from uara.psd.replay import replay
from uara.psd.trace import DecodingTrace

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

_REPLAYS = 16


def ratio_estimate(numerators: Sequence[float], denominators: Sequence[float]) -> Estimate:
    """A ratio of sums with its 95 % bootstrap interval; prompts are resampled whole, as tokens of one depend.

    Parameters
    ----------
    numerators, denominators
        One value a prompt, shape (prompts,).
    """
    import numpy as np

    from uara.base.intervals import bootstrap

    if not numerators or len(numerators) != len(denominators):
        raise InputError("an estimate needs as many numerators as denominators, and at least one")

    def ratio(above: Any, below: Any, axis: int) -> Any:
        return above.sum(axis=axis) / below.sum(axis=axis)

    low, high = bootstrap([numerators, denominators], ratio, np.random.default_rng(0))
    return Estimate(value=float(np.sum(numerators) / np.sum(denominators)), low=low, high=high)


def mean_estimate(values: Sequence[float]) -> Estimate:
    """A mean with its 95 % bootstrap interval."""
    return ratio_estimate(values, [1.0] * len(values))


def summarise(
    records: Sequence[PromptRecord], decoding: Decoding, draft: ModelRecord, target: ModelRecord
) -> dict[str, TaskSummary]:
    """Each task's means over its prompts, replayed with the profile's own method and draft length."""
    by_task: dict[str, list[PromptRecord]] = {}
    for record in records:
        by_task.setdefault(record.task, []).append(record)
    return {task: _summary(chosen, decoding, draft, target) for task, chosen in by_task.items()}


def _replays(record: PromptRecord, decoding: Decoding, rng: np.random.Generator) -> list[DecodingTrace]:
    return [
        replay(
            record.acceptance,
            decoding.method,
            decoding.gamma,
            record.prompt_tokens,
            max_new_tokens=decoding.max_new_tokens,
            rng=rng,
        )
        for _ in range(1 if record.certain else _REPLAYS)
    ]


def _summary(
    records: list[PromptRecord], decoding: Decoding, draft: ModelRecord, target: ModelRecord
) -> TaskSummary:
    import numpy as np

    rng = np.random.default_rng(decoding.seed)
    runs = [_replays(record, decoding, rng) for record in records]

    def means(measure: Callable[[DecodingTrace], float]) -> list[float]:
        return [float(np.mean([measure(trace) for trace in each])) for each in runs]

    vocabulary = draft.architecture.vocabulary_tokens
    flop: NDArray[np.float64] = np.array(
        [
            np.mean([trace.flop(draft.architecture, target.architecture) for trace in each], axis=0)
            for each in runs
        ]
    )
    new_tokens = means(lambda trace: trace.new_tokens)
    return TaskSummary(
        prompts=len(records),
        acceptance_rate=ratio_estimate(
            [sum(each.acceptance) for each in records], [len(each.acceptance) for each in records]
        ),
        prompt_tokens=mean_estimate([each.prompt_tokens for each in records]),
        new_tokens=mean_estimate(new_tokens),
        tokens_per_round=ratio_estimate(new_tokens, means(lambda trace: len(trace.drafted))),
        drafted_per_token=ratio_estimate(means(lambda trace: trace.drafted_tokens), new_tokens),
        discarded_per_token=ratio_estimate(means(lambda trace: trace.discarded_tokens), new_tokens),
        verified_per_token=ratio_estimate(means(lambda trace: trace.judged_tokens), new_tokens),
        upload_bits={
            kind: mean_estimate(
                means(lambda trace, kind=kind: upload_bits(trace, kind, vocabulary, decoding.value_bits))  # type: ignore[misc]
            )
            for kind in PAYLOADS
        },
        device_flop=mean_estimate(flop[:, 0].tolist()),
        server_flop=mean_estimate(flop[:, 1].tolist()),
    )
