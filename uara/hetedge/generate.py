"""Make ``hetedge`` instances: channels from Sionna, prompts and acceptance rates from a task profile."""

from __future__ import annotations

import shlex
from typing import Annotated, Any

import numpy as np
from pydantic import Field

from uara.base.digits import rounded
from uara.base.errors import entry
from uara.base.files import Record, validate
from uara.base.quantities import Floats, Positive
from uara.base.randomness import stream
from uara.hardware import TX_POWER_DBM
from uara.hetedge.catalogue import LLAMA_7B, MODELS, NODES, RTX_3080, RTX_4500_ADA, TINYLLAMA_1B
from uara.hetedge.instance import HetEdge, Requests
from uara.hetedge.schema import Count, Parameters
from uara.psd.profile import TaskProfile
from uara.scenarios.arrivals import read_arrivals
from uara.scenarios.channel import models
from uara.scenarios.channel.drop import Drop
from uara.scenarios.recipe import drawn_provenance, option_words

OUTPUT_TOKENS = {"code": 192, "chat": 128, "summary": 64}
"""Tokens that each kind of task generates; other kinds generate :data:`OTHER_OUTPUT_TOKENS`."""
OTHER_OUTPUT_TOKENS = 128


class HetEdgeRecipe(Record):
    """What an instance is made of."""

    requests: Count = 100
    """Number of requests K."""
    channel: models.ChannelModel = "sionna-rt"
    """Ray tracing; the stochastic 3GPP 38.901 UMi model; or a distance law that needs no Sionna."""
    scene: str = "etoile"
    """Scene of ray tracing."""
    seed: Annotated[int, Field(ge=0)] = 1
    """Root seed of everything drawn."""
    profile: str = "gpt2_gpt2-xl"
    """Task profile that prompts and acceptance rates come from: a shipped one by name, or a .json file."""
    arrivals: str | None = None
    """CSV file of arrivals: lengths and times come from a stretch of it. By default lengths come from the profile, and
    all requests wait at time 0."""
    arrival_speed: Positive | None = None
    """The arrivals come so many times as fast."""
    acceptance: Annotated[float, Field(ge=0, lt=1)] | None = None
    """One rate for all requests in the place of the profile's."""
    bandwidth_mhz: Positive = 1.0
    """Uplink band B."""
    bits_per_prompt_token: Positive = 32.0
    """Bits of prompt text per token; 32 are four bytes."""
    largest_batch: Annotated[int, Field(ge=1, le=1024)] = 16
    """Most requests in a batch."""
    draft_node: str = "rtx-3080"
    """GPU of the weak node."""
    draft_model: str = "tinyllama-1.1b"
    """Model that drafts."""
    target_node: str = "rtx-4500-ada"
    """GPU of the strong node."""
    target_model: str = "llama-7b"
    """Model that verifies."""
    box_m: Positive = 400.0
    """Side of the square in which the small base station and the requests stand."""


def generate(recipe: HetEdgeRecipe | None = None, *, name: str | None = None, **options: Any) -> HetEdge:
    """Draw an instance; the same recipe gives the same one.

    Parameters
    ----------
    recipe
        What to draw; the defaults where left out.
    name
        ``hetedge_k100`` and the like where left out.
    options
        Fields of :class:`HetEdgeRecipe` that differ from ``recipe``.

    Raises
    ------
    InputError
        For an unknown option, model, node, scene or profile.
    MissingExtra
        If the channel needs the extra ``sionna``.
    """
    recipe = validate({**(recipe or HetEdgeRecipe()).model_dump(), **options}, HetEdgeRecipe, path="recipe")
    name = name or f"hetedge_k{recipe.requests}"
    profile = TaskProfile.load(recipe.profile)
    settings = models.settings_of(recipe.channel, recipe.box_m, scene=recipe.scene)
    drop = models.draw(settings, servers=1, devices=recipe.requests, seed=recipe.seed)
    assumed = {} if recipe.acceptance is None else {"acceptance": "assumed"}
    chosen = recipe.model_dump(exclude={"requests", "channel", "scene", "seed", "profile"}, exclude_none=True)
    words = option_words(recipe, ("requests", "channel", "seed"))
    command = f"uara hetedge generate {words} -o {shlex.quote(f'{name}.json')}"
    provenance = drawn_provenance(recipe, profile, drop, command=command, settings=chosen, **assumed)
    return HetEdge(
        name,
        _requests(recipe, profile, drop),
        draft_node=entry(NODES, recipe.draft_node, "node", path="recipe.draft_node"),
        draft_model=entry(MODELS, recipe.draft_model, "model", path="recipe.draft_model"),
        target_node=entry(NODES, recipe.target_node, "node", path="recipe.target_node"),
        target_model=entry(MODELS, recipe.target_model, "model", path="recipe.target_model"),
        parameters=Parameters(bandwidth_hz=recipe.bandwidth_mhz * 1e6, largest_batch=recipe.largest_batch),
        provenance=provenance,
    )


def _requests(recipe: HetEdgeRecipe, profile: TaskProfile, drop: Drop) -> Requests:
    """Each request draws a kind of task with equal odds, and one of its prompts in the profile."""
    count, rng = recipe.requests, stream(recipe.seed, "tasks")
    by_task = {task: profile.of_task(task) for task in profile.tasks}
    names = [profile.tasks[index] for index in rng.integers(len(by_task), size=count)]
    records = [by_task[task][int(rng.integers(len(by_task[task])))] for task in names]
    prompt = np.array([record.prompt_tokens for record in records])
    measured = np.array([np.mean(record.acceptance) for record in records])
    rate = measured if recipe.acceptance is None else np.full(count, recipe.acceptance)
    power_dbm = stream(recipe.seed, "transmission powers").uniform(*TX_POWER_DBM, count)
    lengths = {
        "prompt_tokens": prompt,
        "output_tokens": np.array([OUTPUT_TOKENS.get(task, OTHER_OUTPUT_TOKENS) for task in names]),
        "upload_bits": prompt * recipe.bits_per_prompt_token,
    }
    return Requests(
        id=tuple(f"request{k}" for k in range(count)),
        acceptance_rate=np.minimum(rounded(rate, 5), 0.999),
        tx_power_w=rounded(10 ** ((power_dbm - 30) / 10)),
        power_gain=rounded(drop.power_gain[:, 0]),
        task=tuple(names),
        position_m=drop.device_position_m,
        **{**lengths, **_arrived(recipe)},
    )


def _arrived(recipe: HetEdgeRecipe) -> dict[str, Any]:
    """Lengths and times of requests that came one after another; they are at the service when they arrive."""
    if recipe.arrivals is None:
        return {}
    burst = read_arrivals(recipe.arrivals).burst(recipe.requests, stream(recipe.seed, "arrivals"))
    return {
        "prompt_tokens": burst.prompt_tokens,
        "output_tokens": burst.new_tokens,
        "ready_ms": rounded(burst.arrival_s * 1e3 / (recipe.arrival_speed or 1.0), 9),
        "upload_bits": np.zeros(recipe.requests),
    }


def smallest_instance() -> HetEdge:
    """Two short requests: what kernels are compiled with before the clock starts."""
    one: Floats = np.ones(2)
    tokens = np.array([8, 12])
    requests = Requests(("a", "b"), tokens, tokens, one / 2, one, one, one)
    return HetEdge(
        "smallest",
        requests,
        draft_node=RTX_3080,
        draft_model=TINYLLAMA_1B,
        target_node=RTX_4500_ADA,
        target_model=LLAMA_7B,
        parameters=Parameters(bandwidth_hz=1e6, largest_batch=2, longest_speculation=3),
    )
