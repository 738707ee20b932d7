"""Cheap groups at given prices without looking at all of them: known shapes in new clothes, changed step by step.

A *shape* says of each of its one or two batches how many requests it takes, its speculation length, and the longest
prompt, the longest output and the most rounds that it admits. At new prices a shape takes the dearest requests that it
admits, and a cheaper shape is sought from the best ones: one request more is admitted, the slowest are shut out,
a size or a length changes. Nothing is proved by that; what is found tells the proof where to look.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from uara.base.kernels import kernel
from uara.base.quantities import Floats, Indices
from uara.hetedge.batch_kinds import DRAFT_BYTES, ROUNDS, VERIFY_BYTES, Requests
from uara.hetedge.played import played

SIZE, LENGTH, PROMPT, OUTPUT, TURNS = range(5)
"""Columns of a batch in a shape: requests, index of the length, levels of prompt and output, rounds."""
SECOND = 5
"""Where the second batch's columns begin; its size is 0 where there is none."""
_PASSES = 12
"""Most times that every change of a group is tried."""
_STEPS = np.array([-2, -1, 1, 2])


class Scene(NamedTuple):
    """What groups cost and are worth; K requests, the dearest first."""

    ranked: Requests
    """The requests and what they are worth."""
    cost: Floats
    """(B, L, P, N, 9) As in :class:`uara.hetedge.batch_kinds.Tables`."""
    rooms: tuple[float, float]
    """Bytes for caches on the draft and on the verify node."""
    tail_ms: float
    """How long after the draft node the verify node is free when a group begins."""
    disjoint: bool
    """Whether the two batches of a pair share no request."""
    ways: Indices
    """(2, K) Orders in which requests that fit both batches of a pair go to the first."""
    potential: Floats
    """(K + 1,) Output: what is to come from each position over chains of known groups, in ms."""


class Trial(NamedTuple):
    """A group that is looked at."""

    shape: Indices
    """(10,) Sizes and limits of its two batches (:data:`SIZE`, ...)."""
    whose: Indices
    """(K,) 0 for nobody, 1 and 2 for the batches, 3 where a request is in both."""
    rows: Floats
    """(2, 9) Its batches' costs."""


@kernel(allocates=False)
def dressed(scene: Scene, shape: Indices, whose: Indices) -> float:
    """Most that the members of a shape are worth, in ms: which, undecided ones as 3; minus infinity if too few fit."""
    ranked, size_a, size_b = scene.ranked, shape[SIZE], shape[SECOND + SIZE]
    length_a, length_b = shape[LENGTH], shape[SECOND + LENGTH]
    only_a, only_b, taken, worth = 0, 0, 0, 0.0
    whose[:] = 0
    for k in range(len(ranked.price)):
        prompt, output = ranked.prompt[k], ranked.output[k]
        in_a = (
            prompt <= shape[PROMPT] and output <= shape[OUTPUT] and ranked.rounds[k, length_a] <= shape[TURNS]
        )
        in_b = size_b > 0 and prompt <= shape[SECOND + PROMPT] and output <= shape[SECOND + OUTPUT]
        in_b = in_b and ranked.rounds[k, length_b] <= shape[SECOND + TURNS]
        if scene.disjoint:
            if in_a and not in_b:
                if only_a == size_a:
                    continue
                only_a += 1
                whose[k] = 1
            elif in_b and not in_a:
                if only_b == size_b:
                    continue
                only_b += 1
                whose[k] = 2
            elif in_a:
                whose[k] = 3
            else:
                continue
            taken += 1
            worth += ranked.price[k]
        else:
            if in_a and only_a < size_a:
                only_a += 1
                taken += 1
                whose[k] += 1
                worth += ranked.price[k]
            if in_b and only_b < size_b:
                only_b += 1
                taken += 1
                whose[k] += 2
                worth += ranked.price[k]
        if taken == size_a + size_b:
            return worth
    return -np.inf


@kernel(allocates=False)
def _tightened(scene: Scene, shape: Indices, way: int, trial: Trial) -> None:
    """Write the shape with the limits that its members meet; undecided ones go to the first batch first, by a way."""
    ranked, whose, tight = scene.ranked, trial.whose, trial.shape
    if scene.disjoint:
        cut = shape[SIZE]
        for k in range(len(whose)):
            cut -= 1 if whose[k] == 1 else 0
        for k in scene.ways[way]:
            if whose[k] == 3:
                whose[k] = 1 if cut > 0 else 2
                cut -= 1
    for column in range(2 * SECOND):
        tight[column] = shape[column] if column % SECOND <= LENGTH else 0
    for k in range(len(whose)):
        for batch in range(2):
            if whose[k] & (batch + 1):
                at = batch * SECOND
                tight[at + PROMPT] = max(tight[at + PROMPT], ranked.prompt[k])
                tight[at + OUTPUT] = max(tight[at + OUTPUT], ranked.output[k])
                tight[at + TURNS] = max(tight[at + TURNS], ranked.rounds[k, tight[at + LENGTH]])


@kernel(allocates=False)
def costs(scene: Scene, shape: Indices, later: bool, rows: Floats) -> tuple[float, float]:
    """Sum of a group's ends, and when it leaves the draft node, in ms; infinite where it does not fit the nodes."""
    drafts, verifies = 0.0, 0.0
    for batch in range(2):
        at, row = batch * SECOND, rows[batch]
        if shape[at + SIZE] == 0:
            row[:] = 0.0
            continue
        source = scene.cost[shape[at + SIZE] - 1, shape[at + LENGTH], shape[at + PROMPT], shape[at + OUTPUT]]
        for column in range(len(row)):
            row[column] = source[column]
        row[ROUNDS] = shape[at + TURNS]
        drafts += row[DRAFT_BYTES]
        verifies += row[VERIFY_BYTES]
    if drafts > scene.rooms[0] or verifies > scene.rooms[1]:
        return np.inf, np.inf
    end_a, end_b, free = played(rows[0], rows[1], scene.tail_ms if later else 0.0)
    return shape[SIZE] * end_a + shape[SECOND + SIZE] * end_b, free


@kernel(allocates=False)
def _tried(scene: Scene, position: int, shape: Indices, way: int, trial: Trial) -> float:
    """What a shape's group and the chain after it cost less the prices at a position; infinite where it cannot be."""
    stop = position + shape[SIZE] + shape[SECOND + SIZE]
    requests = len(scene.ranked.price)
    if stop > requests:
        return np.inf
    worth = dressed(scene, shape, trial.whose)
    if worth == -np.inf:
        return np.inf
    _tightened(scene, shape, way, trial)
    ends, free = costs(scene, trial.shape, position > 0, trial.rows)
    return float(ends + (requests - stop) * free - worth + scene.potential[stop])


@kernel(allocates=False)
def _take(source: Trial, target: Trial) -> None:
    for column in range(len(source.shape)):
        target.shape[column] = source.shape[column]
    for k in range(len(source.whose)):
        target.whose[k] = source.whose[k]


@kernel(allocates=False)
def climbed(scene: Scene, position: int, value: float, now: Trial, trial: Trial, asked: Indices) -> float:
    """Change a group at a position while that lowers its value; the value at the end, in ms.

    Parameters
    ----------
    now
        The group, which is changed in place.
    trial, asked
        Room for a change: a group, and a shape.
    """
    widest, lengths = scene.cost.shape[:2]
    requests = len(now.whose)
    for _ in range(_PASSES):
        before = value
        for batch in range(2):
            at = batch * SECOND
            if now.shape[at + SIZE] == 0:
                continue
            for column in range(5):
                for step in _STEPS:
                    for each in range(2 * SECOND):
                        asked[each] = now.shape[each]
                    asked[at + column] += step
                    new = asked[at + column]
                    if column == SIZE and not (1 - batch <= new <= widest):
                        continue
                    if column == LENGTH:
                        if not 0 <= new < lengths:
                            continue
                        asked[at + TURNS] = 0
                        for k in range(requests):
                            if now.whose[k] & (batch + 1):
                                asked[at + TURNS] = max(asked[at + TURNS], scene.ranked.rounds[k, new])
                    if column >= PROMPT and (step > 0 or new < 0):
                        continue  # requests are let in below, one by one
                    way = 1 if step == -2 else 0
                    found = _tried(scene, position, asked, way, trial)
                    if found < value * (1 - 1e-12) - 1e-9:
                        value = found
                        _take(trial, now)
            last = requests - 1
            while last > 0 and now.whose[last] == 0:
                last -= 1
            for k in range(last):
                if now.whose[k] & (batch + 1) or (scene.disjoint and now.whose[k] != 0):
                    continue
                for each in range(2 * SECOND):
                    asked[each] = now.shape[each]
                asked[at + PROMPT] = max(asked[at + PROMPT], scene.ranked.prompt[k])
                asked[at + OUTPUT] = max(asked[at + OUTPUT], scene.ranked.output[k])
                asked[at + TURNS] = max(asked[at + TURNS], scene.ranked.rounds[k, asked[at + LENGTH]])
                found = _tried(scene, position, asked, 0, trial)
                if found < value * (1 - 1e-12) - 1e-9:
                    value = found
                    _take(trial, now)
        single = now.shape[SECOND + SIZE] == 0
        for turn in range(
            3
        ):  # shared out in the other way; a partner like the first batch, or of one request; none
            for each in range(2 * SECOND):
                asked[each] = now.shape[each % SECOND if single and turn > 0 else each]
            if turn > 0 and not single:
                asked[SECOND + SIZE] = 0
            elif turn == 2:
                asked[SECOND + SIZE] = 1
            found = _tried(scene, position, asked, 1 if turn == 0 else 0, trial)
            if found < value * (1 - 1e-12) - 1e-9:
                value = found
                _take(trial, now)
        if value >= before:
            break
    return value


class Best(NamedTuple):
    """The cheapest group that was found at each of K positions."""

    shape: Indices
    """(K, 10) Its shape, as :attr:`Trial.shape`."""
    whose: Indices
    """(K, K) By position and request, the dearest first."""
    known: Indices
    """(K,) The known shape that it began as."""


@kernel
def swept(scene: Scene, shapes: Indices, ends: Floats, begins: int, best: Best) -> None:
    """From the last position to the first: the best known shapes in new clothes, and better ones from there on.

    Parameters
    ----------
    shapes
        (S, 10) Those known.
    ends
        (S, 2, 2) Sum of their ends and when they leave the draft node, first and later in a chain, in ms.
    begins
        So many of the best shapes are changed at each position.
    """
    requests, count = len(scene.ranked.price), len(shapes)
    potential, whose = scene.potential, np.zeros(requests, dtype=np.int64)
    worth, size = np.empty(count), shapes[:, SIZE] + shapes[:, SECOND + SIZE]
    for s in range(count):
        worth[s] = dressed(scene, shapes[s], whose)
    now = Trial(np.zeros(10, np.int64), whose, np.zeros((2, 9)))
    trial = Trial(np.zeros(10, np.int64), np.zeros(requests, np.int64), np.zeros((2, 9)))
    asked = np.zeros(10, np.int64)
    top, top_value = np.zeros(begins, np.int64), np.zeros(begins)
    potential[requests] = 0.0
    for i in range(requests - 1, -1, -1):
        later, held = 1 if i > 0 else 0, 0
        for s in range(count):
            stop = i + size[s]
            if stop > requests:
                continue
            value = ends[s, later, 0] + (requests - stop) * ends[s, later, 1] - worth[s] + potential[stop]
            if held < begins or value < top_value[held - 1]:
                place = held if held < begins else begins - 1
                while place > 0 and top_value[place - 1] > value:
                    top[place], top_value[place] = top[place - 1], top_value[place - 1]
                    place -= 1
                top[place], top_value[place] = s, value
                held = min(held + 1, begins)
        least = np.inf
        for place in range(held):
            value = _tried(scene, i, shapes[top[place]], 0, now)
            value = climbed(scene, i, value, now, trial, asked)
            if value < least:
                least = value
                best.shape[i], best.whose[i], best.known[i] = now.shape, now.whose, top[place]
        potential[i] = least
