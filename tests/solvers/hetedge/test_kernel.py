from __future__ import annotations

import numpy as np
from hetedge_cases import make_hetedge
from uara.solvers.hetedge.kernel import Horizon, search, waited
from uara.solvers.hetedge.labels import Labels
from uara.solvers.hetedge.search import Choices, Programme

from uara.hetedge.instance import HetEdge
from uara.hetedge.timeline import alone, pair


def test_nothing_starts_before_the_next_prompt() -> None:
    release = np.array([[5.0], [9.0]])
    assert waited(3.0, 4.0, 1, release, 2.0) == (9.0, 11.0)
    assert waited(12.0, 30.0, 1, release, 2.0) == (12.0, 30.0)
    assert waited(3.0, 4.0, 2, release, 2.0) == (3.0, 4.0)


def searched(instance: HetEdge, room: int) -> tuple[Programme, Horizon, Labels, bool]:
    count = len(instance.requests)
    programme = Programme(instance, np.arange(count), Choices.everything(instance))
    release = np.sort(np.random.default_rng(count).uniform(0, 50, count))
    horizon = Horizon(
        release_ms=np.maximum.accumulate(
            np.array(
                [
                    [release[min(i + size, count - 1)] for size in range(_widest(programme))]
                    for i in range(count)
                ]
            ),
            axis=1,
        ),
        last_release_ms=np.append(np.full(count, release[-1]), 0.0),
        to_come_ms=np.zeros(count + 1),
        lead_ms=0.0,
        limit_ms=np.inf,
    )
    labels = Labels(
        times_ms=np.empty((count + 1, room, 3)),
        ways=np.empty((count + 1, room, 6), dtype=np.int64),
        counts=np.empty(count + 1, dtype=np.int64),
    )
    return programme, horizon, labels, search(programme._batches, horizon, labels)


def _widest(programme: Programme) -> int:
    return int(programme._batches.options.shape[1])


def test_every_label_obeys_the_recurrence() -> None:
    assert sum(checked_labels(make_hetedge(6, seed, longest_speculation=2)) for seed in range(6)) > 0


def checked_labels(instance: HetEdge) -> int:
    """Check every label against the one that it came from; how many came by two batches that alternate."""
    programme, horizon, labels, fits = searched(instance, 4096)
    assert fits
    options, paired = programme._batches.options, 0
    for j in range(1, 7):
        assert labels.counts[j] > 0
        for place in range(labels.counts[j]):
            i, index, size_a, option_a, size_b, option_b = labels.ways[j, place]
            p, q, before = labels.times_ms[i, index]
            a, middle = options[i, size_a - 1, option_a], i + size_a
            release_a = horizon.release_ms[i, size_a - 1]
            if size_b == 0:
                free, end = alone(p, q, release_a, a)
                cost = before + size_a * end
            else:
                b, release_b = options[middle, size_b - 1, option_b], horizon.release_ms[middle, size_b - 1]
                free, end, end_a, end_b = pair(p, q, release_a, release_b, a, b)
                cost = before + size_a * end_a + size_b * end_b
                paired += 1
            assert middle + size_b == j
            free, end = waited(free, end, j, horizon.release_ms, horizon.lead_ms)
            assert labels.times_ms[j, place].tolist() == [free, end, cost]
    return paired


def test_too_little_room_is_said() -> None:
    instances = [make_hetedge(8, seed, longest_speculation=4) for seed in range(6)]
    assert not all(searched(instance, 1)[-1] for instance in instances)
    assert all(searched(instance, 4096)[-1] for instance in instances)
