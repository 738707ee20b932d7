"""BenchMARL's MAPPO, IPPO, MADDPG and MASAC, and the in-house MASAC, on the small world: same steps, same time.

python benchmarks/examples/learn/benchmarl_comparison.py --output comparison.csv    # pip install 'uara[marl]'

One core for about an hour; runs that the output already holds are not made again.
"""

from __future__ import annotations

import contextlib
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any

import small_world
import torch
import typer

from uara.mec import policy_solver

WORLDS = 16
ROUND = 40
"""Slots of each world between two rounds of updates of the library's algorithms: four episodes."""
JUDGEMENTS = 12
"""Of a run, about."""
IN_HOUSE = "MASAC (in-house)"
RATES = {
    "MAPPO": (1e-3, 3e-4),
    "IPPO": (1e-3, 3e-4),
    "MADDPG": (3e-4, 5e-5),
    "MASAC (BenchMARL)": (3e-4, 5e-5),
}
"""Learning rates of the library's algorithms: two each, since the larger one does not suit all of them."""


class Enough(KeyboardInterrupt):
    """Steps and time are used up; BenchMARL takes it for the Ctrl-C that ends a run in good order."""


class Watch:
    """Judges a policy in ``solve`` as it learns, and ends the run; judging counts for no time."""

    def __init__(self, name: str, seed: int, slots: list[Any], steps: int, seconds: float) -> None:
        self.name, self.seed, self.slots = name, seed, slots
        self.steps, self.seconds = steps, seconds
        self.every_s = seconds / JUDGEMENTS
        self.rows: list[tuple[Any, ...]] = []
        self.spent, self.judged_at, self.mark = 0.0, 0.0, time.process_time()

    def start(self, solver: Any) -> None:
        """Judge the untrained policy, and begin to count."""
        self._judge(0, solver)

    def __call__(self, step: int, solver: Any) -> None:
        """Called after each round of updates.

        Raises
        ------
        Enough
            Once the run had as many steps and as much time as it is given.
        """
        now = time.process_time()
        self.spent, self.mark = self.spent + now - self.mark, now
        enough = step >= self.steps and self.spent >= self.seconds
        if enough or self.spent - self.judged_at >= self.every_s:
            self.judged_at = self.spent
            self._judge(step, solver)
        if enough:
            raise Enough

    def _judge(self, step: int, solver: Any) -> None:
        cost = small_world.mean_cost_ms(self.slots, solver)
        self.rows.append((self.name, self.seed, step, f"{self.spent:.1f}", f"{cost:.6g}"))
        self.mark = time.process_time()


def experiment_of(name: str, rate: float, seed: int, folder: Path, steps: int) -> Any:
    """A library's experiment on the small world, for so many slots of each world."""
    from benchmarl.algorithms import IppoConfig, MaddpgConfig, MappoConfig, MasacConfig
    from benchmarl.experiment import Experiment, ExperimentConfig
    from benchmarl.models.mlp import MlpConfig

    from uara.mec.benchmarl import mec_task

    config = ExperimentConfig.get_from_yaml()
    config.max_n_frames = steps * WORLDS
    config.loggers, config.create_json, config.render, config.evaluation = [], False, False, False
    config.save_folder = folder
    config.gamma, config.lr = 0.0, rate
    config.on_policy_collected_frames_per_batch = ROUND * WORLDS
    config.off_policy_collected_frames_per_batch = ROUND * WORLDS
    config.on_policy_n_envs_per_worker = config.off_policy_n_envs_per_worker = WORLDS
    config.on_policy_n_minibatch_iters, config.on_policy_minibatch_size = 5, 160
    config.off_policy_n_optimizer_steps, config.off_policy_train_batch_size = ROUND, 160
    config.exploration_eps_init, config.exploration_eps_end = 0.3, 0.05
    config.exploration_anneal_frames = 1000 * WORLDS
    kind = {"MAPPO": MappoConfig, "IPPO": IppoConfig, "MADDPG": MaddpgConfig}.get(name, MasacConfig)
    algorithm = kind.get_from_yaml()
    if hasattr(algorithm, "scale_mapping"):
        algorithm.scale_mapping = "biased_softplus_0.2"
    if hasattr(algorithm, "alpha_init"):
        algorithm.alpha_init = 0.01
    actor, critic = (
        MlpConfig(num_cells=[128, 128], layer_class=torch.nn.Linear, activation_class=torch.nn.Tanh)
        for _ in range(2)
    )
    return Experiment(
        task=mec_task(**small_world.WORLD | {"reward": "log"}), algorithm_config=algorithm, model_config=actor,
        critic_model_config=critic, seed=seed, config=config,
    )  # fmt: skip


def runs() -> dict[str, tuple[str, float]]:
    """Algorithm and learning rate of each label of the library's."""
    return {f"{name}, rate {rate:g}": (name, rate) for name, rates in RATES.items() for rate in rates}


def as_solver(policy: Any) -> Any:
    """A library's policy in ``solve``."""
    return policy_solver(policy, size=small_world.SIZE, view="server")


def library(label: str, seed: int, folder: Path, watch: Watch) -> None:
    """Train a library's algorithm at a learning rate until the watch has enough."""
    from benchmarl.experiment import Callback

    class Hook(Callback):  # type: ignore[misc]
        def on_train_end(self, training_td: Any, group: str) -> None:
            watch(self.experiment.total_frames // WORLDS, as_solver(self.experiment.policy))

    name, rate = runs()[label]
    experiment, hook = experiment_of(name, rate, seed, folder, 10**6), Hook()
    hook.experiment = experiment  # given to the constructor it would be pickled
    experiment.callbacks.append(hook)
    watch.start(as_solver(experiment.policy))
    experiment.run()


def in_house(_: str, seed: int, folder: Path, watch: Watch) -> None:
    """Train the in-house learner until the watch has enough; it is judged through what anybody sees."""
    from uara.solvers.masac.loop import Training
    from uara.solvers.masac.settings import TrainingSettings

    from uara.mec.batch import WorldSettings
    from uara.mec.pools import open_pool
    from uara.mec.views import slot_seen
    from uara.trainer import Listener

    def policy(seen: Any) -> Any:
        with torch.no_grad():
            return training.learner.all_pairs(slot_seen(torch.as_tensor(seen)[None])).mean[0].numpy()

    solver = policy_solver(policy, scale="raw", name="in-house")
    settings = TrainingSettings(
        seed=seed, worlds=WorldSettings(), sizes=[small_world.SIZE], held_out_sizes=[], steps=10**6,
        parallel_worlds=WORLDS, slots_per_episode=small_world.WORLD["slots"], updates_per_step=1,
        validate_every=10**6, checkpoint_every=10**6, warmup_steps=10,
    )  # fmt: skip
    listener = Listener(
        report=lambda _: watch.start(solver), progress=lambda row: watch(int(row["step"]), solver)
    )
    training = Training(settings, folder, "", listener)
    training.prepare(open_pool("urban"), resume=False)
    training.run()


def main(
    output: Annotated[Path, typer.Option(help="Curves as .csv.")] = Path("comparison.csv"),
    steps: Annotated[int, typer.Option(min=0, help="Slots of each of the 16 worlds, at least.")] = 400,
    seconds: Annotated[float, typer.Option(min=0, help="Processor seconds of training, at least.")] = 30.0,
    seed: Annotated[list[int], typer.Option(help="Repeatable.")] = [1, 2, 3],  # noqa: B006
    only: Annotated[
        list[str], typer.Option(help="One algorithm, as it is called in the output; repeatable.")
    ] = [],  # noqa: B006
) -> None:
    """Train each until it had both, judge it all the while and record its curve."""
    torch.set_num_threads(1)
    slots = small_world.held_out()
    rows, known = small_world.load(output) if output.exists() else ([], {})
    done = {row[:2] for row in rows}
    for each in seed:
        for name in only or [IN_HOUSE, *runs()]:
            if (name, each) in done:
                continue
            watch = Watch(name, each, slots, steps, seconds)
            train: Callable[..., None] = in_house if name == IN_HOUSE else library
            with tempfile.TemporaryDirectory() as folder, contextlib.suppress(Enough):
                train(name, each, Path(folder), watch)
            rows += watch.rows
            print(watch.rows[0], watch.rows[-1], flush=True)
            small_world.save(output, rows, known)
    if set(known) != set(small_world.REFERENCES):
        small_world.save(output, rows, small_world.references(slots))


if __name__ == "__main__":
    typer.run(main)
