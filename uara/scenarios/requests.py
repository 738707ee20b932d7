"""Tasks of a recorded burst: lengths as they arrived, acceptance as a task profile measured it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from uara.base.randomness import stream
from uara.p1.instance import Instance
from uara.psd.payload import Payload, upload_bits
from uara.psd.profile import TaskProfile
from uara.psd.replay import replay
from uara.scenarios.arrivals import Arrivals


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

    prompt_tokens: NDArray[np.int64]
    new_tokens: NDArray[np.int64]
    cut: int


def fitted(requests: Arrivals, context_tokens: int) -> Fitted:
    """Requests whose prompt and answer fit into a context of so many tokens, at least 2."""
    new = np.minimum(requests.new_tokens, context_tokens - 1)
    prompt = np.minimum(requests.prompt_tokens, context_tokens - new)
    cut = (new < requests.new_tokens) | (prompt < requests.prompt_tokens)
    return Fitted(prompt, new, int(cut.sum()))


def with_requests(
    instance: Instance,
    requests: Arrivals,
    profile: TaskProfile,
    *,
    seed: int,
    payload: Payload | None = None,
) -> Instance:
    """The same instance with the lengths of a burst of requests, one for each device.

    Each device draws a task and one of its prompts with equal odds, as
    :meth:`uara.psd.profile.TaskProfile.draw_tasks`; the acceptance of that prompt, begun at a place drawn at
    random and gone through again where it ends, is as long as the request's answer.

    Raises
    ------
    InputError
        If there are fewer requests than devices.
    """
    count = len(instance.devices)
    burst = requests.burst(count, stream(seed, "arrivals"))
    draft, target = profile.draft.architecture, profile.target.architecture
    lengths = fitted(burst, min(draft.context_tokens, target.context_tokens))
    kind, rng, decoding = payload or profile.payload, stream(seed, "requests"), profile.decoding
    by_task = [[each for each in profile.records if each.task == name] for name in profile.tasks]
    names, loads = [], np.empty((count, 3))
    for device in range(count):
        records = by_task[int(rng.integers(len(by_task)))]
        record = records[int(rng.integers(len(records)))]
        new, first = int(lengths.new_tokens[device]), int(rng.integers(len(record.acceptance)))
        acceptance = np.resize(np.roll(record.acceptance, -first), new).tolist()
        prompt = int(lengths.prompt_tokens[device])
        run = replay(acceptance, decoding.method, decoding.gamma, prompt, rng=rng)
        bits = upload_bits(run, kind, draft.vocabulary_tokens, decoding.value_bits)
        names.append(record.task)
        loads[device] = bits, *run.flop(draft, target)
    devices = instance.devices.replace(
        task=tuple(names), upload_bits=loads[:, 0], device_flop=loads[:, 1], server_flop=loads[:, 2]
    )
    said = {
        "arrivals": requests.source,
        "arrivals_sha256": requests.sha256,
        "burst_s": float(f"{burst.arrival_s[-1]:.7g}"),
        "requests_cut_to_context": lengths.cut,
    }
    provenance = instance.provenance.model_copy(
        update={
            "settings": {**instance.provenance.settings, **said},
            "credits": [*instance.provenance.credits, *([requests.credit] if requests.credit else [])],
        }
    )
    return instance.replace(devices=devices, provenance=provenance)
