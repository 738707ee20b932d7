"""A profile's figures as a table for people."""

from __future__ import annotations

from typing import TYPE_CHECKING

from uara.psd.records import Estimate

if TYPE_CHECKING:
    from rich.table import Table

    from uara.psd.profile import TaskProfile


def _shown(estimate: Estimate, scale: float = 1.0, digits: int = 1) -> str:
    value, low, high = (each / scale for each in (estimate.value, estimate.low, estimate.high))
    return f"{value:.{digits}f}\n{low:.{digits}f}-{high:.{digits}f}"


def summary_table(profile: TaskProfile) -> Table:
    """Means of each task with their 95 % intervals."""
    from rich.box import SIMPLE_HEAD
    from rich.table import Table

    decoding = profile.decoding
    table = Table(
        box=SIMPLE_HEAD,
        padding=(0, 1, 0, 0),
        title_justify="left",
        title=f"{profile.name}: {profile.draft.name} drafting for {profile.target.name}, {decoding.method}, "
        f"gamma {decoding.gamma}, temperature {decoding.temperature:g} "
        f"(acceptance {profile.provenance.acceptance}; mean, 95 % interval)",
    )
    table.add_column("task")
    counts = ("prompts", "acceptance", "tokens\na round", "prompt\ntokens", "new\ntokens")
    for heading in (*counts, "upload\nkbit", "device\nGFLOP", "server\nGFLOP"):
        table.add_column(heading, justify="right", no_wrap=True)
    payload = profile.payload
    for task, summary in profile.summary.items():
        table.add_row(
            task,
            str(summary.prompts),
            _shown(summary.acceptance_rate, digits=3),
            _shown(summary.tokens_per_round, digits=2),
            _shown(summary.prompt_tokens, digits=0),
            _shown(summary.new_tokens, digits=0),
            _shown(summary.upload_bits[payload], 1e3),
            _shown(summary.device_flop, 1e9),
            _shown(summary.server_flop, 1e9),
        )
    return table
