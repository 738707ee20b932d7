"""The exported network equals the trained one, at every size, and its file depends on the weights alone."""

from __future__ import annotations

import sys

import numpy as np
import onnx
import pytest
import torch
from mec.learners import make_learner, make_slot
from mec.policies import make_header, make_policy
from uara.solvers.masac.export import export, policy_bytes
from uara.solvers.masac.policy import INPUTS, OUTPUT, Policy

from uara import MissingExtra
from uara.p1.dense import Dense


@pytest.mark.integration
@pytest.mark.parametrize("prior", ["uniform", "rules"])
@pytest.mark.parametrize("size", [(20, 4), (7, 2), (30, 6), (1, 1)])
def test_onnx_equals_the_torch_network(tmp_path, prior, size):
    slot = make_slot(str(tmp_path), devices=size[0], servers=size[1], payload_factor_range=(1.0, 3e4))
    learner = make_learner(prior=prior)
    with torch.no_grad():
        expected = learner.all_pairs(slot).mean.numpy()
    numbers = Dense(**{name: value.double().numpy() for name, value in vars(slot).items()})
    usable = np.isfinite(numbers.uplink_ms)
    found = make_policy(learner).mean(numbers)
    assert found.shape == (3, *size, 2)
    np.testing.assert_allclose(found[usable], expected[usable], rtol=1e-5, atol=1e-5)


def test_the_model_is_valid_onnx_with_three_free_sizes():
    learner = make_learner()
    model = onnx.load_model_from_string(policy_bytes(learner.actor, make_header(learner)))
    onnx.checker.check_model(model, full_check=True)
    assert [each.name for each in model.graph.input] == list(INPUTS)
    assert [each.name for each in model.graph.output] == [OUTPUT]
    for each in (*model.graph.input, *model.graph.output):
        names = [axis.dim_param for axis in each.type.tensor_type.shape.dim][:3]
        assert names == ["batch", "devices", "servers"]


def test_same_weights_same_bytes_and_other_weights_other_bytes():
    first, again, other = (
        policy_bytes(learner.actor, make_header(learner))
        for learner in (make_learner(seed=1), make_learner(seed=1), make_learner(seed=2))
    )
    assert first == again
    assert first != other


def test_the_file_names_no_folder():
    learner = make_learner()
    content = policy_bytes(learner.actor, make_header(learner))
    assert b".py" not in content
    assert b"site-packages" not in content


def test_exporting_leaves_the_actor_as_it_was():
    learner = make_learner()
    before = {name: value.clone() for name, value in learner.actor.state_dict().items()}
    policy_bytes(learner.actor, make_header(learner))
    for name, value in learner.actor.state_dict().items():
        assert torch.equal(value, before[name])
    assert all(parameter.requires_grad for parameter in learner.actor.parameters())


def test_a_policy_survives_its_file(tmp_path, monkeypatch):
    learner = make_learner()
    export(learner.actor, make_header(learner), tmp_path / "policy.onnx")
    assert Policy.load(tmp_path / "policy.onnx").header == make_header(learner)
    assert [path.name for path in tmp_path.iterdir()] == ["policy.onnx"]


def test_without_onnx_the_remedy_is_named(monkeypatch):
    learner = make_learner()
    monkeypatch.setitem(sys.modules, "onnx", None)
    with pytest.raises(MissingExtra, match=r"onnx is not installed.*uara\[learn\]"):
        policy_bytes(learner.actor, make_header(learner))
