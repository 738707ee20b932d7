from __future__ import annotations

from importlib import import_module
from pathlib import Path

import pytest
from cases import make_instance, random_association

from uara import Certificate, InputError, Instance, allocate, load
from uara.problem import KINDS


def test_every_kind_has_a_class_that_loads() -> None:
    for kind, target in KINDS.items():
        module, name = target.split(":")
        found = getattr(import_module(module), name)
        assert found.kind == kind
        assert callable(found.load)


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
    score = instance.evaluate(instance.parse_decision(decision.to_plain()))
    assert score.feasible
    certificate = Certificate([0.0] * 3, [0.0] * 3)  # type: ignore[arg-type]
    again = instance.parse_certificate(certificate.to_plain())
    assert instance.lower_bound(again) == instance.lower_bound(certificate) <= score.objective_ms
    assert all(isinstance(line, str) for line in instance.describe())
    instance.plot(tmp_path / "a.svg", decision)
    assert (tmp_path / "a.svg").read_text().startswith("<?xml")
    assert (instance.kind, len(instance.digest)) == ("p1", 64)
