"""Policies that are programs: what the exporter does not write is refused before anything of them runs."""

from __future__ import annotations

import numpy as np
import onnx
import pytest
from mec.learners import make_learner
from mec.policies import make_header
from onnx import TensorProto, helper, numpy_helper
from uara.solvers.masac import onnx_graph, policy
from uara.solvers.masac.export import policy_bytes
from uara.solvers.masac.policy import SHIPPED, Policy

from uara import InputError


@pytest.fixture(scope="module")
def exported():
    learner = make_learner()
    return policy_bytes(learner.actor, make_header(learner))


def constant(array, name="big"):
    return helper.make_node("Constant", [], [name], value=numpy_helper.from_array(np.asarray(array)))


def appended(*nodes):
    def change(model):
        model.graph.node.extend(nodes)

    return change


def loop(model):
    """Counts to 2^62."""
    body = helper.make_graph(
        [helper.make_node("Identity", ["c"], ["d"]), helper.make_node("Identity", ["x"], ["y"])],
        "body",
        [helper.make_tensor_value_info(name, kind, []) for name, kind in (("i", 7), ("c", 9), ("x", 1))],
        [helper.make_tensor_value_info(name, kind, []) for name, kind in (("d", 9), ("y", 1))],
    )
    nodes = [constant(2**62, "trips"), constant(True, "go"), constant(np.float32(1), "first")]
    model.graph.node.extend([*nodes, helper.make_node("Loop", ["trips", "go", "first"], ["end"], body=body)])


def branch_inside_a_known_node(model):
    graph = helper.make_graph([], "empty", [], [])
    model.graph.node[0].attribute.append(helper.make_attribute("body", graph))


def outer_sums(model):
    """Allowed operators alone build (n, n, n) numbers from n weights."""
    big = numpy_helper.from_array(np.ones(4000, np.float32), "n")
    model.graph.initializer.append(big)
    nodes = [constant([1], "a1"), helper.make_node("Unsqueeze", ["n", "a1"], ["n1"])]
    model.graph.node.extend([*nodes, helper.make_node("Add", ["n", "n1"], ["n2"])])


def other_constant(model):
    """The same operators with another number in one of them."""
    at = next(node for node in model.graph.node if node.op_type == "Constant")
    at.attribute[0].t.CopyFrom(numpy_helper.from_array(np.array([2])))


def claimed_shape(model):
    model.graph.initializer[0].dims[0] = 2**40


def external(model):
    tensor = model.graph.initializer[0]
    tensor.data_location = TensorProto.EXTERNAL
    tensor.external_data.add(key="location", value="/etc/passwd")


def function(model):
    model.functions.append(helper.make_function("own", "f", [], [], [], [helper.make_opsetid("", 20)]))


def sparse(model):
    values = helper.make_tensor("s", TensorProto.FLOAT, [1], [1.0])
    places = helper.make_tensor("p", TensorProto.INT64, [1], [0])
    model.graph.sparse_initializer.append(helper.make_sparse_tensor(values, places, [2**40]))


def other_domain(model):
    model.graph.node[0].domain = "com.microsoft"


def renamed_output(model):
    model.graph.output[0].name = model.graph.node[-2].output[0]


def wide(model):
    tensor = model.graph.initializer[0]
    tensor.CopyFrom(numpy_helper.from_array(np.ones(onnx_graph.MOST_WIDTH + 1, np.float32), tensor.name))


def doubled_nodes(model):
    for count in range(3):
        node = model.graph.node.add()
        node.CopyFrom(model.graph.node[0])
        node.output[0] = f"again{count}"


HOSTILE = [
    loop,
    appended(helper.make_node("ConstantOfShape", ["shape"], ["big"])),
    appended(constant([30_000, 30_000], "shape"), helper.make_node("ConstantOfShape", ["shape"], ["big"])),
    appended(constant(np.ones((1000, 1000)))),
    branch_inside_a_known_node,
    outer_sums,
    other_constant,
    claimed_shape,
    external,
    function,
    sparse,
    other_domain,
    renamed_output,
    wide,
    doubled_nodes,
]


@pytest.mark.parametrize("change", HOSTILE)
def test_other_programs_are_refused_before_they_are_loaded(exported, change, monkeypatch):
    monkeypatch.setattr(policy, "forward", lambda *_: pytest.fail("it was run"))
    model = onnx.load_model_from_string(exported)
    change(model)
    with pytest.raises(InputError, match=r"\$\.graph|not a whole ONNX model"):
        Policy.from_bytes(model.SerializeToString())


def test_the_exporters_network_is_known_by_what_it_computes(exported):
    shipped = SHIPPED.read_bytes()
    assert onnx_graph.check(shipped, shipped).width == 64
    assert onnx_graph.check(exported, shipped).width == 16
    model = onnx.load_model_from_string(exported)
    last = model.graph.node[-3]  # a constant: its place and its name do not matter
    assert last.op_type == "Constant"
    moved = onnx.NodeProto()
    moved.CopyFrom(last)
    model.graph.node.remove(last)
    model.graph.node.insert(0, moved)
    assert onnx_graph.check(model.SerializeToString(), shipped).width == 16


@pytest.mark.integration
def test_damaged_bytes_are_refused_or_hold_the_same_network(exported):
    rng, shipped, refused = np.random.default_rng(0), SHIPPED.read_bytes(), 0
    for _ in range(1000):
        data = bytearray(exported[: len(exported) - int(rng.integers(0, 2)) * int(rng.integers(1, 2000))])
        for place in rng.integers(0, len(data), rng.integers(1, 4)):
            data[place] = rng.integers(256)
        try:
            onnx_graph.check(bytes(data), shipped)
        except InputError:
            refused += 1
    assert refused > 300  # most bytes are weights


def test_wide_layers_lower_the_size_of_instances_that_are_taken(exported):
    from dataclasses import replace

    from cases import make_instance

    made = Policy.from_bytes(exported)
    wide_policy = replace(made, network=made.network._replace(width=4096))
    assert made.whole(make_instance(400, 80))
    assert not wide_policy.whole(make_instance(400, 80))
    assert wide_policy.whole(make_instance(400, 78))
