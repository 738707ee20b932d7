"""``uara psd``: run parallel speculative decoding, and draw its figures."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

import typer

if TYPE_CHECKING:
    from uara.psd.models import LanguageModel
    from uara.psd.request import DecodingOptions

app = typer.Typer(help="Parallel speculative decoding: run it, draw its figures.")


def options_of(
    method: str, gamma: int, max_new_tokens: int, temperature: float, rule: str, seed: int
) -> DecodingOptions:
    """Checked decoding options from what was typed."""
    from uara.psd.request import DecodingOptions

    typed = cast(Any, method), gamma, max_new_tokens, temperature
    return DecodingOptions(*typed, rule=cast(Any, rule), seed=seed)


def load_pair(
    draft: str, target: str, draft_device: str, target_device: str, threads: int
) -> tuple[LanguageModel, LanguageModel]:
    """Both models, each on its device."""
    from uara.psd.models import load_model, set_threads

    set_threads(threads)
    return load_model(draft, draft_device), load_model(target, target_device)


@app.callback()
def _group() -> None:
    """Parallel speculative decoding: run it, draw its figures."""
