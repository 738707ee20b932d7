"""The sections of the report, in their order. A new one is a function in this list and a template in ``sections/``."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from uara.bench.report.data import data, failures, machines
from uara.bench.report.gaps import gaps
from uara.bench.report.instances import instances
from uara.bench.report.paper import paper
from uara.bench.report.payback import payback
from uara.bench.report.profiles import anytime, profiles
from uara.bench.report.ranking import ranking
from uara.bench.report.section import Facts, Section

SECTIONS: tuple[Callable[[Facts], Section | None], ...] = (
    *(ranking, profiles, anytime, gaps, paper, payback, instances, failures, machines, data),
)
"""Each makes its section of the facts, or none where there is nothing to say."""
DRAWN = (profiles, anytime, gaps, paper)
"""Those with pictures."""


def sections(facts: Facts, wanted: Sequence[Callable[[Facts], Section | None]] = SECTIONS) -> list[Section]:
    """The sections that have something to say."""
    return [found for make in wanted if (found := make(facts)) is not None]
