from __future__ import annotations

import numpy as np
import pytest

from uara.base.randomness import derived_seed, stream

RECORDED = [267, 498, 252, 563, 52]


def test_the_same_name_gives_the_same_numbers() -> None:
    one, two = stream(7, "tma", "abc", 0), stream(7, "tma", "abc", 0)
    assert one.random(100).tolist() == two.random(100).tolist()
    assert derived_seed(7, "tma") == derived_seed(7, "tma")


@pytest.mark.parametrize(
    ("one", "two"),
    [
        ((0, "a"), (1, "a")),
        ((0, "a"), (0, "b")),
        ((0, "a"), (0, "a", 0)),
        ((0, "a", 0), (0, "a", 1)),
        ((0, "ab"), (0, "a", "b")),
    ],
)
def test_another_seed_or_name_gives_other_numbers(
    one: tuple[int | str, ...], two: tuple[int | str, ...]
) -> None:
    assert stream(*one).random(8).tolist() != stream(*two).random(8).tolist()  # type: ignore[arg-type]
    assert derived_seed(*one) != derived_seed(*two)  # type: ignore[arg-type]


def test_numbers_are_those_of_every_version() -> None:
    # Recorded once: a change of these means that every seeded result changes.
    assert stream(1, "uara").integers(0, 1000, 5).tolist() == RECORDED
    assert isinstance(stream(1).bit_generator, np.random.PCG64)


def test_derived_seeds_fit_in_32_bits_and_differ() -> None:
    seeds = {derived_seed(0, "worker", index) for index in range(1000)}
    assert len(seeds) == 1000
    assert all(0 <= seed < 2**32 for seed in seeds)


def test_neighbouring_streams_are_uncorrelated() -> None:
    draws = np.array([stream(0, "run", index).standard_normal(2000) for index in range(20)])
    correlation = np.corrcoef(draws) - np.eye(20)
    assert np.abs(correlation).max() < 0.1  # 4.5 standard deviations of 2,000 draws


def test_drawing_more_from_one_stream_moves_no_other() -> None:
    before = stream(3, "b").random(3).tolist()
    stream(3, "a").random(1000)
    assert stream(3, "b").random(3).tolist() == before
