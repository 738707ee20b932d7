"""The engine: the target's own output whatever the method, and a trace that tells what happened."""

from __future__ import annotations

import threading
from collections.abc import Iterable
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from psd.tiny import END, disturbed, tiny_model, tiny_pair, tiny_tokenizer
from scipy.stats import chisquare

from uara.base.errors import InputError
from uara.psd.activity import merged
from uara.psd.engine import DecodingRun, decode
from uara.psd.models import LanguageModel, wrap
from uara.psd.prompts import packaged_prompts
from uara.psd.replay import replay
from uara.psd.request import DecodingOptions, RoundEvent
from uara.psd.trace import Method

SPECULATIVE: tuple[Method, ...] = ("conventional", "psd")
PROMPTS = {"code": [2, 3, 4, 5, 6, 7], "summary": [9, 9, 20, 11, 3, 8, 5, 17, 2], "chat": [15]}


def own_greedy(model: LanguageModel, prompt: list[int], count: int) -> list[int]:
    """The target alone, without a cache: nothing shared with the engine."""
    tokens = list(prompt)
    with torch.inference_mode():
        while len(tokens) < len(prompt) + count and (
            len(tokens) == len(prompt) or tokens[-1] not in model.end_tokens
        ):
            tokens.append(int(model.model(input_ids=torch.tensor([tokens])).logits[0, -1].argmax()))
    return tokens[len(prompt) :]


def check_greedy(kind: str, method: Method, gammas: Iterable[int]) -> None:
    """Token for token, on prompts where the pair both agrees and disagrees, or little would be shown."""
    draft, target = tiny_pair(kind)
    rejected, rounds = 0, 0
    for prompt in PROMPTS.values():
        expected = own_greedy(target, prompt, 27)
        for gamma in gammas:
            decoded = decode(draft, target, prompt, DecodingOptions(method, gamma, 27))
            assert decoded.tokens == expected, gamma
            rejected += sum(each.rejected for each in decoded.trace.rounds)
            rounds += len(decoded.trace.rounds)
    assert 0.1 * rounds < rejected < 0.9 * rounds


@pytest.mark.integration
@pytest.mark.parametrize("method", SPECULATIVE)
def test_greedy_is_lossless_for_all_tasks_and_draft_lengths(method: Method) -> None:
    check_greedy("llama", method, range(1, 26))


@pytest.mark.integration
@pytest.mark.parametrize("method", SPECULATIVE)
def test_greedy_is_lossless_for_another_kind_of_model(method: Method) -> None:
    check_greedy("gpt2", method, (1, 4, 25))


@pytest.mark.parametrize(("spread", "rate"), [(0.0, 1.0), (2.0, 0.4)])
@pytest.mark.parametrize("method", SPECULATIVE)
def test_lossless_with_a_perfect_and_with_a_useless_draft(method: Method, spread: float, rate: float) -> None:
    draft, target = tiny_pair(spread=spread)
    decoded = decode(draft, target, PROMPTS["code"], DecodingOptions(method, 4, 40))
    assert decoded.tokens == own_greedy(target, PROMPTS["code"], 40)
    assert decoded.trace.acceptance_rate == 1.0 if rate == 1.0 else decoded.trace.acceptance_rate < rate


@pytest.mark.integration
@settings(max_examples=15, deadline=None)
@given(
    seed=st.integers(0, 5),
    gamma=st.integers(1, 12),
    count=st.integers(1, 40),
    method=st.sampled_from(SPECULATIVE),
    prompt=st.lists(st.integers(2, 23), min_size=1, max_size=12),
)
def test_trace_replay_and_passes_agree_with_the_run(
    seed: int, gamma: int, count: int, method: Method, prompt: list[int]
) -> None:
    draft, target = tiny_pair(seed=seed)
    decoded = decode(draft, target, prompt, DecodingOptions(method, gamma, count))
    assert decoded.tokens == own_greedy(target, prompt, count)
    assert decoded.trace.new_tokens == len(decoded.tokens)
    passes = list(decoded.trace.passes())
    target_fed = [(each.target_fed, each.target_cached, each.target_logits) for each in passes]
    assert target_fed == [(each.fed, each.cached, each.logits) for each in decoded.target.forwards]
    assert decoded.draft is not None
    drafted = decoded.trace.flop(draft.architecture, target.architecture)[0]
    assert drafted == sum(
        draft.architecture.pass_flop(each.fed, each.cached, each.logits) for each in decoded.draft.forwards
    )
    # whether the draft agrees at each position of the target's output settles every verdict
    agrees = [
        own_greedy(draft, prompt + decoded.tokens[:at], 1) == [token]
        for at, token in enumerate(decoded.tokens)
    ]
    again = replay([float(each) for each in agrees], method, gamma, len(prompt), max_new_tokens=count)
    assert (again.judged, again.accepted, again.appended) == (
        decoded.trace.judged,
        decoded.trace.accepted,
        decoded.trace.appended,
    )


def _distribution(model: LanguageModel, prompt: list[int], temperature: float) -> np.ndarray[Any, Any]:
    with torch.inference_mode():
        logits = model.model(input_ids=torch.tensor([prompt])).logits[0, -1]
    return (logits / temperature).softmax(-1).numpy()


def _joint(
    target: LanguageModel, prompt: list[int], temperature: float, size: int
) -> dict[tuple[int, ...], float]:
    """Exact probability of each three-token output, ends of sequence cutting it short."""
    table: dict[tuple[int, ...], float] = {(): 1.0}
    for _ in range(3):
        grown: dict[tuple[int, ...], float] = {}
        for prefix, mass in table.items():
            if prefix and prefix[-1] == END:
                grown[prefix] = mass
                continue
            for token, share in enumerate(_distribution(target, [*prompt, *prefix], temperature)):
                grown[*prefix, token] = mass * float(share)
        table = grown
    assert len(table) <= size**3
    return table


def _small_pair() -> tuple[LanguageModel, LanguageModel]:
    tokenizer = tiny_tokenizer(5)
    target = tiny_model(vocabulary=5, seed=3)
    return wrap(disturbed(target, 0.5), tokenizer, "d"), wrap(target, tokenizer, "t")


def _p_value(method: Method, gamma: int, rule: str, runs: int) -> float:
    draft, target = _small_pair()
    prompt, temperature = [2, 3, 4], 1.5
    table = _joint(target, prompt, temperature, 5)
    counts = dict.fromkeys(table, 0)
    for seed in range(runs):
        options = DecodingOptions(method, gamma, 3, temperature, rule=rule, seed=seed)  # type: ignore[arg-type]
        counts[tuple(decode(draft, target, prompt, options).tokens)] += 1
    # cells of less than five expected counts are put together
    expected = np.array(list(table.values())) * runs
    observed = np.array(list(counts.values()), dtype=float)
    small = expected < 5
    observed = np.append(observed[~small], observed[small].sum())
    expected = np.append(expected[~small], expected[small].sum())
    return float(chisquare(observed, expected * observed.sum() / expected.sum()).pvalue)


@pytest.mark.integration
@pytest.mark.parametrize(("method", "gamma"), [("conventional", 2), ("psd", 2)])
def test_sampling_with_the_residual_rule_has_the_targets_distribution(method: Method, gamma: int) -> None:
    assert _p_value(method, gamma, "residual", 400) > 0.01


@pytest.mark.integration
def test_sampling_with_the_target_rule_has_not() -> None:
    assert _p_value("conventional", 2, "target", 500) < 1e-3


@pytest.mark.slow
@pytest.mark.parametrize(
    ("method", "gamma"),
    [("autoregressive", 1), ("conventional", 1), ("conventional", 3), ("psd", 1), ("psd", 3)],
)
def test_sampling_distribution_at_length(method: Method, gamma: int) -> None:
    assert _p_value(method, gamma, "residual", 6000) > 0.01


def test_sampling_repeats_with_its_seed(pair: tuple[LanguageModel, LanguageModel]) -> None:
    options = DecodingOptions("psd", 4, 40, temperature=1.0, seed=7)
    first = decode(*pair, PROMPTS["code"], options).tokens
    assert decode(*pair, PROMPTS["code"], options).tokens == first
    others = [
        decode(*pair, PROMPTS["code"], DecodingOptions("psd", 4, 40, 1.0, seed=each)).tokens
        for each in (8, 9)
    ]
    assert any(each != first for each in others)


class _Ending:
    """Search for a prompt whose greedy output ends by itself."""

    def __init__(self) -> None:
        for seed in range(40):
            self.draft, self.target = tiny_pair(spread=0.05, seed=seed)
            for start in range(2, 24):
                output = own_greedy(self.target, [start], 40)
                if 4 <= len(output) < 40:
                    self.prompt, self.output = [start], output
                    return
        raise AssertionError("no model of the forty ends its text")


@pytest.mark.integration
@pytest.mark.parametrize("method", SPECULATIVE)
def test_end_of_sequence_inside_a_block_ends_the_text(method: Method) -> None:
    case = _Ending()
    inside = 0
    for gamma in range(1, 12):
        decoded = decode(case.draft, case.target, case.prompt, DecodingOptions(method, gamma, 40))
        assert decoded.tokens == case.output
        assert decoded.tokens[-1] == END
        inside += decoded.trace.rounds[-1].accepted > 0
    assert inside > 0


@pytest.mark.parametrize("method", SPECULATIVE)
@pytest.mark.parametrize("count", [1, 2, 3, 6])
def test_max_tokens_inside_a_block(
    pair: tuple[LanguageModel, LanguageModel], method: Method, count: int
) -> None:
    draft, target = pair
    decoded = decode(target, target, PROMPTS["summary"], DecodingOptions(method, 5, count))
    assert decoded.tokens == own_greedy(target, PROMPTS["summary"], count)
    decoded = decode(draft, target, PROMPTS["summary"], DecodingOptions(method, 5, count))
    assert decoded.tokens == own_greedy(target, PROMPTS["summary"], count)


def test_draft_and_target_run_on_two_threads_at_the_same_time() -> None:
    draft, target = tiny_pair()
    threads: dict[str, set[int]] = {"draft": set(), "target": set()}
    meeting = threading.Barrier(2, timeout=20)

    def watch(model: LanguageModel, name: str) -> Any:
        def before(module: Any, arguments: Any) -> None:
            first = not threads[name]
            threads[name].add(threading.get_ident())
            if first:
                # both are inside a forward pass at once, or this times out and breaks the run
                meeting.wait()

        return model.model.register_forward_pre_hook(before)

    hooks = [watch(draft, "draft"), watch(target, "target")]
    try:
        decode(draft, target, PROMPTS["code"], DecodingOptions("psd", 4, 20))
    finally:
        for hook in hooks:
            hook.remove()
    assert len(threads["draft"]) == len(threads["target"]) == 1
    assert threads["draft"].isdisjoint(threads["target"])


def test_a_failing_draft_ends_the_run_with_its_error() -> None:
    draft, target = tiny_pair()

    def fail(module: Any, arguments: Any) -> None:
        raise RuntimeError("out of memory")

    hook = draft.model.register_forward_pre_hook(fail)
    with pytest.raises(RuntimeError, match="out of memory"):
        decode(draft, target, PROMPTS["code"], DecodingOptions("psd", 4, 20))
    hook.remove()


@pytest.mark.parametrize("method", ["autoregressive", *SPECULATIVE])
def test_streaming_gives_the_output_piece_by_piece(
    pair: tuple[LanguageModel, LanguageModel], method: Method
) -> None:
    events: list[RoundEvent] = []
    decoded = decode(*pair, PROMPTS["code"], DecodingOptions(method, 4, 30), on_round=events.append)
    pieces = [[*event.accepted, *([] if event.own is None else [event.own])] for event in events]
    assert [token for piece in pieces for token in piece] == decoded.tokens
    for event in events:
        assert event.round.rejected == (event.rejected is not None)
        assert event.round.accepted == len(event.accepted)
        lost = event.round.pending + event.round.drafted - event.round.accepted
        assert len(event.discarded) + (event.rejected is not None) in (
            {lost} if event.rejected is not None else {0}
        )


def test_a_run_can_be_left_in_the_middle(pair: tuple[LanguageModel, LanguageModel]) -> None:
    run = DecodingRun(*pair, PROMPTS["code"], DecodingOptions("psd", 4, 30))
    event = next(iter(run))
    assert run.result().tokens == [*event.accepted, *([] if event.own is None else [event.own])]
    assert threading.active_count() < 20


def test_activities_lie_in_the_run_and_do_not_overlap_on_one_side(
    pair: tuple[LanguageModel, LanguageModel],
) -> None:
    decoded = decode(*pair, PROMPTS["code"], DecodingOptions("psd", 4, 30))
    for resource in ("device", "server"):
        own = [each for each in decoded.activities if each.resource == resource]
        assert all(first.end_s <= second.start_s for first, second in pairwise(own))
        assert len(merged(own)) == len(own)
    assert all(0 <= each.start_s < each.end_s <= decoded.wall_s for each in decoded.activities)


def test_counted_operations_equal_the_formula(pair: tuple[LanguageModel, LanguageModel]) -> None:
    decoded = decode(*pair, PROMPTS["summary"], DecodingOptions("psd", 3, 20), count_flop=True)
    assert decoded.draft is not None
    counted = decoded.draft.counted_flop, decoded.target.counted_flop
    assert counted == decoded.trace.flop(pair[0].architecture, pair[1].architecture)


@pytest.mark.parametrize(("of_draft", "of_target"), [(20, 24), (24, 20)])
@pytest.mark.parametrize("temperature", [0.0, 1.0])
def test_read_outs_padded_to_other_lengths_are_taken(
    of_draft: int, of_target: int, temperature: float
) -> None:
    tokenizer = tiny_tokenizer(20)
    draft = wrap(tiny_model(vocabulary=of_draft, seed=2), tokenizer, "d")
    target = wrap(tiny_model(vocabulary=of_target), tokenizer, "t")
    decoded = decode(draft, target, [2, 3, 4], DecodingOptions("psd", 3, 25, temperature))
    assert max(decoded.tokens) < 20
    assert decoded.trace.new_tokens == len(decoded.tokens)


def test_a_read_out_shorter_than_the_vocabulary_is_refused() -> None:
    tokenizer = tiny_tokenizer(24)
    draft, target = (wrap(tiny_model(vocabulary=size), tokenizer, "m") for size in (20, 24))
    with pytest.raises(InputError, match="reads out 20 tokens, fewer than its tokenizer's 24"):
        decode(draft, target, [2], DecodingOptions("psd", 3, 5))


@pytest.mark.integration
def test_the_real_pair_is_lossless_and_lean(real_pair: tuple[LanguageModel, LanguageModel]) -> None:
    draft, target = real_pair
    prompt = target.encode(packaged_prompts(["chat"], 3)[1].text)
    expected = decode(None, target, prompt, DecodingOptions("autoregressive", max_new_tokens=16))
    for method in SPECULATIVE:
        decoded = decode(draft, target, prompt, DecodingOptions(method, 4, 16))
        assert decoded.tokens == expected.tokens
        # the bar: at most a tenth of the run outside the two models' passes
        assert decoded.overhead_share <= 0.10


@pytest.mark.slow
@pytest.mark.parametrize("task", ["code", "summary", "chat"])
@pytest.mark.parametrize("method", SPECULATIVE)
def test_the_real_pair_over_tasks_and_draft_lengths(
    real_pair: tuple[LanguageModel, LanguageModel], task: str, method: Method
) -> None:
    draft, target = real_pair
    prompt = target.encode(packaged_prompts([task], 5)[2].text)
    expected = decode(None, target, prompt, DecodingOptions("autoregressive", max_new_tokens=32)).tokens
    for gamma in (1, 2, 3, 5, 8, 13, 25):
        assert decode(draft, target, prompt, DecodingOptions(method, gamma, 32)).tokens == expected


def test_options_out_of_range_are_refused() -> None:
    wrong: list[dict[str, Any]] = [
        {"method": "magic"},
        {"rule": "coin"},
        {"gamma": 0},
        {"max_new_tokens": 0},
        {"temperature": -1.0},
        {"temperature": float("nan")},
        {"top_p": 0.0},
        {"seed": -1},
    ]
    for each in wrong:
        with pytest.raises(InputError):
            DecodingOptions(**each)
