"""Task profiles: what decoding real prompts cost, and the task loads {d_i, f_i^MD, f_i^ES} drawn from it."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal, Self, TypedDict

from pydantic import Field, model_validator

from uara.base.errors import InputError
from uara.base.files import Record, VersionOne, read_json, write_json
from uara.psd.flops import Architecture, architecture
from uara.psd.payload import Payload, needed_payload, upload_bits
from uara.psd.records import Decoding, ModelRecord, PromptRecord, Provenance, TaskSummary, sizes_of
from uara.psd.replay import replay
from uara.psd.trace import DecodingTrace, Method

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

SCHEMA_VERSION: Literal[1] = 1
_VARIANTS = 32


class Tasks(TypedDict):
    """The task loads of a set of devices; each entry has one element a device."""

    task: list[str]
    upload_bits: NDArray[np.float64]
    device_flop: NDArray[np.float64]
    server_flop: NDArray[np.float64]


class TaskProfile(Record):
    """A measured (or assumed, and marked so) set of tasks for one draft and target pair."""

    schema_version: VersionOne
    name: str
    draft: ModelRecord
    target: ModelRecord
    decoding: Decoding
    provenance: Provenance
    records: Annotated[list[PromptRecord], Field(min_length=1)]
    summary: dict[str, TaskSummary] = Field(default={})

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        limit = self.decoding.max_new_tokens
        for number, record in enumerate(self.records):
            if len(record.acceptance) > limit:
                raise ValueError(f"records[{number}].acceptance is longer than max_new_tokens, {limit}")
        return self

    @classmethod
    def load(cls, profile: str | Path) -> TaskProfile:
        """Read a profile from a file, or a shipped one by name.

        Raises
        ------
        InputError
            If there is no such file or shipped profile, or it is not valid.
        """
        if Path(profile).suffix == ".json" or os.path.isfile(profile):
            return read_json(Path(profile), cls)
        shipped = shipped_profiles()
        if str(profile) not in shipped:
            names = ", ".join(sorted(shipped))
            raise InputError(f"no profile {str(profile)!r}; shipped are {names}, or give a .json file")
        return read_json(shipped[str(profile)], cls)

    def save(self, path: str | Path) -> None:
        """Write the profile as JSON, whole or not at all."""
        write_json(Path(path), self)

    @property
    def tasks(self) -> list[str]:
        """Names of the tasks, in order of appearance."""
        return list(dict.fromkeys(record.task for record in self.records))

    def of_task(self, task: str) -> list[PromptRecord]:
        """The records of a task.

        Raises
        ------
        InputError
            If there is no such task.
        """
        found = [record for record in self.records if record.task == task]
        if not found:
            raise InputError(f"no task {task!r} in profile {self.name}; it has {', '.join(self.tasks)}")
        return found

    @property
    def payload(self) -> Payload:
        """What the profile's correction rule needs on the uplink."""
        return needed_payload(self.decoding.temperature, self.decoding.rule)

    def trace(
        self,
        record: PromptRecord,
        method: Method | None = None,
        gamma: int | None = None,
        rng: np.random.Generator | None = None,
    ) -> DecodingTrace:
        """The rounds of a prompt under a method and draft length, the profile's own where left out."""
        return replay(
            record.acceptance,
            method or self.decoding.method,
            self.decoding.gamma if gamma is None else gamma,
            record.prompt_tokens,
            max_new_tokens=self.decoding.max_new_tokens,
            rng=rng,
        )

    def draw_tasks(
        self,
        count: int,
        rng: np.random.Generator,
        draft: str | Architecture | None = None,
        target: str | Architecture | None = None,
        payload: Payload | None = None,
        method: Method | None = None,
        gamma: int | None = None,
        tasks: Sequence[str] | None = None,
    ) -> Tasks:
        """Task loads of ``count`` devices, each resampled from the measured prompts.

        Each device draws a task with equal odds, one of that task's prompts, and a run of that prompt; its
        operations are exact for that run's passes.

        Parameters
        ----------
        draft, target
            Models whose operations are counted, by name or architecture; the profile's own where left out.
        payload
            What each draft token puts on the uplink; what the profile's rule needs where left out.
        method, gamma
            Decoding; the profile's own where left out.
        tasks
            Names of the tasks to draw from; all where left out.

        Returns
        -------
        Tasks
            ``task``, ``upload_bits`` (d_i), ``device_flop`` (f_i^MD) and ``server_flop`` (f_i^ES), each of
            length ``count``.

        Raises
        ------
        InputError
            For an unknown task, model or payload, or a negative count.
        """
        import numpy as np

        if count < 0:
            raise InputError(f"the number of tasks must not be negative, not {count}")
        pair = _resolved(draft, self.draft), _resolved(target, self.target)
        kind = payload or self.payload
        by_task = [self.of_task(name) for name in tasks or self.tasks]
        names, loads = [], np.empty((count, 3))
        known: dict[tuple[int, int], tuple[float, float, float]] = {}
        seeds = rng.integers(2**63, size=_VARIANTS)
        for device in range(count):
            records = by_task[int(rng.integers(len(by_task)))]
            record = records[int(rng.integers(len(records)))]
            # runs of a prompt differ by chance only; a few of each are enough for any number of devices
            key = id(record), int(rng.integers(_VARIANTS))
            if key not in known:
                run = self.trace(record, method, gamma, np.random.default_rng([seeds[key[1]], len(known)]))
                bits = upload_bits(run, kind, pair[0].vocabulary_tokens, self.decoding.value_bits)
                device_flop, server_flop = run.flop(*pair)
                known[key] = float(bits), float(device_flop), float(server_flop)
            names.append(record.task)
            loads[device] = known[key]
        return Tasks(task=names, upload_bits=loads[:, 0], device_flop=loads[:, 1], server_flop=loads[:, 2])


def _resolved(model: str | Architecture | None, own: ModelRecord) -> Architecture:
    if model is None:
        return own.architecture
    return model if isinstance(model, Architecture) else architecture(model)


def shipped_profiles() -> dict[str, Path]:
    """The profiles that come with the package, by name."""
    folder = Path(str(resources.files("uara"))) / "data" / "profiles"
    return {path.stem: path for path in sorted(folder.glob("*.json"))}


def assumed_profile(
    acceptance: dict[str, float],
    prompt_tokens: dict[str, Iterable[int]],
    *,
    new_tokens: int,
    gamma: int,
    draft: str = "gpt2",
    target: str = "gpt2-xl",
) -> TaskProfile:
    """A profile with a constant acceptance rate for each task, marked as assumed.

    Parameters
    ----------
    acceptance
        Rate of each task, in [0, 1].
    prompt_tokens
        Prompt lengths of each task; one record each.
    new_tokens, gamma
        Output length and draft length, the same for all.
    draft, target
        Names of known architectures.
    """
    records = [
        PromptRecord(
            task=task, prompt=f"{task}/{number}", prompt_tokens=length, acceptance=[rate] * new_tokens
        )
        for task, rate in acceptance.items()
        for number, length in enumerate(prompt_tokens[task])
    ]
    pair = [sizes_of(each, "sizes only") for each in (draft, target)]
    rates = ", ".join(f"{task} {rate}" for task, rate in acceptance.items())
    return TaskProfile(
        schema_version=SCHEMA_VERSION,
        name=f"{draft}_{target}_assumed",
        draft=pair[0],
        target=pair[1],
        decoding=Decoding(
            method="psd", gamma=gamma, temperature=1.0, rule="target", max_new_tokens=new_tokens, seed=0
        ),
        provenance=Provenance(acceptance="assumed", note=f"the acceptance rates {rates} are assumptions"),
        records=records,
    )
