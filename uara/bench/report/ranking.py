"""The ranking over all instances and over each group, and the tests behind it."""

from __future__ import annotations

from uara.bench.ranking import duels
from uara.bench.report.section import Facts, Section
from uara.bench.results import by_group
from uara.bench.standings import pairs, standings


def ranking(facts: Facts) -> Section:
    """Who is best, and whether that is certain."""
    groups = by_group(facts.results, facts.runs)
    tests = duels(facts.runs)
    values = {
        "ranking": standings(facts.runs, "all instances", tests),
        "groups": [standings(own, group) for group, own in groups.items()],
        "pairs": pairs(tests),
    }
    return Section("ranking", "Ranking", "Ranking", values)
