"""A whole run, small: it learns, stops, resumes after a kill, and exports what validation liked best."""

from __future__ import annotations

import csv
import json
import os
import signal
import subprocess
import sys
import time

import numpy as np
import onnx
import pytest
import torch
from mec.learners import make_slot
from mec.pools import make_pool
from mec.runs import configure
from uara.solvers.masac.policy import Policy
from uara.solvers.masac.training import exact_log_weights, split, train, wandered

from uara import InputError


def table(folder):
    with (folder / "log.csv").open() as file:
        return list(csv.DictReader(file))


def initializers(path):
    """The weights in a policy file."""
    return [each.raw_data for each in onnx.load_model_from_string(path.read_bytes()).graph.initializer]


def test_a_run_leaves_policy_log_and_checkpoint(tmp_path):
    seen = []
    policy = train(configure(tmp_path), tmp_path / "run", report=seen.append, command="uara train small.toml")
    assert [int(float(row["step"])) for row in seen] == [0, 4, 8]
    assert [row["step"] for row in table(tmp_path / "run")] == ["0", "4", "8"]
    header = Policy.load(policy).header
    assert header.training["command"] == "uara train small.toml"
    assert header.training["settings"]["seed"] == 3
    assert header.training["validation"]["gap"] == min(row["gap"] for row in seen)
    assert json.loads((tmp_path / "run" / "checkpoint.json").read_text())["step"] == 8


def test_same_seed_same_policy_and_different_seeds_differ(tmp_path):
    config = configure(tmp_path, tolerance=1e-12, imitation_steps=3)
    made = [train(config, tmp_path / name, seed=seed) for name, seed in (("a", 1), ("b", 1), ("c", 2))]
    first, again, other = (initializers(path) for path in made)
    assert first == again
    assert first != other


def test_a_run_resumes_where_its_checkpoint_stands(tmp_path):
    config = configure(tmp_path, steps=4)
    train(config, tmp_path / "run")
    with pytest.raises(InputError, match="holds a run already"):
        train(config, tmp_path / "run")
    longer = configure(tmp_path, steps=8)
    train(longer, tmp_path / "run", resume=True)
    assert [row["step"] for row in table(tmp_path / "run")] == ["0", "4", "8"]


def test_a_killed_run_loses_at_most_one_interval(tmp_path):
    config, folder = configure(tmp_path, steps=4000, patience=10_000), tmp_path / "run"
    words = [sys.executable, "-m", "uara.cli", "train", str(config), "-o", str(folder)]
    script = ["-c", f"import sys; from uara.cli import main; main({words[3:]!r})"]
    running = subprocess.Popen(
        [sys.executable, *script], env={**os.environ, "OMP_NUM_THREADS": "1"},
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    try:
        limit = time.monotonic() + 120
        while len(table(folder)) < 3 if (folder / "log.csv").exists() else True:
            assert running.poll() is None
            assert time.monotonic() < limit
            time.sleep(0.1)
    finally:
        running.send_signal(signal.SIGKILL)
        running.wait()
    played = int(table(folder)[-1]["step"])
    kept = json.loads((folder / "checkpoint.json").read_text())["step"]
    assert kept >= played - 2, "checkpoints are two steps apart"
    config.write_text(config.read_text().replace("steps = 4000", f"steps = {kept + 4}", 1))
    train(config, folder, resume=True)
    assert json.loads((folder / "checkpoint.json").read_text())["step"] == kept + 4


def test_training_stops_when_validation_no_longer_improves(tmp_path):
    seen = []
    config = configure(tmp_path, steps=400, patience=2, tolerance=10.0)
    train(config, tmp_path / "run", report=seen.append)
    assert seen[-1]["step"] == 8


def test_a_pool_of_other_settings_is_refused(tmp_path):
    config = configure(tmp_path)
    config.write_text(config.read_text().replace("servers = 6", "servers = 5"))
    with pytest.raises(InputError, match="made with other settings"):
        train(config, tmp_path / "run")


def test_training_and_validation_share_no_drop():
    pool = make_pool(drops=10)
    seen, unseen = split(pool, 0.2)
    assert len(seen.power_gain) == 8
    assert len(unseen.power_gain) == 2
    for drop in unseen.power_gain:
        assert not any(np.array_equal(drop, other) for other in seen.power_gain)
    with pytest.raises(InputError, match="too small"):
        split(make_pool(drops=1), 0.2)


def test_wanderers_stay_on_usable_pairs_and_only_where_asked(tmp_path):
    slot = make_slot(str(tmp_path), batch=6)
    chosen = slot.uplink_ms.argmin(2)
    torch.manual_seed(0)
    assert torch.equal(wandered(slot, chosen, 1e-9), chosen)
    scattered = wandered(slot, chosen, 1.0)
    assert not torch.equal(scattered, chosen)
    assert torch.isfinite(slot.uplink_ms.gather(2, scattered[:, :, None])).all()


def test_exact_log_weights_are_feasible_shares(tmp_path):
    slot = make_slot(str(tmp_path), payload_factor_range=(500.0, 500.0), plain=0.0)
    association = slot.uplink_ms.argmin(2)
    weight = exact_log_weights(slot, association).exp()
    total = torch.zeros(3, 4).scatter_add(1, association, weight[..., 0])
    assert (total <= 1 + 1e-5).all()
    assert total.max() > 0.99, "band is scarce here"
