"""Kinds of batches: every set of requests is served by one that costs no more and is worth no less."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hetedge_cases import make_hetedge
from hypothesis import given, settings
from hypothesis import strategies as st
from truth.hetedge import batch_times

from uara.hetedge.batch_kinds import (
    FIELDS,
    kinds_of,
    lengths_of,
    levels_of,
    ranked_by,
    rooms,
    tables_of,
)


@given(st.lists(st.integers(1, 500), min_size=1, max_size=20), st.lists(st.integers(0, 600), max_size=8))
def test_tokens_are_rounded_down_to_the_nearest_level(tokens: list[int], levels: list[int]) -> None:
    level, values = levels_of(np.array(tokens), levels)
    assert values.tolist() == sorted(set(values.tolist()))
    for each, place in zip(tokens, level, strict=True):
        allowed = [one for one in [*levels, min(tokens)] if one <= each]
        assert values[place] == max(allowed)


@settings(max_examples=12, deadline=None)
@given(st.integers(0, 10_000), st.booleans(), st.booleans())
def test_no_set_is_cheaper_or_dearer_than_its_kind(seed: int, disjoint: bool, coarse: bool) -> None:
    instance = make_hetedge(4, seed, longest_speculation=2)
    price = np.random.default_rng(seed).uniform(-5, 100, 4)
    requests = instance.requests
    levels = ([], []) if coarse else (requests.prompt_tokens.tolist(), requests.output_tokens.tolist())
    tables = tables_of(instance, *levels)
    ranked, _ = ranked_by(tables, price)
    kinds = kinds_of(tables, ranked, disjoint=disjoint)
    assert (np.diff(ranked.price) <= 0).all()
    assert sorted(ranked.price.tolist()) == sorted(price.tolist())
    lengths = lengths_of(instance)
    per_token = {
        node: 2 * model.layers * model.cache_width * model.cache_bits / 8
        for node, model in (("draft", instance.draft_model), ("target", instance.target_model))
        if model is not None
    }
    for size in range(1, min(instance.parameters.largest_batch, 4) + 1):
        own = range(kinds.start[size - 1], kinds.start[size])
        for members in itertools.combinations(range(4), size):
            worth = price[list(members)].sum()
            for length in lengths:
                times = batch_times(instance, list(members), int(length))
                need = size * (
                    int(requests.prompt_tokens[list(members)].max())
                    + int(requests.output_tokens[list(members)].max())
                    + int(length)
                )
                draft_room, verify_room = rooms(instance)
                if need * per_token["target"] > verify_room:
                    continue
                if length and need * per_token["draft"] > draft_room:
                    continue
                assert any(
                    lengths[kinds.length[kinds.admits[t]]] == length
                    and kinds.worth[t] >= worth - 1e-9
                    and all(
                        kinds.cost[t, FIELDS.index(name)] <= most * (1 + 1e-9) for name, most in times.items()
                    )
                    for t in own
                ), (members, length)


def test_no_speculation_is_always_a_length() -> None:
    instance = make_hetedge(4, 1, longest_speculation=3)
    assert lengths_of(instance).tolist() == [0, 1, 2, 3]
    later = instance.replace(
        parameters=instance.parameters.model_copy(
            update={"shortest_speculation": 2, "longest_speculation": 3}
        )
    )
    assert lengths_of(later).tolist() == [0, 2, 3]


def test_without_a_draft_node_its_room_has_no_end() -> None:
    alone = make_hetedge(3, 1, drafts=False)
    draft_room, verify_room = rooms(alone)
    assert draft_room == np.inf
    assert verify_room == pytest.approx(alone.system.target.cache_room_bytes, rel=1e-6)
    assert verify_room >= alone.system.target.cache_room_bytes
