"""Policy files and inference: log-weights of an instance's pairs, and one clear error for a file that gives none."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import onnx
import pytest
from cases import make_instance
from mec.learners import make_learner
from mec.policies import make_header, make_policy
from uara.solvers.masac.export import export, policy_bytes
from uara.solvers.masac.policy import HEADER_KEY, SHIPPED, Policy

from uara import InputError
from uara.base import files
from uara.bench.suite import Suite
from uara.cli import main
from uara.p1.dense import dense_of
from uara.p1.model import coefficients

ROOT = Path(__file__).parents[3]


def test_instances_get_one_log_weight_per_usable_pair():
    instance = make_instance(15, 4)
    band, compute = make_policy(make_learner()).log_weights(instance)
    assert band.shape == compute.shape == (len(instance.channel.pair_server),)
    numbers = dense_of(coefficients(instance), instance.devices.battery_fraction)
    whole = make_policy(make_learner()).mean(numbers)[0]
    pair = coefficients(instance).start[3]
    server = instance.channel.pair_server[pair]
    assert band[pair] == pytest.approx(whole[3, server, 0])
    assert compute[pair] == pytest.approx(whole[3, server, 1])


def test_cut_or_missing_files_get_one_clear_error(tmp_path):
    path, learner = tmp_path / "policy.onnx", make_learner()
    export(learner.actor, make_header(learner), path)
    whole = path.read_bytes()
    for cut in (
        0,
        1,
        10,
        len(whole) // 4,
        len(whole) // 2,
        len(whole) - 2000,
        len(whole) - 5,
        len(whole) - 1,
    ):
        path.write_bytes(whole[:cut])
        with pytest.raises(InputError, match=r"policy\.onnx: .*not a (whole ONNX model|policy file)"):
            Policy.load(path)
    path.write_bytes(files.arrays_to_bytes({"own.bias": np.ones(3)}))
    with pytest.raises(InputError, match="not a whole ONNX model"):
        Policy.load(path)
    with pytest.raises(InputError, match="no such file"):
        Policy.load(tmp_path / "nothing.onnx")


def header(**changes):
    def change(model):
        plain = make_header(make_learner()).model_dump() | changes
        onnx.helper.set_model_props(model, {HEADER_KEY: json.dumps(plain)})

    return change


def without_header(model):
    del model.metadata_props[:]


def other_input(model):
    wrong = onnx.helper.make_tensor_value_info(
        "mask", onnx.TensorProto.FLOAT, ["batch", "devices", "servers"]
    )
    model.graph.input.append(wrong)


def weights(number, change):
    """Replace the weights of a layer."""

    def changed(model):
        at = model.graph.initializer[number]
        array = change(onnx.numpy_helper.to_array(at))
        at.CopyFrom(onnx.numpy_helper.from_array(np.ascontiguousarray(array), at.name))

    return changed


@pytest.mark.integration
@pytest.mark.parametrize(
    ("change", "message"),
    [
        (header(version=99), "is of version 99, this release reads version 1"),
        (header(kind="other"), r"\$\.kind"),
        (header(prior="none"), r"\$\.prior"),
        (header(features=["x"]), "trained on other features"),
        (without_header, "no readable header"),
        (other_input, r"\$\.graph: input mask is not used so"),
        (weights(0, lambda array: array[:-1]), "not a whole ONNX model|its network fails"),
        (weights(-1, lambda array: array[:-1]), "not a whole ONNX model|its network fails"),
        (weights(0, lambda array: array * np.nan), "not finite"),
    ],
)
def test_wrong_contents_get_one_clear_error(tmp_path, change, message):
    path, learner = tmp_path / "policy.onnx", make_learner()
    model = onnx.load_model_from_string(policy_bytes(learner.actor, make_header(learner)))
    change(model)
    path.write_bytes(model.SerializeToString())
    with pytest.raises(InputError, match=message) as caught:
        Policy.load(path)
    assert "policy.onnx" in str(caught.value)


def test_a_bad_policy_file_is_one_line_of_the_command(tmp_path, capfd):
    path = tmp_path / "policy.onnx"
    path.write_bytes(SHIPPED.read_bytes()[:5000])
    make_instance(12, 3).save(tmp_path / "small.json")
    with pytest.raises(SystemExit) as stop:
        main(["solve", str(tmp_path / "small.json"), "--solver", f"tma-masac:policy={path}"])
    assert stop.value.code == 2
    out, err = capfd.readouterr()
    assert out == ""
    assert len(err.strip().splitlines()) == 1
    assert "policy.onnx: not a whole ONNX model" in err


def test_the_time_of_a_pass_grows_with_pairs_where_it_is_whole_and_with_devices_beyond(monkeypatch):
    policy, instance = Policy.load(), make_instance(15, 4, missing=0.0)
    assert policy.cells(instance) == 60
    monkeypatch.setattr("uara.solvers.masac.policy.MOST_PAIRS", 50)
    assert not policy.whole(instance)
    assert policy.cells(instance) <= 60


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


@pytest.mark.integration
def test_solving_needs_no_learning_library(tmp_path):
    """A plain install: neither torch nor any extra may be imported on the way to an answer."""
    make_instance(12, 3).save(tmp_path / "small.json")
    blocked = [
        "torch",
        "onnx",
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


def test_suites_state_the_training_time_of_the_shipped_policy():
    elapsed_s = Policy.load().header.training["validation"]["elapsed_s"]
    stated = [
        entry.training_s
        for path in (ROOT / "benchmarks").glob("*.toml")
        for entry in Suite.load(path).solvers
        if entry.training_s is not None
    ]
    assert stated
    assert stated == pytest.approx([elapsed_s] * len(stated), abs=1.0)
