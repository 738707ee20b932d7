from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import pytest

from uara.base.intervals import RESAMPLES, bootstrap


def ratio(above: Any, below: Any, axis: int) -> Any:
    return above.sum(axis=axis) / below.sum(axis=axis)


def test_against_every_resample_of_three_units() -> None:
    """The exact bootstrap distribution has 27 equally likely samples; its ends are drawn often enough to be found."""
    values = np.array([1.0, 2.0, 6.0])
    means = np.sort([np.mean(each) for each in itertools.product(values, repeat=3)])
    low, high = bootstrap([values], np.mean, np.random.default_rng(3))
    assert means[0] == pytest.approx(low), "the least mean has probability 1/27 > 2.5 %"
    assert means[-1] == pytest.approx(high)


def test_what_belongs_to_a_unit_stays_together() -> None:
    """A ratio that is the same in every unit has no uncertainty, however different the units are."""
    below = np.arange(1.0, 20.0)
    assert bootstrap([2 * below, below], ratio, np.random.default_rng(0)) == pytest.approx((2.0, 2.0))


def test_against_a_resampling_of_its_own() -> None:
    rng = np.random.default_rng(1)
    above, below = rng.uniform(1, 2, 30), rng.uniform(3, 5, 30)
    picks = np.random.default_rng(7).integers(0, 30, (RESAMPLES, 30))
    expected = np.quantile(above[picks].sum(axis=1) / below[picks].sum(axis=1), [0.025, 0.975])
    found = bootstrap([above, below], ratio, np.random.default_rng(11))
    assert found == pytest.approx(expected, rel=0.01), "another seed, and the noise of 2,000 draws"


def test_a_single_unit_has_an_interval_of_no_width() -> None:
    assert bootstrap([[3.0]], np.mean, np.random.default_rng(0)) == (3.0, 3.0)
