"""Requests as they arrived: times and lengths of a recorded trace, and bursts drawn from it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from uara.base import files
from uara.base.errors import InputError
from uara.base.quantities import Floats, Indices
from uara.scenarios.sheet import Sheet

OWN = ("arrival_s", "prompt_tokens", "new_tokens")
"""Columns of an arrival trace."""
AZURE = ("TIMESTAMP", "ContextTokens", "GeneratedTokens")
"""The same columns in the Azure LLM inference traces (Patel et al., Splitwise, ISCA 2024)."""
AZURE_CREDIT = (
    "Azure LLM inference trace, Azure Public Dataset, CC-BY-4.0 (P. Patel et al., Splitwise, ISCA 2024)"
)
_MOST_TOKENS = 10_000_000
_LATEST_S = 1e12


@dataclass(frozen=True, eq=False)
class Arrivals:
    """Requests in the order of their arrival.

    Attributes
    ----------
    arrival_s : (N,)
        Seconds since the first request; never falls.
    prompt_tokens, new_tokens : (N,)
        Lengths of prompts and answers, at least 1.
    source
        Name of the file.
    sha256
        Hash of the file.
    credit
        Whom the data must be credited to, where its columns tell.
    """

    arrival_s: Floats
    prompt_tokens: Indices
    new_tokens: Indices
    source: str
    sha256: str
    credit: str = ""

    def __len__(self) -> int:
        """Number of requests N."""
        return len(self.arrival_s)

    @property
    def rate_per_s(self) -> float:
        """Mean number of requests a second; infinite where all came at once."""
        span_s = float(self.arrival_s[-1] - self.arrival_s[0])
        return (len(self) - 1) / span_s if span_s > 0 else float("inf")

    def part(self, first: int, last: int) -> Arrivals:
        """The requests from ``first`` to before ``last``; times count from the first of them."""
        part = slice(first, last)
        return replace(
            self,
            arrival_s=self.arrival_s[part] - self.arrival_s[min(first, len(self) - 1)],
            prompt_tokens=self.prompt_tokens[part],
            new_tokens=self.new_tokens[part],
        )

    def place(self, count: int, generator: np.random.Generator) -> int:
        """The first of so many requests that came one after another, from a place drawn at random.

        Raises
        ------
        InputError
            If the trace holds fewer.
        """
        if not 1 <= count <= len(self):
            raise InputError(f"holds {len(self)} requests, and {count} are wanted", source=self.source)
        return int(generator.integers(len(self) - count + 1))

    def burst(self, count: int, generator: np.random.Generator) -> Arrivals:
        """Requests that came one after another, from a place drawn at random; times count from the first of them.

        Their lengths and gaps depend on each other as in the trace.

        Parameters
        ----------
        count
            How many, at least 1.

        Raises
        ------
        InputError
            If the trace holds fewer.
        """
        first = self.place(count, generator)
        return self.part(first, first + count)


def read_arrivals(path: str | Path) -> Arrivals:
    """Read an arrival trace: a CSV file with columns ``arrival_s, prompt_tokens, new_tokens``, or Azure's names.

    Rows may come in any order; requests of one time keep theirs. Times of Azure's traces are dates, with or
    without a zone, and are read to the microsecond.

    Raises
    ------
    InputError
        Names row and column of what cannot be read.
    """
    sheet = Sheet.of_file("arrivals", path)
    names = AZURE if "TIMESTAMP" in sheet.columns else OWN
    sheet.need(names, f"; an arrival trace has {', '.join(OWN)}, or {', '.join(AZURE)}")
    sheet.refuse_others(list(names))
    if names is AZURE:
        time_s = _seconds(sheet, names[0])
    else:
        problem = f"must be within {_LATEST_S:g} s of 0"
        time_s = sheet.numbers_that(names[0], lambda values: np.abs(values) <= _LATEST_S, problem)
    order = np.argsort(time_s, kind="stable")
    return Arrivals(
        time_s[order] - time_s[order[0]],
        _tokens(sheet, names[1])[order],
        _tokens(sheet, names[2])[order],
        Path(path).name,
        files.sha256(files.read_bytes(Path(path))),
        AZURE_CREDIT if names is AZURE else "",
    )


def _seconds(sheet: Sheet, column: str) -> Floats:
    """(N,) Seconds since the date of the first row."""
    seconds: list[float] = []
    origin: datetime | None = None
    for row, text in enumerate(sheet.texts(column, 0)):
        try:
            moment = datetime.fromisoformat(text.strip())
        except ValueError:
            problem = f"{text!r} is no date and time such as 2023-11-16 18:15:46.68059"
            raise sheet.error(problem, column, row) from None
        origin = origin or moment
        if (moment.tzinfo is None) != (origin.tzinfo is None):
            raise sheet.error("some times have a zone and some have none", column, row)
        seconds.append((moment - origin).total_seconds())
    return np.array(seconds)


def _tokens(sheet: Sheet, column: str) -> Indices:
    """(N,) Whole numbers of tokens."""

    def fit(values: Floats) -> NDArray[np.bool_]:
        return np.asarray((values >= 1) & (values <= _MOST_TOKENS) & (values == np.floor(values)))

    return sheet.numbers_that(column, fit, "{value} is no number of tokens from 1").astype(np.int64)
