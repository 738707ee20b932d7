from __future__ import annotations

import ctypes
import sys
from pathlib import Path

import pytest

from uara.base.errors import ChannelError
from uara.scenarios.channel import llvm

linux = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="the search is for Linux")


def library(folder: Path, name: str) -> Path:
    path = folder / name
    path.write_bytes(b"\x7fELF")
    return path


@pytest.fixture
def system(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """A machine whose only libraries are those put into the returned folder."""
    monkeypatch.setattr(llvm, "_from_wheel", lambda: iter(()))
    monkeypatch.setattr(llvm, "_SYSTEM", (f"{tmp_path}/libLLVM*",))
    return tmp_path


@pytest.mark.parametrize(
    ("name", "major"),
    [
        ("libLLVM-14.so.1", 14),
        ("libLLVM-15.so", 15),
        ("libLLVM-14.0.6.so.1", 14),
        ("libLLVM.so.19.1", 19),
        ("libLLVM.so.23.1", 23),
        ("libLLVM-17.so", 17),
        ("libLLVM.so", None),
        ("mine.so", None),
    ],
)
def test_major_version_is_read_from_the_name(tmp_path: Path, name: str, major: int | None) -> None:
    assert llvm.major_version(library(tmp_path, name)) == major


def test_major_version_follows_links(tmp_path: Path) -> None:
    library(tmp_path, "libLLVM.so.21.1")
    link = tmp_path / "libLLVM.so"
    link.symlink_to("libLLVM.so.21.1")
    assert llvm.major_version(link) == 21


@linux
def test_the_newest_usable_library_of_the_system_is_taken(system: Path) -> None:
    for name in ("libLLVM-14.so.1", "libLLVM-15.so.1", "libLLVM-17.so.1", "libLLVM.so.19.1"):
        library(system, name)
    found = llvm.find_libllvm({})
    assert found is not None
    assert (found.major, found.origin, found.path.name) == (19, "system", "libLLVM.so.19.1")


@linux
def test_the_wheel_comes_before_the_system(system: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    library(system, "libLLVM.so.22.1")
    wheel = llvm.Libllvm(library(system, "other.so"), 19, llvm.WHEEL)
    monkeypatch.setattr(llvm, "_from_wheel", lambda: iter([wheel]))
    assert llvm.find_libllvm({}) == wheel


@linux
def test_versions_that_abort_are_refused_and_named(system: Path) -> None:
    library(system, "libLLVM-15.so.1")
    library(system, "libLLVM-16.so.1")
    with pytest.raises(ChannelError, match="LLVM 16") as caught:
        llvm.find_libllvm({})
    assert "LLVM 15" in str(caught.value)
    assert llvm.REMEDY in str(caught.value)


@linux
def test_nothing_found_names_the_remedy(system: Path) -> None:
    with pytest.raises(ChannelError, match="pip install karellen-llvm-core"):
        llvm.find_libllvm({})


@linux
def test_the_users_choice_wins(system: Path) -> None:
    library(system, "libLLVM.so.22.1")
    chosen = library(system, "libLLVM-18.so.1")
    found = llvm.find_libllvm({llvm.VARIABLE: str(chosen)})
    assert found == llvm.Libllvm(chosen, 18, llvm.VARIABLE)
    assert llvm.tracing_environment({llvm.VARIABLE: str(chosen)})[llvm.VARIABLE] == str(chosen)


@linux
def test_a_choice_that_aborts_is_refused_even_beside_a_good_one(system: Path) -> None:
    library(system, "libLLVM.so.22.1")
    with pytest.raises(ChannelError, match="LLVM 15, but ray tracing needs 17"):
        llvm.find_libllvm({llvm.VARIABLE: str(library(system, "libLLVM-15.so.1"))})


@linux
def test_a_choice_that_does_not_exist_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ChannelError, match="is not a file"):
        llvm.find_libllvm({llvm.VARIABLE: str(tmp_path / "libLLVM.so.19.1")})


@linux
def test_a_choice_of_unknown_version_is_left_to_the_user(tmp_path: Path) -> None:
    found = llvm.find_libllvm({llvm.VARIABLE: str(library(tmp_path, "mine.so"))})
    assert found is not None
    assert found.major is None


@linux
def test_environment_keeps_the_rest_and_leaves_the_callers_alone(system: Path) -> None:
    chosen = library(system, "libLLVM.so.22.1")
    own = {"A": "b"}
    assert llvm.tracing_environment(own) == {"A": "b", llvm.VARIABLE: str(chosen)}
    assert own == {"A": "b"}


@linux
def test_missing_libatomic_is_named(system: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    library(system, "libLLVM.so.22.1")
    real = ctypes.CDLL

    def without_libatomic(name: str, *rest: object) -> ctypes.CDLL:
        if "libatomic" in name:
            raise OSError("cannot open shared object file")
        return real(name, *rest)  # type: ignore[arg-type]

    assert llvm.missing_libatomic() is None
    monkeypatch.setattr(ctypes, "CDLL", without_libatomic)
    with pytest.raises(ChannelError, match="apt-get install libatomic1"):
        llvm.tracing_environment({})


@linux
def test_preload_refuses_what_is_not_a_library(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(llvm.VARIABLE, str(library(tmp_path, "mine.so")))
    with pytest.raises(ChannelError, match="cannot be loaded"):
        llvm.preload()


def test_preload_does_nothing_without_a_choice(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(llvm.VARIABLE, raising=False)
    llvm.preload()


@linux
def test_the_wheel_is_found_where_it_is_installed() -> None:
    import importlib.metadata

    try:
        version = importlib.metadata.version(llvm.WHEEL)
    except importlib.metadata.PackageNotFoundError:
        pytest.skip(f"{llvm.WHEEL} is not installed")
    found = list(llvm._from_wheel())
    assert [lib.major for lib in found] == [int(version.split(".")[0])]
    assert found[0].path.is_file()
