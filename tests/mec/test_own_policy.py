"""Anybody's policy as a solver: what it decides is what the environment would have made of it."""

from __future__ import annotations

import numpy as np
import pytest
from cases import make_instance
from mec.pools import make_pool

pytest.importorskip("torch")
pytest.importorskip("gymnasium")

import torch

from uara import InputError, SolverError, solve
from uara.mec import policy_solver
from uara.mec.instances import instance_of
from uara.mec.play import World
from uara.mec.simulate import simulate
from uara.scenarios.trace import MobilityTrace


def leaning(seen):
    """Weighs by what is seen."""
    return np.tanh(np.stack([seen[..., 1] - 1, seen[..., 4]], -1))


@pytest.mark.parametrize("associate", ["nearest", "tma"])
def test_the_answer_is_the_environments(associate):
    world = World(make_pool(), associate, sizes=[(9, 3)], scale="unit", precise=True)
    seen = world.reset(3)
    instance = instance_of(world.environment, 0)
    _, _, facts = world.step(torch.as_tensor(leaning(seen.numpy())))
    found = solve(instance, policy_solver(leaning, associate=associate, name="leaning"))
    assert found.solver == "leaning"
    assert found.evaluation.controllable_ms == pytest.approx(float(facts["controllable_ms"][0]), rel=1e-6)


def test_the_views_agree():
    instance = make_instance(9, 3)

    def by_server(seen):
        world = seen.reshape(3, 9, -1).swapaxes(0, 1)
        return leaning(world).transpose(1, 2, 0).reshape(3, -1)

    costs = {
        view: solve(instance, policy_solver(policy, view=view)).evaluation.controllable_ms
        for view, policy in (("world", leaning), ("pair", leaning), ("server", by_server))
    }
    padded = solve(instance, policy_solver(leaning, size=(12, 5))).evaluation.controllable_ms
    assert {*costs.values(), padded} == {costs["world"]}


class Model:
    """What a model of Stable-Baselines3 shows."""

    def __init__(self, shape, low):
        self.action_space = type("Box", (), {"shape": shape, "low": np.full(shape, low)})()

    def predict(self, seen, deterministic):
        assert deterministic
        return leaning(seen), None


def test_models_say_their_view_themselves():
    instance = make_instance(9, 3)
    wanted = solve(instance, policy_solver(leaning)).evaluation.controllable_ms
    for shape in ((2,), (9, 3, 2), (11, 3, 2)):
        assert solve(instance, policy_solver(Model(shape, -1.0))).evaluation.controllable_ms == wanted
    raw = solve(instance, policy_solver(leaning, scale="raw")).evaluation.controllable_ms
    assert solve(instance, policy_solver(Model((2,), -15.0))).evaluation.controllable_ms == raw != wanted
    for shape in ((7,), (9, 3), (9, 3, 5)):
        with pytest.raises(InputError, match="neither"):
            policy_solver(Model(shape, -1.0))


def test_a_model_of_another_kind_of_space_is_refused():
    model = Model((2,), -1.0)
    for space in (
        type("Discrete", (), {"shape": (), "n": 5})(),
        type("Dict", (), {"shape": None})(),
        type("MultiDiscrete", (), {"shape": (3,)})(),
    ):
        model.action_space = space
        with pytest.raises(InputError, match=f"acts in {type(space).__name__}, not in a box"):
            policy_solver(model)


def test_an_onnx_file_is_a_policy(tmp_path):
    onnx = pytest.importorskip("onnx")
    from onnx import TensorProto, helper, numpy_helper

    pick = np.zeros((10, 2), dtype=np.float32)
    pick[1, 0] = pick[4, 1] = 0.1
    graph = helper.make_graph(
        [helper.make_node("MatMul", ["seen", "pick"], ["action"])],
        "linear",
        [helper.make_tensor_value_info("seen", TensorProto.FLOAT, ["m", "e", 10])],
        [helper.make_tensor_value_info("action", TensorProto.FLOAT, ["m", "e", 2])],
        [numpy_helper.from_array(pick, "pick")],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)
    path = tmp_path / "linear.onnx"
    onnx.save(model, path)
    instance = make_instance(9, 3)
    found = solve(instance, policy_solver(path)).evaluation.controllable_ms
    assert found == pytest.approx(
        solve(instance, policy_solver(lambda seen: seen @ pick)).evaluation.controllable_ms, rel=1e-5
    )
    (tmp_path / "broken.onnx").write_bytes(b"no model")
    with pytest.raises(InputError, match=r"broken\.onnx"):
        policy_solver(tmp_path / "broken.onnx")


@pytest.mark.parametrize("options", [{"view": "worlds"}, {"scale": "x"}, {"size": (50,)}, {"size": "ab"}])
def test_unknown_options_are_refused_at_once(options):
    with pytest.raises(InputError, match=next(iter(options))):
        policy_solver(leaning, **options)


def test_wrong_answers_are_named():
    instance = make_instance(9, 3)
    for policy, message in (
        (lambda seen: np.zeros(3), "policy's answer"),
        (lambda seen: np.full((9, 3, 2), np.nan), "not a number"),
        (lambda seen: np.zeros((9, 3, 2), dtype=complex), "holds complex128, not real numbers"),
        (lambda seen: np.full((9, 3, 2), "0.5"), "holds <U3, not real numbers"),
        (lambda seen: np.full((9, 3, 2), None), "holds object, not real numbers"),
        (lambda seen: [[0.0], [0.0, 1.0]], "is no array"),
        (lambda seen: torch.zeros(9, 3, 2, requires_grad=True), "is no array"),
    ):
        with pytest.raises((InputError, SolverError), match=message):
            solve(instance, policy_solver(policy))
    with pytest.raises((InputError, SolverError), match="the policy takes 4 and 2"):
        solve(instance, policy_solver(leaning, size=(4, 2)))
    with pytest.raises(InputError, match="not a policy"):
        policy_solver(7)


def test_it_controls_a_trace():
    gain = np.full((3, 9, 3), 1e-9)
    trace = MobilityTrace(make_instance(9, 3), gain, np.zeros((3, 9, 3)), 1.0, 1.5)
    runs = simulate(trace, [policy_solver(leaning, name="leaning"), "max-sinr"])
    assert [run.controller.title for run in runs] == ["leaning", "max-sinr"]
    assert all(np.isfinite(run.total("controllable_ms")) for run in runs)
