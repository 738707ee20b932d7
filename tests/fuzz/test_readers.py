"""No reader ends in anything but what it read or the one typed error, whatever happened to its file."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from pathlib import Path
from random import Random

import pytest
from fuzz.readers import READERS, Reader, outcome
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

pytestmark = pytest.mark.filterwarnings("ignore")

SLOW_TO_USE = {"report": 10}
"""Whatever draws a page takes a second: so many times fewer cases. The reader below it has all of them."""
QUICK = [each for each in READERS if each.name not in ("results", "report", "part of a store")]
"""Readers whose files are made at once: the others need a run of a suite."""


def fuzz(reader: Reader, folder: Path, cases: int) -> Counter[str]:
    """How often reading ended in which way; fails at the first fault, with the seed of its damage."""
    damage: Callable[[Random], None] = reader.make(folder)
    assert outcome(reader, folder) == "read"
    seen: Counter[str] = Counter()

    @settings(
        max_examples=cases,
        deadline=None,
        database=None,
        derandomize=True,
        phases=(Phase.generate,),
        suppress_health_check=list(HealthCheck),
    )
    @given(st.integers(0, 2**32 - 1))
    def damaged(seed: int) -> None:
        damage(Random(seed))
        ended = outcome(reader, folder)
        seen[ended] += 1
        assert ended in ("read", "refused"), f"damage of seed {seed}"

    damaged()
    return seen


@pytest.mark.integration
@pytest.mark.parametrize("reader", QUICK, ids=lambda reader: reader.name)
def test_a_few_damaged_files_are_read_or_refused(reader: Reader, tmp_path: Path) -> None:
    seen = fuzz(reader, tmp_path, 50)
    assert seen["refused"] or reader.name == "command line"


@pytest.mark.slow
@pytest.mark.parametrize("reader", READERS, ids=lambda reader: reader.name)
def test_thousands_of_damaged_files_are_read_or_refused(reader: Reader, tmp_path: Path) -> None:
    cases = 2000 // SLOW_TO_USE.get(reader.name, 1)
    seen = fuzz(reader, tmp_path, cases)
    assert seen.total() >= cases
