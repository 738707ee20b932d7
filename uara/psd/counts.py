"""Task profiles of recorded runs of which only counts are left: tokens gained in each verification round."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from uara.base import files, sheets
from uara.base.errors import InputError
from uara.psd.profile import SCHEMA_VERSION, TaskProfile
from uara.psd.records import Decoding, ModelRecord, PromptRecord, Provenance, sizes_of
from uara.psd.statistics import summarise

COLUMNS = ("dataset", "question_id", "category", "turn", "tokens_per_round")
"""Columns that are needed; others are left alone."""
FIRST_DRAFT, LONGER, SHORTER = 5, 2, 1
"""Assisted generation of transformers, schedule ``heuristic_transient``: a run begins with 5 draft tokens; 2 more
after a block that was accepted whole, 1 less (but not below 1) after another."""
_DIGITS = 3
_COUNT = re.compile("[1-9][0-9]{0,6}")


@dataclass(frozen=True)
class Run:
    """One turn's rounds.

    Attributes
    ----------
    prompt
        Name of the prompt and turn, unique in its file.
    question
        What the turns of one conversation share.
    tokens
        (n,) Tokens gained in each round: accepted drafts and one of the target's own.
    """

    task: str
    prompt: str
    question: tuple[str, str]
    tokens: tuple[int, ...]

    def drafted(self) -> list[int]:
        """(n,) Draft length of each round, by the schedule.

        Raises
        ------
        InputError
            If a round gained more than its draft allows: the run was of another schedule.
        """
        length, found = FIRST_DRAFT, []
        for number, gained in enumerate(self.tokens):
            if gained - 1 > length:
                problem = f"round {number} accepted {gained - 1} tokens, but the schedule drafted {length}"
                raise InputError(problem, path=self.prompt)
            found.append(length)
            length = length + LONGER if gained - 1 == length else max(1, length - SHORTER)
        return found


def read_counts(path: Path, dataset: str | None = None) -> list[Run]:
    """Read the runs of a CSV file, of one data set or of all.

    Raises
    ------
    InputError
        Names row and column of what cannot be read.
    """
    names, rows = sheets.read(path)
    for column in COLUMNS:
        if column not in names:
            raise InputError("is missing", source=str(path), path=f"column {column}")
    runs: list[Run] = []
    seen: set[str] = set()
    for number, cells in enumerate(rows, start=2):
        row = dict(zip(names, cells, strict=True))
        if dataset not in (None, row["dataset"]):
            continue
        prompt = "/".join(row[key] for key in ("dataset", "question_id", "turn"))
        where = f"row {number}, column"
        if prompt in seen:
            raise InputError(f"a second run of {prompt}", source=str(path), path=f"{where} question_id")
        seen.add(prompt)
        words = row["tokens_per_round"].split()
        if not words or not all(_COUNT.fullmatch(word) and int(word) <= 10**6 for word in words):
            problem = "must hold the tokens of each round, whole numbers from 1 between spaces"
            raise InputError(problem, source=str(path), path=f"{where} tokens_per_round")
        question = row["dataset"], row["question_id"]
        runs.append(Run(row["category"], prompt, question, tuple(map(int, words))))
    if not runs:
        raise InputError(f"holds no run of {dataset or 'anything'}", source=str(path))
    return runs


def continued(runs: Iterable[Run]) -> list[float]:
    """Chance that a run of accepted drafts goes on, by its length: 1 minus the Kaplan-Meier hazard.

    A round that accepted its whole draft says nothing of the next token (E. Kaplan and P. Meier, J. Amer. Statist.
    Assoc. 53, 1958): at each length, only rounds count in which one more token was drafted.

    Returns
    -------
    list of float
        (n,) By the number of tokens accepted before, as far as any round drafted further.
    """
    tried: dict[int, int] = defaultdict(int)
    held: dict[int, int] = defaultdict(int)
    for run in runs:
        for gained, length in zip(run.tokens, run.drafted(), strict=True):
            for before in range(min(gained, length)):
                tried[before] += 1
                held[before] += before < gained - 1
    return [held[before] / tried[before] for before in range(max(tried) + 1)]


def acceptance_of(run: Run, chances: Sequence[float]) -> list[float]:
    """For each generated token, the probability that a draft of it is accepted.

    Accepted drafts have 1, rejected ones 0. Behind a block that was accepted whole the target gave a token that
    nobody had drafted: it has the chance that a run of that length goes on (the last that is known, where longer).
    """
    found: list[float] = []
    for gained, length in zip(run.tokens, run.drafted(), strict=True):
        chance = chances[min(gained - 1, len(chances) - 1)] if gained - 1 == length else 0.0
        found += [1.0] * (gained - 1) + [round(chance, _DIGITS)]
    return found


@dataclass(frozen=True)
class Source:
    """What the counts do not say.

    Attributes
    ----------
    name
        Name of the profile.
    draft, target
        Names of known architectures.
    gamma
        Draft length that tasks are drawn with; the runs' own was adapted.
    prompt_tokens
        Length that every prompt is assumed to have; a later turn's has the earlier answers on top, which are counted.
    credit
        Where the counts come from, and their licence.
    """

    name: str
    draft: str
    target: str
    gamma: int = 5
    prompt_tokens: int = 128
    credit: str = ""


def profile_of_counts(
    path: Path, source: Source, *, dataset: str | None = None, most: int = 0
) -> TaskProfile:
    """The profile of recorded counts: acceptance measured, prompt lengths assumed, operations exact for the pair.

    Parameters
    ----------
    most
        Keep only this many runs of each category, evenly spaced; 0 keeps all. Chances are those of all.

    Raises
    ------
    InputError
        For a file that cannot be read, runs of another schedule, or answers that do not fit the context.
    """
    runs = read_counts(path, dataset)
    by_task: dict[str, list[Run]] = defaultdict(list)
    for run in runs:
        by_task[run.task].append(run)
    pair = [sizes_of(each) for each in (source.draft, source.target)]
    room = min(each.architecture.context_tokens for each in pair)
    said: dict[tuple[str, str], int] = defaultdict(int)
    records: dict[str, PromptRecord] = {}
    for task, each in by_task.items():
        chances = continued(each)
        for run in each:
            acceptance = acceptance_of(run, chances)
            prompt_tokens = source.prompt_tokens + said[run.question]
            said[run.question] += len(acceptance)
            if prompt_tokens + len(acceptance) > room:
                acceptance = acceptance[: max(1, room - prompt_tokens)]
            if prompt_tokens < room:
                records[run.prompt] = PromptRecord(
                    task=task, prompt=run.prompt, prompt_tokens=prompt_tokens, acceptance=acceptance
                )
    kept = [record for task in by_task for record in _spaced(task, records.values(), most)]
    if not kept:
        raise InputError(
            f"leaves no room in a context of {room} tokens", source=f"prompt of {source.prompt_tokens}"
        )
    decoding = Decoding(
        method="psd",
        gamma=source.gamma,
        temperature=0.0,
        rule="residual",
        max_new_tokens=max(len(record.acceptance) for record in kept),
        seed=0,
    )
    counted = f"{path.name}, SHA-256 {files.sha256(files.read_bytes(path))}"
    return TaskProfile(
        schema_version=SCHEMA_VERSION,
        name=source.name,
        draft=pair[0],
        target=pair[1],
        decoding=decoding,
        provenance=Provenance(
            acceptance="measured",
            note=_note(runs, kept, source, pair),
            sources=[counted, *([source.credit] if source.credit else [])],
        ),
        records=kept,
        summary=summarise(kept, decoding, *pair),
    )


def _spaced(task: str, records: Iterable[PromptRecord], most: int) -> list[PromptRecord]:
    found = [record for record in records if record.task == task]
    count = min(most or len(found), len(found))
    return [found[(2 * number + 1) * len(found) // (2 * count)] for number in range(count)]


def _note(runs: list[Run], kept: list[PromptRecord], source: Source, pair: list[ModelRecord]) -> str:
    rounds = sum(len(run.tokens) for run in runs)
    whole = sum(
        gained - 1 == length for run in runs for gained, length in zip(run.tokens, run.drafted(), strict=True)
    )
    return (
        f"greedy decoding of {pair[1].name} with {pair[0].name} drafting: {len(kept)} of {len(runs)} recorded runs. "
        f"Acceptance is measured, from the tokens of {rounds} rounds; the generator adapted its draft length "
        f"({FIRST_DRAFT} tokens first, {LONGER} more after a whole block, {SHORTER} less after another), which "
        f"the counts of every round fit. {whole} rounds accepted their whole draft: the token behind it was never "
        "drafted, and has the chance that a run of that length goes on in its category, by Kaplan and Meier. "
        f"Prompt lengths are not in the data: {source.prompt_tokens} tokens are assumed, and the earlier answers of "
        "a conversation on top; operations are exact for these lengths."
    )
