"""A configuration of ``uara train`` for MASAC; an empty file gives these defaults."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field

from uara.base import files
from uara.base.errors import InputError, in_file
from uara.base.files import Record
from uara.base.quantities import Fraction, Positive
from uara.mec.batch import WorldSettings
from uara.mec.pool import PoolSettings, held_out
from uara.psd.profile import TaskProfile

from .learner import LearnerSettings

Count = Annotated[int, Field(ge=1)]
Size = tuple[Count, Count]


class TrainingSettings(Record):
    """What a training run is made of."""

    method: Literal["masac"] = "masac"
    seed: Annotated[int, Field(ge=0)] = 1
    """Root seed of worlds, exploration and initial weights."""
    pool_file: str = "pool.npz"
    """File of the channel pool, beside the configuration; made on the first run."""
    pool: PoolSettings = PoolSettings()
    worlds: WorldSettings = WorldSettings(payload_factor_range=(1.0, 30_000.0), work_factor_range=(0.4, 3.0))
    learner: LearnerSettings = LearnerSettings()
    sizes: Annotated[list[Size], Field(min_length=1)] = [(30, 4), (60, 6), (90, 8), (120, 12), (180, 20)]
    """(M, E) of the training worlds."""
    held_out_sizes: list[Size] = [(45, 5), (90, 16), (150, 8)]
    """(M, E) that only validation sees."""
    validation_part: Fraction = 0.2
    """Part of the pool's drops that only validation sees."""
    parallel_worlds: Count = 4
    """Worlds of one size that step at once."""
    slots_per_episode: Annotated[int, Field(ge=2)] = 10
    """After this many slots new worlds are drawn; the last slot of an episode is never learned from."""
    replay_steps: Annotated[int, Field(ge=3)] = 400
    """Steps (of all parallel worlds) kept for each size."""
    batch_devices: Count = 1000
    """Devices in a batch of an update, in as many whole slots of one size."""
    updates_per_step: Count = 4
    steps: Count = 2500
    """Steps of the whole run."""
    warmup_steps: Count = 50
    """Steps before the first update, and again before the first one after a resumption."""
    wandering: Fraction = 0.25
    """Part of the worlds in which devices are scattered, so that critics see other associations too."""
    imitation_steps: Annotated[int, Field(ge=0)] = 0
    """Updates towards the exact allocation before soft actor-critic starts."""
    validate_every: Count = 100
    checkpoint_every: Count = 100
    patience: Count = 10
    """Validations without an improvement after which training stops."""
    tolerance: Positive = 1e-4
    """Smallest fall of the validation gap that counts as an improvement."""

    @classmethod
    def load(cls, path: Path) -> TrainingSettings:
        """Read a TOML file; what it leaves out keeps its default.

        Raises
        ------
        InputError
            Naming the file and the key that is wrong.
        """
        data = files.read_toml(path)
        with in_file(path):
            settings = files.validate(data, cls, strict=False)
            settings.check()
        return settings

    def check(self) -> None:
        """What no single value shows, and what would come to light only once the pool is simulated.

        Raises
        ------
        InputError
            Naming the key that is wrong, or an unknown task profile.
        """
        for key in ("sizes", "held_out_sizes"):
            for number, (_, servers) in enumerate(getattr(self, key)):
                if servers > self.pool.servers:
                    raise InputError(
                        f"has {servers} servers, but the pool's drops have {self.pool.servers}",
                        path=f"$.{key}[{number}]",
                    )
        try:
            held_out(self.pool.drops, self.validation_part)
        except InputError as error:
            raise InputError(error.problem, path="$.pool") from None
        first = max(self.warmup_steps, len(self.sizes))
        if self.steps <= first:
            raise InputError(
                f"must be more than {first}: no update is made in the first warmup_steps, "
                "nor before a size's worlds have played twice",
                path="$.steps",
            )
        TaskProfile.load(self.worlds.profile)
