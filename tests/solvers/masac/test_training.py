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
from mec.runs import configure
from uara.solvers.masac import training as module
from uara.solvers.masac.policy import Policy
from uara.solvers.masac.training import train

from uara import InputError, MissingExtra
from uara.base import locks
from uara.trainer import Listener


def table(folder):
    with (folder / "log.csv").open() as file:
        return list(csv.DictReader(file))


def initializers(path):
    """The weights in a policy file."""
    return [each.raw_data for each in onnx.load_model_from_string(path.read_bytes()).graph.initializer]


@pytest.mark.integration
def test_a_run_leaves_policy_log_and_checkpoint(tmp_path):
    seen = []
    policy = train(
        configure(tmp_path),
        tmp_path / "run",
        listener=Listener(report=seen.append),
        command="uara train small.toml",
    )
    assert [int(float(row["step"])) for row in seen] == [0, 4, 8]
    assert [row["step"] for row in table(tmp_path / "run")] == ["0", "4", "8"]
    header = Policy.load(policy).header
    assert header.training["command"] == "uara train small.toml"
    assert header.training["settings"]["seed"] == 3
    assert header.training["validation"]["gap"] == min(row["gap"] for row in seen)
    assert json.loads((tmp_path / "run" / "checkpoint.json").read_text())["step"] == 8
    for row in seen[1:]:
        assert 0 < row["slots_per_s"] < 1e6
        assert -1e-6 < row["live_gap"] < 1e3, "no allocation beats the exact one"
        assert np.isfinite(row["return"])


@pytest.mark.integration
def test_each_step_is_shown(tmp_path):
    seen = []
    train(configure(tmp_path), tmp_path / "run", listener=Listener(progress=seen.append))
    assert [row["step"] for row in seen] == list(range(1, 9))
    assert {row["steps"] for row in seen} == {8.0}
    assert all(row["slots_per_s"] > 0 and np.isfinite(row["best_gap"]) for row in seen)
    assert "temperature" not in seen[1], "the warm-up has no updates"
    assert "temperature" in seen[-1]


@pytest.mark.integration
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


class Killed(BaseException):
    """Ends a run where it stands."""


def cut_off(config, folder, after):
    """A run that ends without a word after so many steps."""

    def progress(row):
        if row["step"] == after:
            raise Killed

    with pytest.raises(Killed):
        train(config, folder, listener=Listener(progress=progress))


def test_what_was_logged_beyond_the_checkpoint_comes_once(tmp_path):
    folder = tmp_path / "run"
    config = configure(tmp_path, checkpoint_every=6, validate_every=2, tolerance=10.0, steps=12)
    cut_off(config, folder, after=11)
    assert [row["step"] for row in table(folder)] == ["0", "2", "4", "6", "8", "10"]
    assert json.loads((folder / "checkpoint.json").read_text())["step"] == 6
    train(config, folder, resume=True)
    assert [row["step"] for row in table(folder)] == ["0", "2", "4", "6", "8", "10", "12"]


@pytest.mark.integration
def test_a_run_can_be_resumed_from_its_first_step_on(tmp_path):
    config, folder = configure(tmp_path, checkpoint_every=100, imitation_steps=2), tmp_path / "run"
    cut_off(config, folder, after=1)
    assert json.loads((folder / "checkpoint.json").read_text())["step"] == 0
    train(config, folder, resume=True)
    train(config, tmp_path / "straight")
    assert initializers(folder / "policy.onnx") == initializers(tmp_path / "straight" / "policy.onnx")
    assert [row["step"] for row in table(folder)] == ["0", "4", "8"]


@pytest.mark.integration
def test_the_checkpoint_knows_the_policy_that_was_written(tmp_path):
    config, folder = configure(tmp_path, checkpoint_every=1000, tolerance=1e-12), tmp_path / "run"
    cut_off(config, folder, after=7)
    found = json.loads((folder / "checkpoint.json").read_text())
    assert found["best_gap"] == Policy.load(folder / "policy.onnx").header.training["validation"]["gap"]


def test_without_a_checkpoint_there_is_nothing_to_resume(tmp_path):
    with pytest.raises(InputError, match="holds no checkpoint: start without"):
        train(configure(tmp_path), tmp_path / "run", resume=True)


@pytest.fixture
def no_pool(monkeypatch):
    """Whoever asks for the pool has asked too soon."""

    def asked(*arguments):
        raise AssertionError("the pool is simulated before a cheap check")

    monkeypatch.setattr(module, "obtain_pool", asked)


@pytest.mark.parametrize(
    ("device", "message"),
    [
        ("tpu", "--device: 'tpu' is neither cpu nor cuda"),
        ("cuda:x", "--device: 'cuda:x' is neither"),
        ("cuda:99", "--device: PyTorch finds no device 'cuda:99' here"),
    ],
)
def test_devices_that_are_not_there_are_named_at_once(tmp_path, no_pool, device, message):
    with pytest.raises(InputError, match=message):
        train(configure(tmp_path), tmp_path / "run", device=device)


def test_cuda_without_cuda_is_an_error_of_the_option(tmp_path, no_pool, monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    with pytest.raises(InputError, match="--device: PyTorch finds no device 'cuda' here"):
        train(configure(tmp_path), tmp_path / "run", device="cuda")


@pytest.mark.parametrize("library", ["onnx", "safetensors"])
def test_missing_libraries_are_named_at_once(tmp_path, no_pool, monkeypatch, library):
    monkeypatch.setitem(sys.modules, library, None)
    with pytest.raises(MissingExtra, match=rf"{library} is not installed.*uara\[learn\]"):
        train(configure(tmp_path), tmp_path / "run")


def test_folders_are_looked_at_before_the_pool_is_simulated(tmp_path, no_pool):
    config, folder = configure(tmp_path), tmp_path / "run"
    (tmp_path / "file").write_text("")
    with pytest.raises(InputError, match="file/run: cannot be written"):
        train(config, tmp_path / "file" / "run")
    with pytest.raises(InputError, match="holds no checkpoint"):
        train(config, folder, resume=True)
    folder.mkdir()
    (folder / "checkpoint.json").write_text("{}")
    with pytest.raises(InputError, match="holds a run already"):
        train(config, folder)
    with pytest.raises(InputError, match=r"checkpoint\.json"):
        train(config, folder, resume=True)


@pytest.mark.integration
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


def test_a_pool_of_other_settings_is_refused(tmp_path):
    config = configure(tmp_path)
    config.write_text(config.read_text().replace("servers = 6", "servers = 5"))
    with pytest.raises(InputError, match="made with other settings"):
        train(config, tmp_path / "run")


def test_a_folder_takes_one_run_at_a_time_and_keeps_what_is_no_runs(tmp_path, no_pool):
    config, folder = configure(tmp_path), tmp_path / "run"
    folder.mkdir()
    with (
        locks.exclusive(folder / ".train.lock"),
        pytest.raises(InputError, match="another uara train writes here"),
    ):
        train(config, folder)
    for name in ("policy.onnx", "log.csv"):
        (folder / name).write_text("somebody's own")
        with pytest.raises(InputError, match=f"{name}: would be replaced"):
            train(config, folder)
        (folder / name).unlink()
