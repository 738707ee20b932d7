from __future__ import annotations

from itertools import pairwise

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from uara.psd.activity import Activity, busy_s, merged

SPANS = st.lists(st.tuples(st.integers(0, 40), st.integers(1, 9)), max_size=12)


@given(spans=SPANS)
def test_union_against_a_raster(spans: list[tuple[int, int]]) -> None:
    raster = np.zeros(60, dtype=bool)
    for start, length in spans:
        raster[start : start + length] = True
    activities = [Activity("device", "draft", float(start), float(start + length)) for start, length in spans]
    assert busy_s(activities) == raster.sum()
    union = merged(activities)
    assert all(first[1] < second[0] for first, second in pairwise(union))
