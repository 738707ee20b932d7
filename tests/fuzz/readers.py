"""Every reader of the toolkit: how to write what it reads, how to damage it, and how to read and use it."""

from __future__ import annotations

import traceback
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from random import Random

import malformed
from fuzz import damage
from fuzz.instances import (
    hetedge_plain,
    make_best_known,
    make_plan_file,
    make_trace,
    solved,
    text_file,
    use,
    use_as_start,
    use_best_known,
    use_plan,
    use_prices,
    use_solution,
    use_trace,
    with_side_file,
)
from fuzz.learned import (
    make_checkpoint,
    make_policy,
    make_pool,
    profile,
    prompts_text,
    training,
    use_checkpoint,
    use_policy,
    use_pool,
    use_profile,
    use_profile_figures,
    use_prompts,
    use_training,
)
from fuzz.suites import (
    COLLECTION,
    RECIPE,
    SUITE,
    make_part,
    make_results,
    use_collection,
    use_part,
    use_recipe,
    use_report,
    use_results,
    use_suite,
)
from fuzz.words import make_words, run_words

from uara.base.errors import UaraError, one_line


@dataclass(frozen=True)
class Reader:
    """``make`` writes valid artefacts into a folder and returns what damages them; ``read`` reads and uses them."""

    name: str
    make: Callable[[Path], Callable[[Random], None]]
    read: Callable[[Path], object]


READERS = [
    Reader("instance", text_file("case.json", malformed.valid, damage.as_json), use),
    Reader("sparse instance", text_file("case.json", malformed.sparse, damage.as_json), use),
    Reader("side file", lambda folder: with_side_file(malformed.valid(), "channel", "power_gain", folder), use),
    Reader("sparse side file", lambda folder: with_side_file(malformed.sparse(), "channel", "", folder, True), use),
    Reader("devices in a side file", lambda at: with_side_file(malformed.valid(), "devices", "", at, True), use),
    Reader("hetedge instance", text_file("case.json", hetedge_plain, damage.as_json), use),
    Reader("hetedge side file", lambda folder: with_side_file(hetedge_plain(), "requests", "", folder, True), use),
    Reader("solution, prices", text_file("case.json", lambda: solved("price"), damage.as_json), use_solution),
    Reader("solution, branches", text_file("case.json", lambda: solved("branch"), damage.as_json), use_solution),
    Reader("start", text_file("case.json", lambda: solved("price"), damage.as_json), use_as_start),
    Reader("hetedge plan", make_plan_file, use_plan),
    Reader("option prices", text_file("case.json", lambda: solved("branch"), damage.as_json), use_prices),
    Reader("best known", make_best_known, use_best_known),
    Reader("trace", make_trace, use_trace),
    Reader("collection", text_file("case.toml", lambda: COLLECTION, damage.as_toml), use_collection),
    Reader("recipe", text_file("case.json", lambda: RECIPE, damage.as_json), use_recipe),
    Reader("suite", text_file("case.toml", lambda: SUITE, damage.as_toml), use_suite),
    Reader("results", make_results, use_results),
    Reader("report", make_results, use_report),
    Reader("part of a store", make_part, use_part),
    Reader("pool", make_pool, use_pool),
    Reader("policy", make_policy, use_policy),
    Reader("checkpoint", make_checkpoint, use_checkpoint),
    Reader("training", text_file("case.toml", training, damage.as_toml), use_training),
    Reader("task profile", text_file("case.json", profile, damage.as_json), use_profile),
    Reader("task summary", text_file("case.json", profile, damage.as_json), use_profile_figures),
    Reader("prompts", text_file("case.jsonl", lambda: [{"task": "a", "prompt": "b"}] * 3, prompts_text), use_prompts),
    Reader("command line", make_words, run_words),
]  # fmt: skip


def outcome(reader: Reader, folder: Path) -> str:
    """How reading ends: ``read``, ``refused``, or what got out, which is a fault."""
    try:
        reader.read(folder)
    except UaraError as error:
        line = one_line(error)
        return "refused" if line.isprintable() else f"unprintable: {line!r:.100}"
    except (Exception, SystemExit) as error:
        place = traceback.extract_tb(error.__traceback__)
        ours = [each for each in place if "/uara/" in each.filename or "/solvers/" in each.filename]
        last = ours[-1] if ours else place[-1]
        return (
            f"{type(error).__name__} in {Path(last.filename).name}:{last.lineno} {last.name}: {error!s:.80}"
        )
    return "read"
