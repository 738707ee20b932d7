from __future__ import annotations

import importlib.metadata
import importlib.util
import sys

import pytest

from uara import doctor
from uara.base.errors import ChannelError
from uara.scenarios.channel import isolation, llvm


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """No worker process."""
    reply = ({"gain_db": -48.6, "llvm": "19.1.0"}, {})
    monkeypatch.setattr(isolation, "call", lambda *_, **__: reply)


@pytest.fixture
def machine(monkeypatch: pytest.MonkeyPatch, quick: None) -> dict[str, str]:
    """A machine with the distributions of the returned table, and a good LLVM."""
    installed: dict[str, str] = {}

    def version(name: str) -> str:
        if name not in installed:
            raise importlib.metadata.PackageNotFoundError(name)
        return installed[name]

    monkeypatch.setattr(importlib.metadata, "version", version)
    monkeypatch.setattr(
        importlib.metadata,
        "requires",
        lambda _: [
            "numpy>=2.0",
            "sionna<3,>=2.2; extra == 'sionna'",
            "torch>=2.9.1; extra == 'sionna'",
            "torch>=2.9.1; extra == 'psd'",
            "windows-only; sys_platform == 'no-such-system' and extra == 'sionna'",
            "uara[sionna,psd]; extra == 'test'",
            "pytest; extra == 'test'",
        ],
    )
    return installed


def findings() -> dict[str, doctor.Check]:
    return {check.name: check for check in doctor.examine()}


def test_requirements_are_split_by_extra_and_machine(machine: dict[str, str]) -> None:
    assert [each.name for each in doctor.extras.requirements(None)] == ["numpy"]
    assert [each.name for each in doctor.extras.requirements("sionna")] == ["sionna", "torch"]
    assert [each.name for each in doctor.extras.requirements("test")] == ["pytest"]


def test_a_missing_extra_is_no_fault_but_has_a_remedy(machine: dict[str, str]) -> None:
    machine.update(numpy="2.4.6")
    found = findings()
    assert found["numpy"] == doctor.Check("numpy", "ok", "2.4.6", "uara")
    assert found["sionna"].state == "missing"
    assert found["sionna"].remedy == "pip install --upgrade 'uara[sionna]'"
    assert "libLLVM" not in found
    assert "pytest" not in found
    assert "windows-only" not in found


def test_a_missing_core_part_is_a_fault(machine: dict[str, str]) -> None:
    check = findings()["numpy"]
    assert (check.state, check.remedy) == ("broken", "pip install --upgrade uara")


def test_an_old_version_is_a_fault(machine: dict[str, str]) -> None:
    machine.update(numpy="1.26.4", torch="2.13.0+cpu")
    found = findings()
    assert found["numpy"].state == "broken"
    assert found["numpy"].detail == "1.26.4, but >=2.0 is needed"
    assert found["torch"].state == "ok"


def test_a_part_of_several_extras_is_one_finding(machine: dict[str, str]) -> None:
    machine.update(torch="2.13.0")
    checks = [check for check in doctor.examine() if check.name == "torch"]
    assert [check.needed_for for check in checks] == ["generating, task profiles"]


def test_ray_tracing_is_tried_where_it_is_installed(
    machine: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    machine.update({"sionna-rt": "2.2.0"})
    library = llvm.Libllvm(llvm.Path("/lib/libLLVM.so.19.1"), 19, "system")
    monkeypatch.setattr(llvm, "find_libllvm", lambda *_: library)
    monkeypatch.setattr(llvm, "missing_libatomic", lambda: None)
    found = findings()
    assert found["libLLVM"].detail == "LLVM 19, system: /lib/libLLVM.so.19.1"
    assert found["a traced path"].detail == "-48.6 dB, compiled with LLVM 19.1.0"


def test_a_bad_llvm_is_a_fault_and_nothing_is_traced(
    machine: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    machine.update({"sionna-rt": "2.2.0"})

    def none(*_: object) -> None:
        raise ChannelError(f"ray tracing needs libLLVM >= 17: {llvm.REMEDY}")

    monkeypatch.setattr(llvm, "find_libllvm", none)
    found = findings()
    assert found["libLLVM"].state == "broken"
    assert found["libLLVM"].detail == "ray tracing needs libLLVM >= 17"
    assert found["libLLVM"].remedy == llvm.REMEDY
    assert "a traced path" not in found


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="Linux")
def test_missing_libatomic_is_a_fault(machine: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> None:
    machine.update({"sionna-rt": "2.2.0"})
    monkeypatch.setattr(
        llvm, "missing_libatomic", lambda: f"libatomic.so.1 is missing: {llvm.LIBATOMIC_REMEDY}"
    )
    check = findings()["libatomic"]
    assert (check.state, check.detail) == ("broken", "libatomic.so.1 is missing")
    assert check.remedy == llvm.LIBATOMIC_REMEDY


def test_a_dead_tracer_is_a_fault(machine: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> None:
    machine.update({"sionna-rt": "2.2.0"})

    def die(*_: object, **__: object) -> None:
        raise ChannelError("the worker process was killed by SIGABRT")

    monkeypatch.setattr(llvm, "tracing_environment", dict)
    monkeypatch.setattr(llvm, "find_libllvm", lambda *_: None)
    monkeypatch.setattr(llvm, "missing_libatomic", lambda: None)
    monkeypatch.setattr(isolation, "call", die)
    check = findings()["a traced path"]
    assert (check.state, check.detail) == ("broken", "the worker process was killed by SIGABRT")
    assert check.remedy == llvm.REMEDY


@pytest.mark.integration
@pytest.mark.skipif(importlib.util.find_spec("sionna") is None, reason="needs the extra sionna")
def test_this_machine_traces_a_path() -> None:
    """Two paths between antennas 2 m apart over a metal floor: near the free-space gain of -43.4 dB at 3.5 GHz."""
    found = findings()
    assert found["a traced path"].state == "ok", found["a traced path"]
    assert -55 < float(found["a traced path"].detail.split()[0]) < -37


def test_warming_up_prepares_each_solver_once_and_leaves_out_a_broken_one(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    from uara.registry import Method, Traits

    prepared: list[str] = []

    def broken() -> None:
        raise RuntimeError("no compiler")

    methods = {
        "good": Method("good", print, Traits(prepare=lambda: prepared.append("good"))),
        "bad": Method("bad", print, Traits(prepare=broken)),
        "plain": Method("plain", print, Traits()),
    }
    monkeypatch.setattr(doctor, "available_solvers", lambda: methods)
    assert doctor.warm_up() == ["good"]
    assert prepared == ["good"]
