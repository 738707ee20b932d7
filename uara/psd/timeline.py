"""Discrete-event model of device, uplink, server and downlink: when a trace's rounds finish.

Every resource does one thing at a time, in the order in which work reaches it. The prompt is sent at once; a
verdict carries the number of accepted tokens and the target's own token. Per round:

- *autoregressive*: the server alone; each token is sent down.
- *conventional*: the device drafts, the block goes up, the server passes over it, the verdict comes down.
- *PSD* (its round in counts: :mod:`uara.psd.rounds`): the device drafts the next block; meanwhile the pending tokens
  go up, and the new block's first token as soon as it is drafted. The server needs the pending tokens to start its
  pass and the first new one to give its verdict; a pre-verify pass needs nothing and starts behind the last verdict.
  The next round begins when the device has drafted its block and has the verdict.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from uara.psd.activity import Activity, Kind, Resource, busy_s, merged
from uara.psd.flops import Architecture
from uara.psd.hardware import Speeds
from uara.psd.payload import Payload, draft_token_bits, token_bits
from uara.psd.trace import DecodingTrace, Passes, Round


@dataclass(frozen=True)
class Timeline:
    """What a task's time went into.

    ``mobile_s + server_s + transmission_s + idle_s`` is the completion time: where several resources work at once,
    the time counts for the device, then for the server, so that what is left is exposed.

    Attributes
    ----------
    device_idle_s, server_idle_s
        Waiting of each side, which overlaps with the other's work.
    """

    activities: list[Activity]
    completion_s: float
    mobile_s: float
    server_s: float
    transmission_s: float
    idle_s: float
    device_idle_s: float
    server_idle_s: float
    new_tokens: int

    @classmethod
    def of(cls, activities: list[Activity], new_tokens: int) -> Timeline:
        """Account for a list of activities, simulated or real."""
        device = [each for each in activities if each.resource == "device"]
        server = [each for each in activities if each.resource == "server"]
        completion_s = max((each.end_s for each in activities), default=0.0)
        mobile_s, both_s, all_s = busy_s(device), busy_s(device + server), busy_s(activities)
        return cls(
            activities=activities,
            completion_s=completion_s,
            mobile_s=mobile_s,
            server_s=both_s - mobile_s,
            transmission_s=all_s - both_s,
            idle_s=completion_s - all_s,
            device_idle_s=completion_s - mobile_s,
            server_idle_s=completion_s - busy_s(server),
            new_tokens=new_tokens,
        )

    @property
    def waits(self) -> list[Activity]:
        """The gaps in which the device or the server waits, for pictures."""
        gaps: list[Activity] = []
        pairs: tuple[tuple[Resource, Kind], ...] = (("device", "draft"), ("server", "target"))
        for resource, kind in pairs:
            done_s = 0.0
            for start_s, end_s in merged(each for each in self.activities if each.resource == resource):
                if start_s > done_s:
                    gaps.append(Activity(resource, kind, done_s, start_s))
                done_s = end_s
        return gaps


class _Resource:
    """Serves one piece of work at a time; remembers what it did."""

    def __init__(self, name: Resource, kind: Kind, log: list[Activity]) -> None:
        self.name: Resource = name
        self.kind: Kind = kind
        self.log = log
        self.free_s = 0.0
        self.round = 0

    def work(self, ready_s: float, duration_s: float, latency_s: float = 0.0) -> float:
        """Do work that is ready at a time; returns when its result is there."""
        start_s = max(ready_s, self.free_s)
        self.free_s = start_s + duration_s
        done_s = self.free_s + latency_s
        self.log.append(Activity(self.name, self.kind, start_s, done_s, self.round))
        return done_s


class _World:
    """The four resources, the two models, and the sizes of messages."""

    def __init__(
        self,
        trace: DecodingTrace,
        draft: Architecture,
        target: Architecture,
        speeds: Speeds,
        payload: Payload,
        value_bits: int,
    ) -> None:
        self.models = draft, target
        self.speeds = speeds
        self.log: list[Activity] = []
        self.device = _Resource("device", "draft", self.log)
        self.uplink = _Resource("uplink", "upload", self.log)
        self.server = _Resource("server", "target", self.log)
        self.downlink = _Resource("downlink", "download", self.log)
        self.verdict_s = 0.0
        self.id_bits = token_bits(target.vocabulary_tokens)
        self.draft_bits = draft_token_bits(payload, draft.vocabulary_tokens, value_bits)
        # the verdict: how many tokens are accepted, and the target's own token
        self.verdict_bits = self.id_bits + math.ceil(math.log2(trace.gamma + 2))

    def enter(self, number: int) -> None:
        for each in (self.device, self.uplink, self.server, self.downlink):
            each.round = number

    def send(self, ready_s: float, bits: int) -> float:
        link = self.speeds.uplink
        return self.uplink.work(ready_s, bits / link.bit_per_s, link.latency_s)

    def answer(self, ready_s: float, bits: int) -> float:
        link = self.speeds.downlink
        return self.downlink.work(ready_s, bits / link.bit_per_s, link.latency_s)

    def first_draft(self, ready_s: float, passes: Passes) -> float:
        flop = self.models[0].pass_flop(passes.draft_fed, passes.draft_cached, 1)
        return self.device.work(ready_s, self.speeds.device.pass_s(flop, self.models[0].parameters))

    def other_drafts(self, ready_s: float, passes: Passes) -> float:
        done_s, cached = ready_s, passes.draft_cached + passes.draft_fed
        for step in range(passes.draft_steps - 1):
            flop = self.models[0].steps_flop(1, cached + step)
            done_s = self.device.work(done_s, self.speeds.device.pass_s(flop, self.models[0].parameters))
        return done_s

    def verify(self, ready_s: float, passes: Passes) -> float:
        flop = passes.target_flop(self.models[1])
        return self.server.work(ready_s, self.speeds.server.pass_s(flop, self.models[1].parameters))


def simulate(
    trace: DecodingTrace,
    draft: Architecture,
    target: Architecture,
    speeds: Speeds,
    payload: Payload = "tokens",
    value_bits: int = 16,
) -> Timeline:
    """Run a trace through the model of device, links and server.

    Parameters
    ----------
    draft, target
        Models whose operations and sizes set the durations of passes.
    payload
        What each draft token puts on the uplink.
    """
    world = _World(trace, draft, target, speeds, payload, value_bits)
    prompt_s = world.send(0.0, trace.prompt_tokens * world.id_bits)
    follow = {"autoregressive": _autoregressive, "conventional": _conventional, "psd": _psd}[trace.method]
    now_s = 0.0
    for number, (each, passes) in enumerate(zip(trace.rounds, trace.passes(), strict=True)):
        world.enter(number)
        now_s = follow(world, each, passes, now_s, prompt_s)
    return Timeline.of(world.log, trace.new_tokens)


def _autoregressive(world: _World, each: Round, passes: Passes, now_s: float, prompt_s: float) -> float:
    done_s = world.verify(max(now_s, prompt_s), passes)
    world.answer(done_s, world.id_bits)
    return done_s


def _conventional(world: _World, each: Round, passes: Passes, now_s: float, prompt_s: float) -> float:
    here_s = max(now_s, prompt_s)
    if each.drafted:
        drafted_s = world.other_drafts(world.first_draft(now_s, passes), passes)
        here_s = max(world.send(drafted_s, each.drafted * world.draft_bits), prompt_s)
    return world.answer(world.verify(here_s, passes), world.verdict_bits)


def _psd(world: _World, each: Round, passes: Passes, now_s: float, prompt_s: float) -> float:
    # behind a verdict of its own the server knows all it needs for a pre-verify pass
    here_s = max(world.verdict_s, prompt_s)
    if each.pending:
        here_s = world.send(now_s, each.pending * world.draft_bits)
    drafted_s = judgeable_s = now_s
    if each.drafted:
        first_s = world.first_draft(now_s, passes)
        judgeable_s = world.send(first_s, world.draft_bits)
        drafted_s = world.other_drafts(first_s, passes)
    world.verdict_s = max(world.verify(here_s, passes), judgeable_s)
    return max(drafted_s, world.answer(world.verdict_s, world.verdict_bits))
