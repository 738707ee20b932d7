"""A decoding run on a terminal: accepted, refused and target's own tokens in colour, as they come."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from rich.console import Console
from rich.text import Text

from uara.base.cells import Column, Table, number, words
from uara.base.errors import InputError
from uara.psd.flops import GPT2, GPT2_XL, Architecture, architecture
from uara.psd.payload import Payload
from uara.psd.replay import replay
from uara.psd.request import Decoded, RoundEvent
from uara.psd.timeline import Timeline, simulate
from uara.psd.trace import METHODS, DecodingTrace

if TYPE_CHECKING:
    from uara.psd.hardware import Speeds

STYLES = {"accepted": "green", "rejected": "red strike", "own": "bold yellow", "discarded": "dim strike"}
LEGEND = {
    "accepted": "drafted and accepted",
    "rejected": "refused",
    "discarded": "drafted behind a refused token",
    "own": "the target's own",
}

BIAS = (
    "rule target does not preserve the target's distribution when sampling: what the draft favours keeps a part of "
    "its excess; rule residual samples exactly"
)


def legend() -> Text:
    """What the colours mean."""
    return Text("  ").join(Text(meaning, style=STYLES[kind]) for kind, meaning in LEGEND.items())


class Stream:
    """Prints the text round by round. In a pipe, only what is kept."""

    def __init__(self, console: Console, tokenizer: Any) -> None:
        self.console = console
        self.tokenizer = tokenizer
        self._tokens: list[int] = []
        self._shown = ""

    def show(self, event: RoundEvent) -> None:
        """Print a round: kept tokens, then what was refused and lost, then the target's correction."""
        self._print(self._grown(event.accepted), "accepted")
        if self.console.is_terminal and event.rejected is not None:
            self._print(self.tokenizer.decode([event.rejected]), "rejected")
            self._print(self.tokenizer.decode(event.discarded), "discarded")
        if event.own is not None:
            self._print(self._grown([event.own]), "own")

    def _grown(self, tokens: list[int]) -> str:
        """The text that these tokens add; bytes of an unfinished character wait for the rest."""
        self._tokens += tokens
        text: str = self.tokenizer.decode(self._tokens, skip_special_tokens=True)
        while text.endswith("\ufffd"):
            text = text[:-1]
        added = text[len(self._shown) :]
        self._shown = text if len(text) > len(self._shown) else self._shown
        return added

    def _print(self, text: str, kind: str) -> None:
        if text:
            self.console.print(Text(text, style=STYLES[kind]), end="", soft_wrap=True)


def acceptance_of(trace: DecodingTrace) -> list[int]:
    """Verdict of each output token of a PSD run: 1 where the draft was accepted, 0 where the target corrected it."""
    verdicts: list[int] = []
    for each in trace.rounds:
        verdicts += [1] * each.accepted + [0] * (each.appended - each.accepted)
    return verdicts


def timelines(
    decoded: Decoded,
    pair: tuple[Architecture, Architecture],
    speeds: Speeds,
    payload: Payload,
    max_new_tokens: int,
) -> dict[str, Timeline]:
    """The run on the given hardware and links; after a PSD run, the other methods beside it."""
    done = decoded.trace
    traces = {done.method: done}
    if done.method == "psd":
        verdicts = acceptance_of(done)
        for method in METHODS[:-1]:
            traces[method] = replay(
                verdicts, method, done.gamma, done.prompt_tokens, max_new_tokens=max_new_tokens
            )
    return {each: simulate(traces[each], *pair, speeds, payload) for each in METHODS if each in traces}


def timed_pair(
    draft: Architecture, target: Architecture, timed_as: str | None
) -> tuple[Architecture, Architecture]:
    """The sizes that durations are computed for.

    Parameters
    ----------
    timed_as
        ``own``, or two architectures' names with a comma. Left out: the pair's own sizes; but a rounded copy of the
        target is as large as the target, which says nothing about a phone and a server, and so stands for GPT-2
        drafting for GPT-2-XL.

    Raises
    ------
    InputError
        If ``timed_as`` is neither.
    """
    if timed_as is None:
        return (GPT2, GPT2_XL) if draft.parameters == target.parameters else (draft, target)
    if timed_as == "own":
        return draft, target
    names = timed_as.split(",")
    if len(names) != 2:
        raise InputError(f"timed as must be own or two names with a comma, not {timed_as!r}")
    return architecture(names[0]), architecture(names[1])


def split_table(lines: dict[str, Timeline], title: str) -> Table:
    """Completion time of each method and its parts, in milliseconds."""
    heads = [
        Column("method", numeric=False),
        Column("total ms"),
        Column("mobile ms", place=2),
        Column("transmission ms", place=2),
        Column("server ms", place=2),
        Column("device waits ms", place=3),
        Column("server waits ms", place=3),
        Column("a token ms", place=1),
    ]
    rows = []
    for method, line in lines.items():
        parts = (line.completion_s, line.mobile_s, line.transmission_s, line.server_s)
        waits = (line.device_idle_s, line.server_idle_s, line.completion_s / line.new_tokens)
        rows.append([words(method), *(number(2)(1e3 * each) for each in (*parts, *waits))])
    return Table(heads, rows, title)


def run_lines(decoded: Decoded) -> list[str]:
    """The run in words: tokens, rounds, acceptance, and the time on this machine."""
    trace = decoded.trace
    lines = [f"{trace.new_tokens} tokens in {len(trace.drafted)} rounds ({trace.method})"]
    if trace.judged_tokens:
        lines[0] += (
            f", {trace.drafted_tokens} drafted, {trace.accepted_tokens} of {trace.judged_tokens} judged accepted "
            f"({trace.acceptance_rate:.0%}), {trace.discarded_tokens} discarded"
        )
    lines.append(
        f"on this machine {decoded.wall_s:.2f} s, of which {decoded.overhead_share:.1%} outside the models' passes"
    )
    return lines
