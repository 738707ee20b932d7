"""BenchMARL's MAPPO, IPPO and MADDPG and the in-house MASAC on the small world, at equal steps, judged in ``solve``.

python benchmarks/examples/learn/benchmarl_comparison.py --output comparison.csv    # pip install 'uara[marl]'
"""

from __future__ import annotations

import tempfile
import time
from pathlib import Path
from typing import Annotated, Any

import small_world
import torch
import typer

WORLDS = 16
EPISODES = 4
"""Episodes of all worlds that are played between two rounds of updates."""


def benchmarl_policy(name: str, steps: int, seed: int, folder: Path) -> Any:
    """A policy that a library's algorithm trained for so many slots of each world."""
    from benchmarl.algorithms import IppoConfig, MaddpgConfig, MappoConfig
    from benchmarl.experiment import Experiment, ExperimentConfig
    from benchmarl.models.mlp import MlpConfig

    from uara.mec.benchmarl import mec_task

    config = ExperimentConfig.get_from_yaml()
    batch = WORLDS * small_world.WORLD["slots"] * EPISODES
    config.max_n_frames = steps * WORLDS
    config.loggers, config.create_json, config.render, config.evaluation = [], False, False, False
    config.save_folder = folder
    config.gamma, config.lr = 0.0, 1e-3
    config.on_policy_collected_frames_per_batch = config.off_policy_collected_frames_per_batch = batch
    config.on_policy_n_envs_per_worker = config.off_policy_n_envs_per_worker = WORLDS
    config.on_policy_n_minibatch_iters, config.on_policy_minibatch_size = 5, 160
    config.off_policy_n_optimizer_steps, config.off_policy_train_batch_size = 40, 160
    algorithm = {"MAPPO": MappoConfig, "IPPO": IppoConfig, "MADDPG": MaddpgConfig}[name]
    model = MlpConfig(num_cells=[128, 128], layer_class=torch.nn.Linear, activation_class=torch.nn.Tanh)
    task = mec_task(**small_world.WORLD | {"reward": "log"})
    experiment = Experiment(
        task=task, algorithm_config=algorithm.get_from_yaml(), model_config=model,
        critic_model_config=model, seed=seed, config=config,
    )  # fmt: skip
    experiment.run()
    return experiment.policy


def masac_policy(steps: int, seed: int, folder: Path) -> Path:
    """The file of the policy that the in-house learner trained for so many slots of each world."""
    from uara.solvers.masac.loop import Training
    from uara.solvers.masac.settings import TrainingSettings

    from uara.mec.batch import WorldSettings
    from uara.mec.pools import open_pool
    from uara.trainer import Listener

    settings = TrainingSettings(
        seed=seed, worlds=WorldSettings(), sizes=[small_world.SIZE], held_out_sizes=[], steps=steps,
        parallel_worlds=WORLDS, slots_per_episode=small_world.WORLD["slots"], updates_per_step=1,
        validate_every=max(1, steps // 10), warmup_steps=10,
    )  # fmt: skip
    training = Training(settings, folder, "", Listener())
    training.prepare(open_pool("urban"), resume=False)
    training.run()
    return folder / "policy.onnx"


def judged(name: str, steps: int, seed: int, slots: Any) -> tuple[float, float]:
    """Processor seconds of training, and the mean cost on the held-out slots."""
    from uara import solve
    from uara.mec import policy_solver

    with tempfile.TemporaryDirectory() as folder:
        began = time.process_time()
        if name == "MASAC (in-house)":
            options = {"policy": str(masac_policy(steps, seed, Path(folder)))}
            spent = time.process_time() - began
            costs = [solve(each, "tma-masac", options=options).evaluation.controllable_ms for each in slots]
            return spent, sum(costs) / len(costs)
        policy = benchmarl_policy(name, steps, seed, Path(folder))
        spent = time.process_time() - began
        solver = policy_solver(policy, size=small_world.SIZE, view="server")
        return spent, small_world.mean_cost_ms(slots, solver)


def main(
    output: Annotated[Path, typer.Option(help="Results as .csv.")] = Path("comparison.csv"),
    steps: Annotated[int, typer.Option(min=40, help="Slots of each of the 16 worlds.")] = 400,
    seeds: Annotated[int, typer.Option(min=1)] = 3,
    only: Annotated[str, typer.Option(help="One algorithm.")] = "",
) -> None:
    """Train each for the same number of slots, judge and record."""
    torch.set_num_threads(1)
    slots, rows = small_world.held_out(), []
    names = [only] if only else ["MASAC (in-house)", "MAPPO", "IPPO", "MADDPG"]
    for seed in range(1, seeds + 1):
        for name in names:
            spent, cost = judged(name, steps, seed, slots)
            rows.append((name, seed, steps, f"{spent:.1f}", f"{cost:.6g}"))
            print(rows[-1], flush=True)
            small_world.save(output, rows, {})


if __name__ == "__main__":
    typer.run(main)
