from __future__ import annotations

import numpy as np
import pytest
from hetedge_cases import make_hetedge
from hypothesis import given, settings
from hypothesis import strategies as st
from uara.solvers.hetedge.search import Choices, candidates
from uara.solvers.hetedge.service import fill_row, service_of

from uara.hetedge.timeline import FIELDS


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 100_000), st.integers(1, 12), st.booleans())
def test_rows_are_those_of_the_programme(seed: int, count: int, drafts: bool) -> None:
    """Any batch has the times, rounds and memory that the programme's table of batches holds."""
    rng = np.random.default_rng(seed)
    instance = make_hetedge(count, seed, drafts=drafts)
    order = rng.permutation(count)
    lengths = (0, 1, 2, 3)
    one = np.ones(count, dtype=np.int64)
    wanted = candidates(
        instance, order, Choices(lengths, one, one * min(count, instance.parameters.largest_batch))
    )
    service = service_of(
        instance, lengths, pairs=True, release_ms=np.zeros(count), airtime_ms=np.zeros(count)
    )
    row = np.empty(len(FIELDS))
    for start in range(count):
        for size in range(1, min(wanted.options.shape[1], count - start) + 1):
            for option in range(int(wanted.count[start, size - 1])):
                length = int(wanted.length[start, size - 1, option])
                fill_row(service, order[start : start + size].copy(), size, lengths.index(length), row)
                assert row == pytest.approx(wanted.options[start, size - 1, option], rel=1e-12)
