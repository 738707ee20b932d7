from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hetedge_cases import make_hetedge

import uara
from uara.base.errors import InputError
from uara.hetedge.instance import HetEdge, Requests
from uara.problem import describe, parse_certificate

INSTANCES = Path(__file__).parents[2] / "instances"


@pytest.mark.parametrize("seed", range(6))
def test_a_file_brings_the_same_problem_back(tmp_path: Path, seed: int) -> None:
    instance = make_hetedge(7, seed, drafts=seed != 3)
    path = tmp_path / "x.json"
    instance.save(path)
    again = uara.load(path)
    assert isinstance(again, HetEdge)
    assert again.digest == instance.digest
    first = path.read_bytes()
    again.save(path)
    assert path.read_bytes() == first


def test_long_columns_go_into_a_side_file(tmp_path: Path) -> None:
    one = make_hetedge(2, 0)
    count = 10_001
    requests = Requests(
        tuple(f"r{k}" for k in range(count)),
        *(np.resize(getattr(one.requests, name), count) for name in (
            "prompt_tokens", "output_tokens", "acceptance_rate", "upload_bits", "tx_power_w", "power_gain",
        )),
    )  # fmt: skip
    big = one.replace(requests=requests)
    big.save(tmp_path / "big.json")
    assert len(list(tmp_path.glob("*.npz"))) == 1
    assert HetEdge.load(tmp_path / "big.json").digest == big.digest


def test_the_digest_sees_data_and_not_names() -> None:
    instance = make_hetedge(5, 0)
    assert instance.replace(name="other").digest == instance.digest
    louder = instance.replace(requests=instance.requests.replace(tx_power_w=instance.requests.tx_power_w * 2))
    assert louder.digest != instance.digest
    slower = instance.replace(link=instance.link.model_copy(update={"latency_ms": 9.0}))
    assert slower.digest != instance.digest


def test_arrays_cannot_be_written() -> None:
    with pytest.raises(ValueError, match="read-only"):
        make_hetedge(3, 0).requests.prompt_tokens[0] = 5


def test_a_request_without_room_is_refused() -> None:
    instance = make_hetedge(4, 0)
    node = instance.target_node.model_copy(
        update={"memory_bytes": instance.target_model.weight_bytes * 1.0001}
    )
    with pytest.raises(InputError, match="memory"):
        instance.replace(target_node=node)


def test_a_draft_node_needs_its_model() -> None:
    with pytest.raises(InputError, match="together"):
        make_hetedge(3, 0).replace(draft_model=None)


def test_whole_numbers_stay_whole() -> None:
    requests = make_hetedge(3, 0).requests
    assert requests.prompt_tokens.dtype == np.int64
    with pytest.raises(InputError, match="prompt_tokens"):
        requests.replace(prompt_tokens=np.array([1.5, 2, 3]))


def test_snr_is_that_of_the_whole_band() -> None:
    instance = make_hetedge(3, 5)
    noise_w = 10 ** ((instance.parameters.noise_psd_dbm_per_hz - 30) / 10) * instance.parameters.bandwidth_hz
    expected = instance.requests.tx_power_w * instance.requests.power_gain / noise_w
    assert instance.snr == pytest.approx(expected)


def test_certificates_of_other_kinds_are_refused() -> None:
    instance = make_hetedge(3, 0)
    for plain in ({}, {"kind": "prices", "compute_price": [1.0], "bandwidth_price": [1.0]}):
        with pytest.raises(InputError):
            parse_certificate(instance, plain)


@pytest.mark.parametrize("path", sorted(INSTANCES.glob("hetedge_*.json")), ids=lambda path: path.stem)
def test_shipped_instances_load(path: Path) -> None:
    instance = uara.load(path)
    assert instance.kind == "hetedge"
    assert instance.provenance.command.startswith("uara hetedge generate")
    assert any(str(len(instance.requests)) in line for line in describe(instance))
