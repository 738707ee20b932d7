"""Where a training step's time goes: a short run of the shipped configuration, taken apart by a profiler.

python benchmarks/paper/training_speed.py            # half a minute on an idle core
"""

from __future__ import annotations

import cProfile
import pstats
import tempfile
from pathlib import Path
from typing import Annotated

import typer

PARTS = {
    "drawing actions": ("learner.py", "all_pairs"),
    "Algorithm 1": ("association.py", "associate_batch"),
    "stepping the worlds": ("batch.py", "step"),
    "new worlds": ("batch.py", "reset"),
    "sampling batches": ("replay.py", "sample"),
    "updates": ("learner.py", "update"),
}
"""File and function behind each part; none of them calls another in a step."""

SHIPPED = Path(__file__).parents[1] / "masac" / "train.toml"


def main(
    config: Annotated[Path, typer.Argument(help="Configuration file.")] = SHIPPED,
    steps: Annotated[int, typer.Option(min=60, help="Steps that are timed.")] = 150,
) -> None:
    """Time the parts of a training step."""
    from uara.solvers.masac.loop import Training
    from uara.solvers.masac.settings import TrainingSettings

    from uara.mec.pool import Pool
    from uara.trainer import Listener

    settings = TrainingSettings.load(config)
    settings = settings.model_copy(update={"steps": steps, "warmup_steps": 10, "validate_every": steps + 1})
    with tempfile.TemporaryDirectory() as folder:
        training = Training(settings, Path(folder), "", Listener())
        training.prepare(Pool.load(config.parent / settings.pool_file), resume=False)
        training._validate(training._row())  # compiles Algorithm 1
        profiler = cProfile.Profile()
        profiler.enable()
        for _ in range(steps):
            group = training.groups[training.step % len(training.groups)]
            training._play(group)
            training._update(group)
        profiler.disable()
    found = pstats.Stats(profiler).stats  # type: ignore[attr-defined]
    whole = sum(own for _, _, own, _, _ in found.values())
    slots = steps * settings.parallel_worlds
    typer.echo(f"{slots} slots of {len(settings.sizes)} sizes: {slots / whole:.1f} slots/s")
    for name, (file, function) in PARTS.items():
        spent = sum(each[3] for key, each in found.items() if (Path(key[0]).name, key[2]) == (file, function))
        typer.echo(f"{name:20}{spent / whole:6.1%}{1e3 * spent / slots:9.2f} ms a slot")


if __name__ == "__main__":
    typer.run(main)
