"""Rounding to significant digits: the double that the text would be read as, for every value."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from uara.base.digits import rounded


@given(st.lists(st.floats(allow_nan=False), max_size=20), st.integers(1, 9))
def test_it_is_what_the_text_reads_as(values: list[float], digits: int) -> None:
    assert rounded(np.array(values), digits).tolist() == [float(f"{each:.{digits}g}") for each in values]


def test_ties_powers_of_ten_and_many_gains() -> None:
    rng = np.random.default_rng(1)
    edges = [*(10.0 ** np.arange(-30, 30)), 0.5, 1.00000005, 99999995e-10, 1e-310, np.inf, -0.0]
    values = np.concatenate([edges, 10 ** rng.uniform(-40, 30, 5000), rng.integers(0, 10**9, 5000) / 2])
    assert rounded(values, 7).tolist() == [float(f"{each:.7g}") for each in values]


def test_it_keeps_the_shape() -> None:
    assert rounded(np.ones((2, 3))).shape == (2, 3)
