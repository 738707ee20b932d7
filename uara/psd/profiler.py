"""Measuring a task profile: real runs of real prompts, kept prompt by prompt so that a stopped run goes on."""

from __future__ import annotations

import dataclasses
import datetime
import json
import os
import platform
from collections.abc import Callable, Collection, Sequence
from importlib import metadata
from pathlib import Path

from pydantic import Field

from uara.base.errors import InputError
from uara.base.files import Record, check_output, is_stream, read_json, save_or_rescue, sha256, write_json
from uara.base.locks import exclusive
from uara.psd.acceptance import acceptance_along
from uara.psd.engine import decode
from uara.psd.models import LanguageModel, require_same_tokens
from uara.psd.profile import SCHEMA_VERSION, TaskProfile
from uara.psd.prompts import PROMPT_SOURCES, Prompt
from uara.psd.records import Decoding, ModelRecord, PromptRecord, Provenance, RunRecord
from uara.psd.request import Decoded, DecodingOptions
from uara.psd.sampling import Sampler
from uara.psd.statistics import summarise
from uara.psd.trace import Method

MEASURED_METHODS: tuple[Method, ...] = ("psd", "conventional")


class Partial(Record):
    """What a stopped profiling run leaves behind."""

    key: str
    records: list[PromptRecord] = Field(default=[])


def partial_path(output: Path) -> Path:
    """Where the prompts measured so far are kept until the profile is whole."""
    return output.with_name(output.name + ".partial")


def check_place(output: Path, inputs: Collection[Path] = ()) -> None:
    """Refuse a place where no profile can be written, or its measurements not be kept beside it.

    Raises
    ------
    InputError
        As :func:`uara.base.files.check_output`, and for a device or a pipe.
    """
    if is_stream(output):
        raise InputError("what is measured is kept beside the profile: name a file", source=str(output))
    check_output(output, suffixes=(".json",), inputs=inputs, kind="")


def measure_profile(
    draft: LanguageModel,
    target: LanguageModel,
    prompts: Sequence[Prompt],
    options: DecodingOptions,
    output: Path,
    *,
    name: str | None = None,
    command: str | None = None,
    on_prompt: Callable[[int, Prompt], None] | None = None,
) -> TaskProfile:
    """Measure a profile and write it; what a stopped run has measured is taken over.

    Parameters
    ----------
    options
        Decoding of the profile; both PSD and conventional runs are made with it.
    output
        The profile's file. Prompts measured so far stand beside it until all are done.
    on_prompt
        Called after each prompt with the number done.

    Raises
    ------
    InputError
        If there are no prompts, tokenizers differ, or a partial file belongs to another measurement.
    """
    if not prompts:
        raise InputError("no prompts to measure with")
    require_same_tokens(draft, target)
    models = [_model_record(each) for each in (draft, target)]
    decoding = Decoding(
        method=options.method,
        gamma=options.gamma,
        temperature=options.temperature,
        top_p=options.top_p,
        rule=options.rule,
        max_new_tokens=options.max_new_tokens,
        seed=options.seed,
    )
    check_place(output)
    output.parent.mkdir(parents=True, exist_ok=True)
    with exclusive(output.with_name(f".{output.name}.lock"), f"another process is measuring {output.name}"):
        partial = _resume(output, _key(models, prompts, options))
        known = {(each.task, each.prompt): each for each in partial.records}
        records: list[PromptRecord] = []
        for number, prompt in enumerate(prompts):
            record = known.get((prompt.task, prompt.name))
            if record is None:
                first = all(each.task != prompt.task for each in records)
                record = measure_prompt(draft, target, prompt, options, count_flop=first)
            records.append(record)
            write_json(partial_path(output), Partial(key=partial.key, records=records))
            if on_prompt is not None:
                on_prompt(number + 1, prompt)
        profile = TaskProfile(
            schema_version=SCHEMA_VERSION,
            name=name or output.stem,
            draft=models[0],
            target=models[1],
            decoding=decoding,
            provenance=_provenance(prompts, command),
            records=records,
            summary=summarise(records, decoding, *models),
        )
        save_or_rescue(profile.save, output)
        partial_path(output).unlink(missing_ok=True)
    return profile


def measure_prompt(
    draft: LanguageModel,
    target: LanguageModel,
    prompt: Prompt,
    options: DecodingOptions,
    count_flop: bool = False,
) -> PromptRecord:
    """One prompt's real runs by PSD and by conventional decoding, and its acceptance along the output.

    Parameters
    ----------
    count_flop
        Count the conventional run's operations as PyTorch dispatches them; about twice as slow, so the profiler
        does it for the first prompt of each task.
    """
    tokens = target.encode(prompt.text)
    runs: dict[Method, Decoded] = {}
    for method in MEASURED_METHODS:
        counting = count_flop and method == "conventional"
        runs[method] = decode(
            draft, target, tokens, dataclasses.replace(options, method=method), count_flop=counting
        )
    output = runs["psd"].tokens
    sampler = Sampler(options.temperature, options.top_p)
    return PromptRecord(
        task=prompt.task,
        prompt=prompt.name,
        prompt_sha256=prompt.sha256,
        prompt_tokens=len(tokens),
        acceptance=[round(each, 6) for each in acceptance_along(draft, target, tokens, output, sampler)],
        runs=[_run_record(each) for each in runs.values()],
    )


def _run_record(decoded: Decoded) -> RunRecord:
    def busy(resource: str) -> float:
        return sum(each.end_s - each.start_s for each in decoded.activities if each.resource == resource)

    return RunRecord(
        trace=decoded.trace,
        counted_device_flop=decoded.draft.counted_flop if decoded.draft else None,
        counted_server_flop=decoded.target.counted_flop,
        wall_s=round(decoded.wall_s, 6),
        draft_busy_s=round(busy("device"), 6),
        target_busy_s=round(busy("server"), 6),
        overhead_share=round(decoded.overhead_share, 6),
    )


def _model_record(model: LanguageModel) -> ModelRecord:
    return ModelRecord(
        name=model.name, source=model.source, sha256=model.weights_sha256(), architecture=model.architecture
    )


def _key(models: Sequence[ModelRecord], prompts: Sequence[Prompt], options: DecodingOptions) -> str:
    """Hash of all that a measurement depends on."""
    parts = [[each.sha256 for each in models], [each.sha256 for each in prompts], dataclasses.asdict(options)]
    return sha256(json.dumps(parts, sort_keys=True).encode())


def _resume(output: Path, key: str) -> Partial:
    path = partial_path(output)
    if not path.exists():
        return Partial(key=key)
    partial = read_json(path, Partial)
    if partial.key != key:
        raise InputError(
            "holds another measurement (other models, prompts or options): delete it, or name another output",
            source=str(path),
        )
    return partial


def _provenance(prompts: Sequence[Prompt], command: str | None) -> Provenance:
    libraries = ("torch", "transformers", "numpy")
    tasks = dict.fromkeys(each.task for each in prompts)
    return Provenance(
        acceptance="measured",
        note="operations and acceptance are the pair's own; seconds belong to the machine named here and to no phone",
        created=datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
        command=command,
        software={each: metadata.version(each) for each in libraries}
        | {"python": platform.python_version(), "machine": f"{platform.machine()}, {os.cpu_count()} cores"},
        sources=[PROMPT_SOURCES.get(each, f"user's prompts for {each}") for each in tasks],
    )
