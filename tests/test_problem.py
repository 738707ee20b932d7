from __future__ import annotations

from importlib import import_module
from operator import attrgetter
from pathlib import Path

import numpy as np
import pytest
from cases import make_instance, random_association

from uara import (
    Certificate,
    Channel,
    Devices,
    InputError,
    Instance,
    Parameters,
    Servers,
    allocate,
    load,
)
from uara.problem import (
    describe,
    evaluate,
    kind_names,
    kind_of,
    lower_bound,
    parse_certificate,
    parse_decision,
    plot,
)


def test_every_hook_of_every_kind_is_there() -> None:
    assert {"p1", "hetedge"} <= set(kind_names())
    for name in kind_names():
        kind = kind_of(name)
        assert kind.name == name
        for value in vars(kind).values():
            for hook in value.values() if isinstance(value, dict) else [value]:
                if target := getattr(hook, "target", None):
                    module, _, attribute = target.partition(":")
                    assert callable(attrgetter(attribute)(import_module(module))), target


def test_a_kind_that_is_not_there_is_named() -> None:
    with pytest.raises(InputError, match="'chess' is not one of hetedge, p1"):
        kind_of("chess")


def test_a_rate_of_zero_is_refused_when_a_file_is_loaded(tmp_path: Path) -> None:
    one = np.full(2, 1e30)
    weak = Instance(
        "deaf",
        Servers(["s"], [1.0], [1e-30], [0.0]),
        Devices(["a", "b"], one, [1e-30, 1.0], [1, 1], one, one, one),
        Channel.from_dense([[1.0], [1e-30]]),
        Parameters(noise_psd_dbm_per_hz=200),
    )
    weak.save(tmp_path / "weak.json")
    with pytest.raises(InputError, match="so weak that the rate is zero") as caught:
        load(tmp_path / "weak.json")
    assert caught.value.source == str(tmp_path / "weak.json")


def test_p1_files_are_instances(tmp_path: Path) -> None:
    make_instance().save(tmp_path / "a.json")
    for path in (tmp_path / "a.json", str(tmp_path / "a.json")):
        assert isinstance(load(path), Instance)


@pytest.mark.parametrize(
    "content",
    ["{}", '{"kind": null}', '{"kind": "P1"}', '{"kind": ["p1"]}', '{"kind": "solution"}', '{"kind": {}}'],
)
def test_files_of_no_kind_are_refused(tmp_path: Path, content: str) -> None:
    path = tmp_path / "a.json"
    path.write_text(content)
    with pytest.raises(InputError, match=r"must be one of .*p1") as caught:
        load(path)
    assert (caught.value.source, caught.value.path) == (str(path), "$.kind")


def test_a_trace_is_for_another_command(tmp_path: Path) -> None:
    path = tmp_path / "walk.json"
    path.write_text('{"kind": "p1-trace"}')
    with pytest.raises(InputError, match="uara simulate") as caught:
        load(path)
    assert (caught.value.source, caught.value.path) == (str(path), "$.kind")


def test_an_instance_offers_what_every_problem_does(tmp_path: Path) -> None:
    instance = make_instance()
    decision = allocate(instance, random_association(instance))
    score = evaluate(instance, parse_decision(instance, decision.to_plain()))
    assert score.feasible
    certificate = Certificate([0.0] * 3, [0.0] * 3)
    again = parse_certificate(instance, certificate.to_plain())
    assert lower_bound(instance, again) == lower_bound(instance, certificate) <= score.objective_ms
    assert all(isinstance(line, str) for line in describe(instance))
    plot(instance, tmp_path / "a.svg", decision)
    assert (tmp_path / "a.svg").read_text().startswith("<?xml")
    assert (instance.kind, len(instance.digest)) == ("p1", 64)
