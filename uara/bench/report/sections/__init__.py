"""The sections of the report, in their order. A new one is a function here and a template beside it."""

from __future__ import annotations

from collections.abc import Callable

from uara.bench.report.section import Facts, Section
from uara.bench.report.sections.curves import anytime, profiles
from uara.bench.report.sections.data import data, failures, machines
from uara.bench.report.sections.gaps import gaps
from uara.bench.report.sections.instances import instances
from uara.bench.report.sections.paper import paper
from uara.bench.report.sections.payback import payback
from uara.bench.report.sections.ranking import ranking

SECTIONS: tuple[Callable[[Facts], Section | None], ...] = (
    *(ranking, profiles, anytime, gaps, paper, payback, instances, failures, machines, data),
)
"""Each makes its section of the facts, or none where there is nothing to say."""


def sections(facts: Facts) -> list[Section]:
    """The sections that have something to say."""
    return [found for make in SECTIONS if (found := make(facts)) is not None]
