from __future__ import annotations

import numpy as np
from uara.solvers.hetedge.labels import COST, DRAFT_FREE, VERIFY_FREE, dominated, insert


def label_table(*labels: tuple[float, float, float]) -> np.ndarray:  # type: ignore[type-arg]
    table = np.zeros((8, 3))
    table[: len(labels)] = labels
    return table


def test_dominance_allows_for_what_is_left() -> None:
    one = label_table((10.0, 20.0, 100.0))
    # later by 5 with 3 requests left costs at most 15
    assert dominated(one, 1, 5.0, 15.0, 115.0, 3.0, 0.0)
    assert not dominated(one, 1, 5.0, 15.0, 114.0, 3.0, 0.0)
    # earlier by 5 gains 15 once all prompts are there, and nothing before
    assert dominated(one, 1, 15.0, 25.0, 85.0, 3.0, 0.0)
    assert not dominated(one, 1, 15.0, 25.0, 84.9, 3.0, 0.0)
    assert not dominated(one, 1, 15.0, 25.0, 99.0, 3.0, 12.0)
    assert dominated(one, 1, 15.0, 25.0, 100.0, 3.0, 12.0)


def test_labels_come_and_go() -> None:
    labels, ways = np.zeros((2, 3)), np.zeros((2, 6), dtype=np.int64)
    way = (0, 0, 1, 0, 0, 0)
    count = insert(labels, ways, 0, (10.0, 20.0, 100.0), way, 2.0, 1e9)
    assert count == 1
    assert insert(labels, ways, count, (10.0, 20.0, 100.0), way, 2.0, 1e9) == 1
    count = insert(labels, ways, count, (30.0, 40.0, 70.0), way, 2.0, 1e9)
    assert count == 2
    assert insert(labels, ways, count, (20.0, 30.0, 82.0), way, 2.0, 1e9) == -1
    assert insert(labels, ways, count, (5.0, 10.0, 20.0), (4, 1, 2, 3, 0, 0), 2.0, 1e9) == 1
    assert labels[0].tolist() == [5.0, 10.0, 20.0]
    assert ways[0].tolist() == [4, 1, 2, 3, 0, 0]
    assert (DRAFT_FREE, VERIFY_FREE, COST) == (0, 1, 2)
