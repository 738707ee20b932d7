"""Other libraries' checkers pass, and their agents learn; the in-house agent learns through the public faces alone."""

from __future__ import annotations

import importlib
from pathlib import Path

import numpy as np
import pytest
from mec.pools import make_pool
from mec.worlds import profile_file

pytest.importorskip("torch")
pytest.importorskip("pettingzoo")

import torch
from uara.solvers.masac.association import associate_batch
from uara.solvers.masac.loop import Training, wandered
from uara.solvers.masac.network import at_pairs
from uara.solvers.masac.settings import TrainingSettings
from uara.solvers.masac.validation import strongest

from uara import solve
from uara.base.randomness import derived_seed
from uara.mec import policy_solver
from uara.mec.batch import WorldSettings
from uara.mec.vector import MecVectorEnv
from uara.mec.views import slot_seen
from uara.trainer import Listener

ROOT = Path(__file__).parents[2]
EXAMPLES = ROOT / "benchmarks" / "examples" / "learn"
SMALL = {"source": make_pool(), "sizes": [(9, 3)], "slots": 4, "scale": "unit"}


def example(name, monkeypatch):
    """A script of the examples, as a module."""
    monkeypatch.syspath_prepend(str(EXAMPLES))
    return importlib.import_module(name)


@pytest.mark.integration
def test_ppo_comes_half_way_to_the_optimum(monkeypatch):
    pytest.importorskip("stable_baselines3")
    sb3_ppo, small_world = (example(each, monkeypatch) for each in ("sb3_ppo", "small_world"))
    model = sb3_ppo.learner()
    model.learn(400 * model.get_env().num_envs)
    slots = small_world.held_out()
    known = small_world.load(ROOT / "docs" / "masac" / "comparison.csv")[1]  # proving optima takes a minute
    equal = small_world.mean_cost_ms(slots, small_world.REFERENCES["equal shares"]())
    assert equal == pytest.approx(known["equal shares"], rel=1e-5)
    cost = small_world.mean_cost_ms(slots, policy_solver(model))
    assert small_world.part_of_distance(cost, known) > 0.5


@pytest.mark.integration
@pytest.mark.parametrize("name", ["MAPPO", "MASAC (BenchMARL)"])
def test_benchmarls_algorithms_run_and_come_back_into_solve(name, monkeypatch, tmp_path):
    pytest.importorskip("benchmarl", reason="needs uara[marl]")
    comparison, small_world = (example(each, monkeypatch) for each in ("benchmarl_comparison", "small_world"))
    experiment = comparison.experiment_of(name, 3e-4, 1, tmp_path, comparison.ROUND)
    before = [weight.clone() for weight in experiment.policy.parameters()]
    experiment.run()
    assert experiment.total_frames == comparison.ROUND * comparison.WORLDS
    after = list(experiment.policy.parameters())
    assert any(not torch.equal(old, new) for old, new in zip(before, after, strict=True)), "it was trained"
    solver = comparison.as_solver(experiment.policy)
    assert np.isfinite(solve(small_world.held_out()[0], solver).evaluation.controllable_ms)


def test_recorded_comparison_is_the_pages_table(monkeypatch):
    compare, small_world = (example(each, monkeypatch) for each in ("compare", "small_world"))
    rows, known = small_world.load(ROOT / "docs" / "masac" / "comparison.csv")
    curves = compare.curves_of(rows)
    assert {name.split(",")[0] for name in curves} >= {"MASAC (in-house)", "MAPPO", "IPPO", "MADDPG"}
    assert all(len(runs) == 3 for runs in curves.values())
    assert set(known) == set(small_world.REFERENCES)
    assert compare.table(curves, known) in (ROOT / "docs" / "own-policy.md").read_text()


def test_comparison_interpolates_between_judgements(monkeypatch):
    compare = example("compare", monkeypatch)
    rows = [("A", 1, 0, "0", "10"), ("A", 1, 10, "4", "6"), ("A", 2, 0, "0", "10"), ("A", 2, 20, "4", "4")]
    curves = compare.curves_of(rows)
    assert compare.common(curves, 0) == 10
    np.testing.assert_allclose(compare.at(curves["A"], 0, 10.0), [6, 7])
    np.testing.assert_allclose(compare.at(curves["A"], 1, 2.0), [8, 7])
    assert compare.half_width(np.array([6.0, 7.0])) == pytest.approx(12.706 * 0.5, rel=1e-3)


def test_a_watched_run_ends_once_it_had_steps_and_time(monkeypatch):
    comparison = example("benchmarl_comparison", monkeypatch)
    monkeypatch.setattr(comparison.small_world, "mean_cost_ms", lambda slots, solver: 7.0)
    watch = comparison.Watch("A", 1, [], steps=3, seconds=0.0)
    watch.start(None)
    watch(1, None)
    with pytest.raises(comparison.Enough):
        watch(3, None)
    assert [row[2] for row in watch.rows] == [0, 1, 3]


class Outside(Training):
    """The in-house agent, fed by what anybody can see: observations, devices' rewards, an own association rule."""

    def prepare(self, pool, *, resume, device="cpu"):
        super().prepare(pool, resume=resume, device=device)
        seen, _ = pool.split(self.settings.validation_part)
        self.env = MecVectorEnv(
            self.settings.parallel_worlds, seen, self._rule, sizes=self.settings.sizes,
            slots=self.settings.slots_per_episode, settings=self.settings.worlds, autoreset_mode="Disabled",
        )  # fmt: skip
        self.over = True

    def _rule(self, slot, log_weight, start):
        return wandered(slot, associate_batch(slot, log_weight, start), self.settings.wandering)

    def _act(self, group):
        if self.over:
            number = derived_seed(self.settings.seed, "episode", self.step, group.episode)
            group.slot = slot_seen(torch.as_tensor(self.env.reset(seed=number)[0]))
            group.episode += 1
        slot = group.slot
        with torch.no_grad():
            log_weight = self.learner.all_pairs(slot).rsample()
        seen, _, _, over, facts = self.env.step(log_weight.numpy())
        self.over = bool(over.all())
        association, reward = torch.as_tensor(facts["association"]), torch.as_tensor(facts["device_reward"])
        group.replay.add(slot, association, at_pairs(log_weight, association), reward, self.over)
        group.slot, group.association = slot_seen(torch.as_tensor(seen)), association
        return float(reward.mean())


@pytest.mark.integration
def test_the_in_house_agent_learns_the_same_through_the_public_faces(tmp_path):
    settings = TrainingSettings(
        seed=3, steps=300, warmup_steps=10, updates_per_step=1, validate_every=100, sizes=[(12, 3)],
        held_out_sizes=[], worlds=WorldSettings(profile=profile_file(str(tmp_path))), batch_devices=96,
    )  # fmt: skip
    gaps = {}
    for kind in (Training, Outside):
        rows = []
        listener = Listener()
        object.__setattr__(listener, "report", lambda row, rows=rows: rows.append(dict(row)))
        run = kind(settings, tmp_path / kind.__name__, "", listener)
        (tmp_path / kind.__name__).mkdir()
        run.prepare(make_pool(), resume=False)
        run.run()
        gaps[kind] = [row["gap"] for row in rows]
        assert strongest(run.groups[0].slot).shape == (settings.parallel_worlds, 12)
    inside, outside = gaps[Training], gaps[Outside]
    assert inside[-1] < 0.5 * inside[0], "the in-house run learns at all"
    assert outside[-1] == pytest.approx(inside[-1], rel=0.25)
    assert outside[0] == inside[0]
