"""The training loop: what a step returns, when it validates and stops, and where devices wander."""

from __future__ import annotations

import json

import pytest
import torch
from mec.learners import make_slot
from mec.runs import configure
from uara.solvers.masac.loop import Training, wandered
from uara.solvers.masac.training import train

from uara.trainer import Listener


@pytest.mark.integration
def test_the_return_starts_at_the_first_reward(tmp_path, monkeypatch):
    rewards = iter([-0.8, -0.4, -0.4, -0.4])
    monkeypatch.setattr(Training, "_act", lambda self, group: next(rewards))
    seen, folder = [], tmp_path / "run"
    train(configure(tmp_path, steps=3), folder, listener=Listener(progress=seen.append))
    returns = [row["return"] for row in seen]
    assert returns == pytest.approx([-0.8, -0.78, -0.761])
    assert json.loads((folder / "checkpoint.json").read_text())["mean_return"] == returns[-1]
    train(configure(tmp_path, steps=4), folder, listener=Listener(progress=seen.append), resume=True)
    assert seen[-1]["return"] == pytest.approx(-0.761 + 0.05 * 0.361)


@pytest.mark.integration
def test_buffers_warm_up_again_after_a_resumption(tmp_path):
    folder, seen, lines = tmp_path / "run", [], []
    train(configure(tmp_path, steps=4), folder)
    train(configure(tmp_path, steps=8), folder, resume=True, listener=Listener(progress=seen.append))
    assert ["temperature" in row for row in seen] == [False, False, True, True]
    train(configure(tmp_path, steps=9), folder, resume=True, listener=Listener(note=lines.append))
    assert lines[0] == "no update: the 1 steps left only fill the replay buffers"


def test_wanderers_stay_on_usable_pairs_and_only_where_asked(tmp_path):
    slot = make_slot(str(tmp_path), batch=6)
    chosen = slot.uplink_ms.argmin(2)
    torch.manual_seed(0)
    assert torch.equal(wandered(slot, chosen, 1e-9), chosen)
    scattered = wandered(slot, chosen, 1.0)
    assert not torch.equal(scattered, chosen)
    assert torch.isfinite(slot.uplink_ms.gather(2, scattered[:, :, None])).all()


def test_training_stops_when_validation_no_longer_improves(tmp_path):
    seen = []
    config = configure(tmp_path, steps=400, patience=2, tolerance=10.0)
    train(config, tmp_path / "run", listener=Listener(report=seen.append))
    assert seen[-1]["step"] == 8
