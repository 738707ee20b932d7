"""Stable-Baselines3's PPO on the small world: one agent a pair, then back into ``solve``.

python benchmarks/examples/learn/sb3_ppo.py --output curve.csv      # a minute on one core, and as much for the optimum
"""

from __future__ import annotations

import time
from pathlib import Path
from typing import Annotated, Any

import small_world
import torch
import typer
from stable_baselines3 import PPO
from stable_baselines3.common.callbacks import BaseCallback

from uara.mec import policy_solver
from uara.mec.sb3 import WorldsVecEnv
from uara.mec.vector import PairVectorEnv


def learner(worlds: int = 16, seed: int = 1) -> PPO:
    """PPO with small first steps; a slot's decision hardly touches the next one, so nothing is bootstrapped."""
    env = WorldsVecEnv(PairVectorEnv(worlds, autoreset_mode="SameStep", **small_world.WORLD))
    return PPO(
        "MlpPolicy", env, n_steps=8, batch_size=1024, n_epochs=5, gamma=0.0, gae_lambda=0.0,
        learning_rate=1e-3, seed=seed, device="cpu",
        policy_kwargs={"log_std_init": -2.0, "net_arch": [64, 64]},
    )  # fmt: skip


class Curve(BaseCallback):
    """Judges the policy on the held-out slots every so many updates."""

    def __init__(self, every: int, seed: int) -> None:
        super().__init__()
        self.every, self.seed_ = every, seed
        self.slots = small_world.held_out()
        self.rows: list[tuple[Any, ...]] = []
        self.began = time.process_time()
        self.judging_s = 0.0

    def _on_rollout_start(self) -> None:
        steps = self.num_timesteps // self.training_env.num_envs
        if steps % (self.every * self.model.n_steps):
            return
        mark = time.process_time()
        cost = small_world.mean_cost_ms(self.slots, policy_solver(self.model))
        self.judging_s += time.process_time() - mark
        spent = time.process_time() - self.began - self.judging_s
        self.rows.append(("PPO (Stable-Baselines3)", self.seed_, steps, f"{spent:.1f}", f"{cost:.6g}"))
        print(self.rows[-1], flush=True)

    def _on_step(self) -> bool:
        return True


def main(
    output: Annotated[Path, typer.Option(help="Curve as .csv.")] = Path("sb3_ppo.csv"),
    steps: Annotated[int, typer.Option(min=8, help="Slots of each of the 16 worlds.")] = 1200,
    seed: Annotated[int, typer.Option(min=0)] = 1,
    every: Annotated[int, typer.Option(min=1, help="Updates between two judgements.")] = 10,
) -> None:
    """Train, judge and record."""
    torch.set_num_threads(1)
    curve, model = Curve(every, seed), learner(seed=seed)
    model.learn(steps * model.get_env().num_envs, callback=curve)
    spent = time.process_time() - curve.began - curve.judging_s
    known = small_world.references(curve.slots)
    cost = small_world.mean_cost_ms(curve.slots, policy_solver(model))
    curve.rows.append(("PPO (Stable-Baselines3)", seed, steps, f"{spent:.1f}", f"{cost:.6g}"))
    small_world.save(output, curve.rows, known)
    for name, value in known.items():
        print(f"{name:20}{value:12.1f} ms{100 * small_world.part_of_distance(value, known):9.1f} %")
    print(f"{'PPO':20}{cost:12.1f} ms{100 * small_world.part_of_distance(cost, known):9.1f} %")


if __name__ == "__main__":
    typer.run(main)
