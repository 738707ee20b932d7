"""Policy files and inference: equal to the PyTorch network, and one clear error for anything else."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time

import numpy as np
import pytest
import torch
from cases import make_instance
from mec.learners import make_learner, make_slot
from uara.solvers.masac import features
from uara.solvers.masac.policy import (
    POLICY_VERSION,
    SHIPPED,
    PairNumbers,
    Policy,
    PolicyHeader,
    pair_numbers,
    policy_shapes,
)

from uara import InputError, files
from uara.model import coefficients


def as_policy(learner):
    header = PolicyHeader(
        version=POLICY_VERSION,
        kind="uara-masac-policy",
        width=learner.settings.width,
        prior=learner.settings.prior,
        features=list(features.NAMES),
        training={"seed": 1},
    )
    return Policy(header, {name: value.numpy() for name, value in learner.actor.state_dict().items()})


@pytest.mark.parametrize("prior", ["uniform", "rules"])
@pytest.mark.parametrize("size", [(20, 4), (7, 2), (30, 6)])
def test_numpy_equals_the_torch_network(tmp_path, prior, size):
    slot = make_slot(str(tmp_path), devices=size[0], servers=size[1], payload_factor_range=(1.0, 3e4))
    learner = make_learner(prior=prior)
    with torch.no_grad():
        expected = learner.all_pairs(slot.map(lambda tensor: tensor)).mean.numpy()
    numbers = PairNumbers(**{name: value.double().numpy() for name, value in vars(slot).items()})
    usable = np.isfinite(numbers.uplink_ms)
    found = as_policy(learner).mean(numbers)
    np.testing.assert_allclose(found[usable], expected[usable], rtol=1e-5, atol=1e-5)


def test_a_policy_survives_its_file(tmp_path):
    made = as_policy(make_learner())
    made.save(tmp_path / "policy.npz")
    read = Policy.load(tmp_path / "policy.npz")
    assert read.header == made.header
    for name, array in made.weights.items():
        np.testing.assert_array_equal(read.weights[name], array)


def test_shapes_are_those_of_the_network():
    state = make_learner().actor.state_dict()
    assert policy_shapes(16) == {name: tuple(value.shape) for name, value in state.items()}


def test_instances_get_one_log_weight_per_usable_pair():
    instance = make_instance(15, 4)
    band, compute = as_policy(make_learner()).log_weights(instance)
    assert band.shape == compute.shape == (len(instance.channel.pair_server),)
    numbers = pair_numbers(coefficients(instance), instance.devices.battery_fraction)
    whole = as_policy(make_learner()).mean(numbers)[0]
    pair = coefficients(instance).pair_start[3]
    server = instance.channel.pair_server[pair]
    assert band[pair] == pytest.approx(whole[3, server, 0])
    assert compute[pair] == pytest.approx(whole[3, server, 1])


def test_damaged_files_get_one_clear_error(tmp_path):
    path = tmp_path / "policy.npz"
    made = as_policy(make_learner())
    made.save(path)
    whole = path.read_bytes()
    for cut in (0, 10, len(whole) // 2, len(whole) - 5):
        path.write_bytes(whole[:cut])
        with pytest.raises(InputError, match=r"policy\.npz.*not an array archive"):
            Policy.load(path)
    with pytest.raises(InputError, match="no such file"):
        Policy.load(tmp_path / "nothing.npz")


def rewrite(path, header=None, **arrays):
    made = as_policy(make_learner())
    plain = {**made.header.model_dump(), **(header or {})}
    content = {**made.weights, "header": np.frombuffer(json.dumps(plain).encode(), np.uint8), **arrays}
    path.write_bytes(files.arrays_to_bytes({k: v for k, v in content.items() if v is not None}))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"header": {"version": 99}}, "is of version 99, this release reads version 1"),
        ({"header": {"kind": "other"}}, r"\$\.kind"),
        ({"header": {"width": 32}}, r"has shape .* not \("),
        ({"header": {"features": ["x"]}}, "trained on other features"),
        ({"head.weight": np.ones((4, 17), np.float32)}, r"head\.weight: has shape \(4, 17\), not \(4, 16\)"),
        ({"own.bias": None}, r"own\.bias are missing"),
        ({"own.bias": np.full(16, np.nan, np.float32)}, r"own\.bias.*not finite"),
        ({"more": np.ones(2)}, "no part of a policy"),
    ],
)
def test_wrong_contents_get_one_clear_error(tmp_path, change, message):
    path = tmp_path / "policy.npz"
    rewrite(path, change.pop("header", None), **change)
    with pytest.raises(InputError, match=message) as caught:
        Policy.load(path)
    assert "policy.npz" in str(caught.value)


def test_a_file_without_a_header_is_refused(tmp_path):
    path = tmp_path / "policy.npz"
    path.write_bytes(files.arrays_to_bytes({"x": np.ones(3)}))
    with pytest.raises(InputError, match="no readable header"):
        Policy.load(path)


def test_an_instance_too_large_for_a_dense_pass_is_refused(monkeypatch):
    monkeypatch.setattr("uara.solvers.masac.policy.MOST_PAIRS", 50)
    with pytest.raises(InputError, match="60 device-server pairs"):
        as_policy(make_learner()).log_weights(make_instance(15, 4))


def test_the_shipped_policy_is_small_and_says_how_it_was_made():
    assert SHIPPED.stat().st_size <= 2 * 2**20
    training = Policy.load().header.training
    assert {"settings", "command", "validation", "versions"} <= set(training)
    assert training["settings"]["pool"]["seed"] >= 1_000_000, "held-out instances use small seeds"
    assert training["validation"]["gap"] < 0.05


def test_one_forward_pass_at_e20_m180_takes_milliseconds():
    instance = make_instance(180, 20, 1)
    policy = Policy.load()
    policy.log_weights(instance)
    times = []
    for _ in range(9):
        begin = time.thread_time()  # of this thread: the machine may be busy
        policy.log_weights(instance)
        times.append(time.thread_time() - begin)
    assert min(times) <= 0.020


def test_solving_needs_no_learning_library(tmp_path):
    """A plain install: neither torch nor any extra may be imported on the way to an answer."""
    make_instance(12, 3).save(tmp_path / "small.json")
    blocked = [
        "torch",
        "safetensors",
        "tensorboard",
        "gymnasium",
        "pettingzoo",
        "sionna",
        "matplotlib",
        "pandas",
    ]
    script = (
        "import sys\n"
        f"for name in {blocked!r}: sys.modules[name] = None\n"
        "from uara.cli import main\n"
        f"main(['solve', {str(tmp_path / 'small.json')!r}, '--solver', 'tma-masac', '--json'])\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script],
        capture_output=True,
        text=True,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)[0]["feasible"]
