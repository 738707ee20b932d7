"""Shapes in new clothes: against every choice of members, and against every group."""

from __future__ import annotations

import itertools

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from uara.solvers.hetedge.climb import SECOND, SIZE, Scene, dressed

from uara.hetedge.batch_kinds import Requests


def drawn(rng: np.random.Generator, count: int, *, disjoint: bool) -> Scene:
    ranked = Requests(
        np.sort(rng.integers(-3, 50, count).astype(float))[::-1].copy(),
        rng.integers(0, 4, count), rng.integers(0, 4, count), rng.integers(1, 5, (count, 2)),
        np.zeros(count, np.int64),
    )  # fmt: skip
    ways = np.stack([np.arange(count)] * 2)
    return Scene(ranked, np.zeros((3, 2, 4, 4, 9)), (1.0, 1.0), 0.0, disjoint, ways, np.zeros(count + 1))


def admitted(scene: Scene, shape: np.ndarray, at: int) -> list[int]:
    ranked, (_, length, prompt, output, turns) = scene.ranked, shape[at : at + SECOND]
    return [
        k for k in range(len(ranked.price))
        if ranked.prompt[k] <= prompt and ranked.output[k] <= output and ranked.rounds[k, length] <= turns
    ]  # fmt: skip


@settings(max_examples=150, deadline=None)
@given(st.integers(0, 2**32 - 1), st.booleans())
def test_a_shape_takes_the_dearest_that_it_admits(seed: int, disjoint: bool) -> None:
    rng = np.random.default_rng(seed)
    count = int(rng.integers(1, 7))
    scene = drawn(rng, count, disjoint=disjoint)
    shape = np.concatenate([[rng.integers(low, 4), rng.integers(0, 2), *rng.integers(0, 4, 2), rng.integers(1, 5)]
                            for low in (1, 0)])  # fmt: skip
    worths = [
        scene.ranked.price[[*a, *b]].sum()
        for a in itertools.combinations(admitted(scene, shape, 0), shape[SIZE])
        for b in itertools.combinations(admitted(scene, shape, SECOND), shape[SECOND + SIZE])
        if not (disjoint and set(a) & set(b))
    ]
    whose = np.zeros(count, dtype=np.int64)
    worth = dressed(scene, shape, whose)
    assert worth == max(worths, default=-np.inf)
    if worths and not disjoint:
        assert [(whose & batch > 0).sum() for batch in (1, 2)] == [shape[SIZE], shape[SECOND + SIZE]]
    if worths and disjoint:
        assert (whose > 0).sum() == shape[SIZE] + shape[SECOND + SIZE]
        assert (whose == 1).sum() <= shape[SIZE]
        assert (whose == 2).sum() <= shape[SECOND + SIZE]
