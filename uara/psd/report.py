"""A profile's figures as a table for people."""

from __future__ import annotations

from typing import TYPE_CHECKING

from uara.base.cells import Cell, Column, Table, number, words
from uara.psd.records import Estimate

if TYPE_CHECKING:
    from uara.psd.profile import TaskProfile


def _shown(estimate: Estimate, scale: float = 1.0, digits: int = 1) -> Cell:
    value, low, high = (each / scale for each in (estimate.value, estimate.low, estimate.high))
    return Cell(f"{value:.{digits}f} ({low:.{digits}f}-{high:.{digits}f})", value)


def summary_table(profile: TaskProfile) -> Table:
    """Means of each task with their 95 % intervals."""
    decoding, payload = profile.decoding, profile.payload
    heads = [
        Column("task", numeric=False),
        Column("prompts", place=4),
        Column("acceptance"),
        Column("tokens a round", place=1),
        Column("prompt tokens", place=3),
        Column("new tokens", place=3),
        Column("upload kbit", place=2),
        Column("device GFLOP", place=2),
        Column("server GFLOP", place=2),
    ]
    rows = [
        [
            words(task),
            number(0)(summary.prompts),
            _shown(summary.acceptance_rate, digits=3),
            _shown(summary.tokens_per_round, digits=2),
            _shown(summary.prompt_tokens, digits=0),
            _shown(summary.new_tokens, digits=0),
            _shown(summary.upload_bits[payload], 1e3),
            _shown(summary.device_flop, 1e9),
            _shown(summary.server_flop, 1e9),
        ]
        for task, summary in profile.summary.items()
    ]
    title = (
        f"{profile.name}: {profile.draft.name} drafting for {profile.target.name}, {decoding.method}, "
        f"gamma {decoding.gamma}, temperature {decoding.temperature:g} "
        f"(acceptance {profile.provenance.acceptance}; mean, 95 % interval)"
    )
    return Table(heads, rows, title)
