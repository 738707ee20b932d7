"""Tasks of a recorded burst: lengths as they arrived, acceptance as a task profile measured it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from uara.base.digits import rounded
from uara.base.quantities import Floats, Indices
from uara.base.randomness import stream
from uara.p1.instance import Instance
from uara.psd.payload import Payload, upload_bits
from uara.psd.profile import TaskProfile, Tasks
from uara.psd.replay import replay
from uara.scenarios.arrivals import Arrivals

EARLIER_S, MOST_EARLIER = 60.0, 1000
"""Requests before a burst whose work may still wait when it begins: this long before it, and the latest of them."""


@dataclass(frozen=True)
class Fitted:
    """Lengths that a pair of models can work on.

    Attributes
    ----------
    prompt_tokens, new_tokens : (N,)
        Answers are kept and prompts cut, at least one token of each.
    cut
        Number of requests that were longer than the context.
    """

    prompt_tokens: Indices
    new_tokens: Indices
    cut: int


def fitted(requests: Arrivals, context_tokens: int) -> Fitted:
    """Requests whose prompt and answer fit into a context of so many tokens, at least 2."""
    new = np.minimum(requests.new_tokens, context_tokens - 1)
    prompt = np.minimum(requests.prompt_tokens, context_tokens - new)
    cut = (new < requests.new_tokens) | (prompt < requests.prompt_tokens)
    return Fitted(prompt, new, int(cut.sum()))


def loads_of(
    requests: Arrivals, profile: TaskProfile, rng: np.random.Generator, payload: Payload | None = None
) -> Tasks:
    """Draw for each request a task and one of its prompts with equal odds, and replay its acceptance.

    The acceptance of that prompt, begun at a place drawn at random and gone through again where it ends, is as long
    as the request's answer.
    """
    draft, target = profile.draft.architecture, profile.target.architecture
    lengths = fitted(requests, _context_tokens(profile))
    kind, decoding = payload or profile.payload, profile.decoding
    by_task = [profile.of_task(name) for name in profile.tasks]
    names, loads = [], np.empty((len(requests), 3))
    for place in range(len(requests)):
        records = by_task[int(rng.integers(len(by_task)))]
        record = records[int(rng.integers(len(records)))]
        new, first = int(lengths.new_tokens[place]), int(rng.integers(len(record.acceptance)))
        acceptance = np.resize(np.roll(record.acceptance, -first), new).tolist()
        prompt = int(lengths.prompt_tokens[place])
        run = replay(acceptance, decoding.method, decoding.gamma, prompt, rng=rng)
        bits = upload_bits(run, kind, draft.vocabulary_tokens, decoding.value_bits)
        names.append(record.task)
        loads[place] = bits, *run.flop(draft, target)
    return Tasks(task=names, upload_bits=loads[:, 0], device_flop=loads[:, 1], server_flop=loads[:, 2])


def waiting_flop(arrival_s: Floats, work_flop: Floats, speed_flop_per_s: Floats, at_s: float) -> Floats:
    """(E,) Work that still waits at each server after requests that were served as they came.

    Each goes to the server that would finish it first, and servers work at full speed, first come first served.

    Parameters
    ----------
    arrival_s, work_flop : (N,)
        When each request came, never falling, and its work.
    speed_flop_per_s : (E,)
        F_j.
    at_s
        When it is asked, no earlier than the last arrival.
    """
    free_s = np.full(len(speed_flop_per_s), -np.inf)
    for came_s, work in zip(arrival_s, work_flop, strict=True):
        done_s = np.maximum(free_s, came_s) + work / speed_flop_per_s
        first = int(np.argmin(done_s))
        free_s[first] = done_s[first]
    left: Floats = np.maximum(free_s - at_s, 0.0) * speed_flop_per_s
    return left


def with_requests(
    instance: Instance, requests: Arrivals, profile: TaskProfile, *, seed: int, payload: Payload | None = None
) -> Instance:
    """The same instance with a burst of requests, one for each device, and with what those before it left to do.

    Tasks are drawn by :func:`loads_of`. The queues of the servers are the work that waits there when the burst
    begins (:func:`waiting_flop`), of the requests of the last :data:`EARLIER_S`.

    Raises
    ------
    InputError
        If there are fewer requests than devices.
    """
    count = len(instance.devices)
    first = requests.place(count, stream(seed, "arrivals"))
    burst = requests.part(first, first + count)
    devices = instance.devices.replace(**loads_of(burst, profile, stream(seed, "requests"), payload))
    begin_s = float(requests.arrival_s[first])
    since = max(int(np.searchsorted(requests.arrival_s, begin_s - EARLIER_S)), first - MOST_EARLIER)
    earlier = loads_of(requests.part(since, first), profile, stream(seed, "earlier requests"), payload)
    speed = instance.servers.compute_flop_per_s
    waiting = waiting_flop(requests.arrival_s[since:first], earlier["server_flop"], speed, begin_s)
    said = {
        "arrivals": requests.source,
        "arrivals_sha256": requests.sha256,
        "burst_s": float(f"{burst.arrival_s[-1]:.7g}"),
        "earlier_requests": first - since,
        "requests_cut_to_context": fitted(burst, _context_tokens(profile)).cut,
    }
    provenance = instance.provenance.model_copy(
        update={
            "settings": {**instance.provenance.settings, **said},
            "credits": [*instance.provenance.credits, *([requests.credit] if requests.credit else [])],
        }
    )
    servers = instance.servers.replace(backlog_flop=rounded(waiting))
    return instance.replace(devices=devices, servers=servers, provenance=provenance)


def _context_tokens(profile: TaskProfile) -> int:
    return min(profile.draft.architecture.context_tokens, profile.target.architecture.context_tokens)
