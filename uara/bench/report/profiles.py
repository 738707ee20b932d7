"""Performance profiles, and the mean gap against time."""

from __future__ import annotations

from uara.bench.report import curves
from uara.bench.report.section import Facts, Section


def profiles(facts: Facts) -> Section:
    """How many instances each solver solves within a factor of the best."""
    found, places = curves.profiles(facts.runs), dict(facts.places)
    quality, time = (curves.profile_drawing(what, found[what], places) for what in ("quality", "time"))
    values = {"quality": quality, "time": time, "target": curves.TARGET_WORDS}
    return Section("profiles", "Performance profiles", "Profiles", values, [quality, time])


def anytime(facts: Facts) -> Section:
    """How fast gaps fall."""
    drawing = curves.mean_gap_drawing(facts)
    return Section("anytime", "Anytime behaviour", "Anytime", {"drawing": drawing}, [drawing])
