"""The forward pass by NumPy against ONNX Runtime's."""

from __future__ import annotations

import numpy as np
import pytest
from uara.solvers.masac import features, onnx_graph
from uara.solvers.masac.forward import OPERATORS, forward
from uara.solvers.masac.onnx_graph import Step
from uara.solvers.masac.policy import INPUTS, OUTPUT, SHIPPED


def inputs(batch: int, devices: int, servers: int, seed: int) -> dict[str, np.ndarray]:
    rng, shape = np.random.default_rng(seed), (batch, devices, servers)
    arrays = (
        rng.normal(size=(*shape, features.COUNT)) * 3,
        rng.random(shape) < 0.8,
        rng.normal(size=(*shape, 2)) * 10,
    )
    return {name: each.astype(np.float32) for name, each in zip(INPUTS, arrays, strict=True)}


@pytest.mark.parametrize("shape", [(1, 1, 1), (1, 7, 3), (3, 2, 5), (1, 90, 8)])
@pytest.mark.parametrize("seed", [1, 2])
def test_it_is_onnx_runtimes(shape: tuple[int, int, int], seed: int) -> None:
    onnxruntime = pytest.importorskip("onnxruntime")
    session = onnxruntime.InferenceSession(SHIPPED.read_bytes(), providers=["CPUExecutionProvider"])
    given = inputs(*shape, seed)
    content = SHIPPED.read_bytes()
    found = onnx_graph.check(content, content)
    ours = forward(found.steps, found.tensors, given, OUTPUT)
    np.testing.assert_allclose(ours, session.run([OUTPUT], given)[0], rtol=1e-5, atol=1e-5)
    assert ours.dtype == np.float32


def test_it_has_the_operators_of_the_network_and_no_others() -> None:
    content = SHIPPED.read_bytes()
    kinds = {step.kind for step in onnx_graph.check(content, content).steps}
    assert kinds == {*OPERATORS, "ReduceSum"}


def test_a_pool_keeps_its_axis_only_where_the_node_says_so() -> None:
    given = {"a": np.ones((2, 3), np.float32), "axes": np.array([1])}
    for kept, shape in ((True, (2, 1)), (False, (2,))):
        assert forward([Step("ReduceSum", ("a", "axes"), "b", kept)], {}, given, "b").shape == shape


def test_layers_that_do_not_fit_are_an_error() -> None:
    given = {"a": np.ones((2, 3), np.float32), "b": np.ones((2, 3), np.float32)}
    with pytest.raises(ValueError, match="matmul"):
        forward([Step("MatMul", ("a", "b"), "c", True)], {}, given, "c")
