"""Checkpoints: what goes in comes out, bit by bit, and damage is named."""

from __future__ import annotations

import json
from types import SimpleNamespace

import pytest
import torch
from mec.learners import make_batch, make_learner
from uara.solvers.masac import checkpoint

from uara import InputError

SETTINGS = {"seed": 1, "steps": 100, "learner": {"width": 16}}


def progress(step=7):
    return {
        "settings": SETTINGS,
        "step": step,
        "best_gap": 0.02,
        "best_step": 5,
        "elapsed_s": 3.5,
        "mean_return": -0.5,
    }


def side_of(folder):
    (found,) = folder.glob("checkpoint.*.safetensors")
    return found


def trained(tmp_path, updates=3):
    learner = make_learner(discount=0.5)
    batch = make_batch(str(tmp_path), learner)
    for _ in range(updates):
        learner.update(batch)
    return learner, batch


def test_a_resumed_learner_goes_on_as_the_first_would_have(tmp_path):
    learner, batch = trained(tmp_path)
    checkpoint.save(tmp_path, learner, progress())
    first = [learner.update(batch) for _ in range(3)]
    other = make_learner(seed=99, discount=0.5)
    read = checkpoint.load(tmp_path, other, SETTINGS)
    assert (read.step, read.best_gap, read.best_step, read.elapsed_s) == (7, 0.02, 5, 3.5)
    assert read.mean_return == -0.5
    assert [other.update(batch) for _ in range(3)] == first


def test_nothing_is_pickled(tmp_path):
    learner, _ = trained(tmp_path, 1)
    checkpoint.save(tmp_path, learner, progress())
    digest = json.loads((tmp_path / "checkpoint.json").read_text())["tensors_sha256"]
    assert sorted(path.name for path in tmp_path.glob("checkpoint.*")) == sorted(
        ["checkpoint.json", f"checkpoint.{digest[:12]}.safetensors"]
    )
    assert side_of(tmp_path).read_bytes()[8:9] == b"{"


def test_a_kill_between_the_two_files_leaves_the_old_checkpoint(tmp_path, monkeypatch):
    learner, batch = trained(tmp_path)
    checkpoint.save(tmp_path, learner, progress())
    expected = torch.cat([p.detach().flatten().clone() for p in learner.actor.parameters()])
    learner.update(batch)

    def killed(path, data):
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(checkpoint.files, "write_json", killed)
        with pytest.raises(KeyboardInterrupt):
            checkpoint.save(tmp_path, learner, progress(8))
    other = make_learner(seed=99, discount=0.5)
    assert checkpoint.load(tmp_path, other, SETTINGS).step == 7
    assert torch.equal(torch.cat([p.detach().flatten() for p in other.actor.parameters()]), expected)
    checkpoint.save(tmp_path, learner, progress(9))
    assert side_of(tmp_path), "the next checkpoint leaves one pair of files"
    assert checkpoint.load(tmp_path, other, SETTINGS).step == 9


def test_more_steps_may_be_asked_for_but_nothing_else_may_change(tmp_path):
    learner, _ = trained(tmp_path, 1)
    checkpoint.save(tmp_path, learner, progress())
    checkpoint.load(tmp_path, make_learner(discount=0.5), {**SETTINGS, "steps": 900})
    with pytest.raises(InputError, match=r"settings\.seed.*differs"):
        checkpoint.load(tmp_path, make_learner(discount=0.5), {**SETTINGS, "seed": 2})


def test_a_checkpoint_with_the_former_names_of_settings_is_resumed(tmp_path):
    learner, _ = trained(tmp_path, 1)
    named = {**SETTINGS, "learner": {"tau": 0.005, "width": 16}}
    former = {**SETTINGS, "learner": {"soft_update": 0.005, "width": 16}}
    checkpoint.save(tmp_path, learner, {**progress(), "settings": former})
    assert checkpoint.read(tmp_path, named).settings == former
    with pytest.raises(InputError, match=r"settings\.learner.*differs"):
        checkpoint.read(tmp_path, {**named, "learner": {"tau": 0.5, "width": 16}})


def test_files_that_do_not_belong_together_are_refused(tmp_path):
    learner, _ = trained(tmp_path, 1)
    with pytest.raises(InputError, match="holds no checkpoint"):
        checkpoint.load(tmp_path, learner, SETTINGS)
    checkpoint.save(tmp_path, learner, progress())
    tensors = side_of(tmp_path)
    tensors.write_bytes(tensors.read_bytes()[:-4])
    with pytest.raises(InputError, match="is not the file"):
        checkpoint.load(tmp_path, learner, SETTINGS)


def test_another_version_or_width_is_refused(tmp_path):
    learner, _ = trained(tmp_path, 1)
    checkpoint.save(tmp_path, learner, progress())
    from uara.solvers.masac.learner import Learner, LearnerSettings

    with pytest.raises(InputError, match="does not fit the learner"):
        checkpoint.load(tmp_path, Learner(LearnerSettings(width=8)), SETTINGS)
    path = tmp_path / "checkpoint.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), "version": 5}))
    with pytest.raises(InputError, match="version 5"):
        checkpoint.load(tmp_path, learner, SETTINGS)


def test_the_random_stream_is_restored(tmp_path):
    learner, _ = trained(tmp_path, 1)
    torch.manual_seed(11)
    checkpoint.save(tmp_path, learner, progress())
    expected = torch.rand(3)
    checkpoint.load(tmp_path, learner, SETTINGS)
    assert torch.equal(torch.rand(3), expected)


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
def test_the_random_stream_of_a_cuda_device_is_restored(tmp_path):
    from uara.solvers.masac.learner import Learner, LearnerSettings

    learner = Learner(LearnerSettings(width=8), "cuda")
    checkpoint.save(tmp_path, learner, progress())
    expected = torch.rand(3, device="cuda")
    checkpoint.load(tmp_path, learner, SETTINGS)
    assert torch.equal(torch.rand(3, device="cuda"), expected)


def test_a_cuda_stream_is_kept_only_where_the_learner_is_there(tmp_path, monkeypatch):
    """What a CUDA device would be asked, told to a stand-in: most machines of the tests have none."""
    learner, _ = trained(tmp_path, 1)
    state, restored = torch.arange(16, dtype=torch.uint8), []
    monkeypatch.setattr(torch.cuda, "get_rng_state", lambda device: state)
    monkeypatch.setattr(torch.cuda, "set_rng_state", lambda value, device: restored.append((value, device)))
    checkpoint.save(tmp_path, learner, progress())
    checkpoint.load(tmp_path, learner, SETTINGS)
    assert not restored

    learner.log_temperature = SimpleNamespace(device=torch.device("cuda", 0))
    monkeypatch.setattr(learner, "state", dict)
    monkeypatch.setattr(learner, "load_state", lambda parts: None)
    checkpoint.save(tmp_path, learner, progress())
    checkpoint.load(tmp_path, learner, SETTINGS)
    assert [(value.tolist(), str(device)) for value, device in restored] == [(state.tolist(), "cuda:0")]


def test_only_the_replaced_checkpoints_tensors_are_removed(tmp_path):
    learner = make_learner()
    mine = tmp_path / "checkpoint.0123456789ab.safetensors"
    mine.write_text("a user's own")
    for step in (1, 2):
        checkpoint.save(tmp_path, learner, progress(step))
        with torch.no_grad():
            learner.log_temperature += 1.0
    assert mine.exists()
    assert len(list(tmp_path.glob("checkpoint.*.safetensors"))) == 2
