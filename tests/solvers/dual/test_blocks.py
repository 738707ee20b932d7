"""Blocks of devices, a thread each, against one pass over all."""

from __future__ import annotations

from contextlib import closing

import numpy as np
import pytest
from cases import make_instance
from hypothesis import given, settings
from hypothesis import strategies as st
from uara.solvers.dual.ascent import first_prices
from uara.solvers.dual.blocks import Blocks, part_of
from uara.solvers.dual.newton_cg import climb

from uara.p1.coefficients import coefficients


@settings(max_examples=15, deadline=None)
@given(st.integers(0, 2**32 - 1), st.sampled_from([1.0, 50.0, 2000.0]), st.integers(2, 40))
def test_blocks_say_together_what_one_pass_says(seed: int, payload: float, threads: int) -> None:
    rng = np.random.default_rng(seed)
    numbers = coefficients(
        make_instance(int(rng.integers(1, 30)), int(rng.integers(1, 5)), seed, payload=payload)
    )
    prices, along = 10 ** rng.uniform(-1, 2, 2 * numbers.servers), rng.standard_normal((numbers.servers, 2))
    temperature, products = 20.0, np.zeros((2, numbers.servers, 2))
    with closing(Blocks(numbers)) as whole, closing(Blocks(numbers, threads)) as parts:
        for _ in range(2):  # a second pass starts from sums of the first
            one, several = whole.at(prices, temperature), parts.at(prices, temperature)
            prices = prices * 1.1
        size = max(1.0, *map(abs, one))
        assert several == pytest.approx(one, abs=1e-9 * size)
        assert (parts.choice == whole.choice).all()
        for name in ("gradient", "block", "own"):
            expected = getattr(whole, name)
            assert getattr(parts, name) == pytest.approx(expected, abs=1e-9 * (1 + np.abs(expected).max()))
        for blocks, product in zip((whole, parts), products, strict=True):
            blocks.bent(temperature, along, product)
    assert products[1] == pytest.approx(products[0], abs=1e-9 * (1 + np.abs(products).max()))


def test_a_climb_in_threads_ends_as_high() -> None:
    numbers = coefficients(make_instance(120, 8, 3, payload=50.0))
    one, two = (climb(numbers, first_prices(numbers), threads=count) for count in (1, 2))
    assert two.finished
    assert two.value_ms == pytest.approx(one.value_ms, rel=1e-4)


def test_parts_are_devices_and_their_candidates() -> None:
    numbers = coefficients(make_instance(9, 3, 0))
    part = part_of(numbers, 4, 9)
    assert part.devices == 5
    assert part.device.tolist() == (numbers.device[numbers.start[4] :] - 4).tolist()
    assert part.uplink_ms.tolist() == numbers.uplink_ms[numbers.start[4] :].tolist()
    assert part_of(numbers, 0, 9) is numbers
