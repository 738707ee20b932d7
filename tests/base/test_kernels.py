"""Compiled code is kept, checked and found again; where it cannot be, everything still computes."""

from __future__ import annotations

import importlib.util
import os
import pickle
import re
import resource
import subprocess
import sys
import tempfile
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType
from typing import Any

import numba
import pytest
import uara.solvers

import uara
from uara import UaraWarning
from uara.base import kernels

SOURCE = "from uara.base.kernels import kernel\n\n@kernel\ndef doubled(x):\n    return 2.0 * x\n"


@pytest.fixture(autouse=True)
def places(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of sources; a cache of the user's and a folder for temporary files of their own."""
    monkeypatch.setattr(kernels, "_warned", False)
    monkeypatch.setattr(numba.config, "CACHE_DIR", "")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "own"))
    (tmp_path / "shared").mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "shared"))
    (tmp_path / "code").mkdir()
    (tmp_path / "code" / "sample.py").write_text(SOURCE)
    return tmp_path


def fresh(path: Path) -> ModuleType:
    """The module of a file, as a new process would see it."""
    kernels._file_digest.cache_clear()
    spec = importlib.util.spec_from_file_location(path.stem, path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[path.stem] = module
    source = path.read_text()
    exec(compile(source, str(path), "exec"), module.__dict__)  # never the byte code of an edited file
    return module


def hits(places: Path) -> int:
    """Whether ``doubled`` is right and how often its machine code was found."""
    function: Any = fresh(places / "code" / "sample.py").doubled
    assert function(21.0) == 42.0
    return sum(function.stats.cache_hits.values())


def kept(folder: Path) -> list[Path]:
    return sorted(folder.rglob("*.kernel"))


def block(*folders: Path) -> None:
    """Let nothing be written into folders, not even by root: files stand in their places."""
    for folder in folders:
        folder.parent.mkdir(parents=True, exist_ok=True)
        folder.write_text("")


@contextmanager
def files_of_at_most(size: int) -> Iterator[None]:
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


@contextmanager
def silent() -> Iterator[None]:
    with warnings.catch_warnings():
        warnings.simplefilter("error", UaraWarning)
        yield


def test_machine_code_is_kept_beside_the_source_and_found_again(places: Path) -> None:
    with silent():
        assert (hits(places), hits(places)) == (0, 1)
    (file,) = kept(places)
    assert file.parent == places / "code" / "__pycache__"
    assert [path.name for path in file.parent.iterdir()] == [file.name]


DAMAGE = {
    "empty": lambda content: b"",
    "short": lambda content: content[:20],
    "half": lambda content: content[: len(content) // 2],
    "garbage": lambda content: os.urandom(len(content)),
    "a pickle that ends the process": lambda content: b"cos\nabort\n(tR.",
    "one bit": lambda content: content[:3000] + bytes([content[3000] ^ 1]) + content[3001:],
    "another kernel's": lambda content: signed(pickle.dumps(("other", ()))),
    "right digest, no machine code": lambda content: signed(b"nothing"),
}


def signed(payload: bytes) -> bytes:
    return kernels.hashlib.sha256(payload).digest() + payload


@pytest.mark.parametrize("damage", DAMAGE)
def test_damaged_machine_code_is_said_once_and_replaced(places: Path, damage: str) -> None:
    hits(places)
    (file,) = kept(places)
    file.write_bytes(DAMAGE[damage](file.read_bytes()))
    with pytest.warns(UaraWarning, match="is damaged .*; it is compiled anew") as said:
        assert hits(places) == 0
    assert len(said) == 1
    with silent():
        assert hits(places) == 1


@pytest.mark.parametrize("content", [b"", b"\0" * 100, b"cos\nabort\n(tR.", pickle.dumps("0.1")])
def test_files_of_numbas_own_cache_are_never_opened(places: Path, content: bytes) -> None:
    folder = places / "code" / "__pycache__"
    folder.mkdir()
    for suffix in ("nbi", "1.nbc"):
        (folder / f"sample.doubled-4.py{sys.version_info[0]}{sys.version_info[1]}.{suffix}").write_bytes(
            content
        )
    with silent():
        assert (hits(places), hits(places)) == (0, 1)


def test_a_read_only_install_uses_the_users_cache_without_a_word(places: Path) -> None:
    block(places / "code" / "__pycache__")
    with silent():
        assert (hits(places), hits(places)) == (0, 1)
    assert kept(places / "own")


def test_without_a_home_it_is_kept_among_temporary_files_and_said(places: Path) -> None:
    block(places / "code" / "__pycache__", places / "own")
    with pytest.warns(UaraWarning, match=r"kept in .*shared.*: let NUMBA_CACHE_DIR name a folder") as said:
        assert hits(places) == 0
    assert len(said) == 1
    (file,) = kept(places / "shared")
    assert file.parent.stat().st_mode & 0o077 == 0
    with silent():
        assert hits(places) == 1


def test_a_home_that_is_nowhere_makes_no_folder_of_that_name(
    places: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    block(places / "code" / "__pycache__")
    monkeypatch.chdir(places)
    monkeypatch.setattr(kernels.platformdirs, "user_cache_path", lambda *_: Path("~/.cache/uara"))
    with pytest.warns(UaraWarning, match="shared"):
        hits(places)
    assert not (places / "~").exists()


def open_to_others(folder: Path) -> None:
    folder.chmod(0o777)


def linked(folder: Path) -> None:
    target = folder.with_name("target")
    folder.rename(target)
    folder.symlink_to(target)


@pytest.mark.parametrize("spoil", [open_to_others, linked])
def test_machine_code_of_others_is_neither_loaded_nor_written(places: Path, spoil: Any) -> None:
    block(places / "code" / "__pycache__", places / "own")
    with pytest.warns(UaraWarning):
        hits(places)
    (file,) = kept(places / "shared")
    spoil(file.parent)
    kernels._warned = False
    with pytest.warns(UaraWarning, match=r"cannot be kept.*another user could write there"):
        assert hits(places) == 0


def test_where_nothing_can_be_kept_it_computes_and_says_so_once(
    places: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    block(places / "code" / "__pycache__", places / "own")
    monkeypatch.setattr(tempfile, "tempdir", str(places / "absent" / "shared"))
    block(places / "absent")
    with pytest.warns(UaraWarning, match=r"cannot be kept.*Not a directory.*let NUMBA_CACHE_DIR") as said:
        assert (hits(places), hits(places)) == (0, 0)
    assert len(said) == 1
    assert kept(places) == []


def test_a_full_disk_leaves_nothing_half_written(places: Path) -> None:
    with pytest.warns(UaraWarning, match=r"cannot be kept.*File too large"), files_of_at_most(100):
        assert hits(places) == 0
    assert [path for path in places.rglob("*doubled*") if path.is_file()] == []


def test_the_folder_that_the_user_names_comes_first(places: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(numba.config, "CACHE_DIR", str(places / "named"))
    with silent():
        assert (hits(places), hits(places)) == (0, 1)
    assert kept(places) == kept(places / "named")


def test_a_named_folder_that_cannot_be_written_is_said(places: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    block(places / "named")
    monkeypatch.setattr(numba.config, "CACHE_DIR", str(places / "named"))
    with pytest.warns(UaraWarning, match=r"kept in .*__pycache__ \(.*named"):
        hits(places)


def test_what_was_changed_is_compiled_anew_wherever_it_stands(places: Path) -> None:
    """A caller's machine code holds the text of what it calls, and the numbers that it names."""
    inner, outer = places / "code" / "inner.py", places / "code" / "outer.py"
    outer.write_text(
        "from inner import FACTOR, part\nfrom uara.base.kernels import kernel\n\n"
        "@kernel\ndef whole(x):\n    return FACTOR * part(x)\n"
    )
    for factor, addend in ((2.0, 1.0), (2.0, 5.0), (3.0, 5.0), (3.0, 5.0)):
        text = SOURCE.replace("doubled", "part").replace("2.0 * x", f"x + {addend}")
        inner.write_text(f"FACTOR = {factor}\n{text}")
        fresh(inner)
        whole: Any = fresh(outer).whole
        assert whole(1.0) == factor * (1.0 + addend)
    assert sum(whole.stats.cache_hits.values()) == 1
    assert len(kept(places)) == 2, "old versions are removed"


def test_signatures_do_not_get_in_each_others_way(places: Path) -> None:
    for _ in range(2):
        function: Any = fresh(places / "code" / "sample.py").doubled
        assert (function(2), function(2.5), function(True)) == (4.0, 5.0, 2.0)
    assert sum(function.stats.cache_hits.values()) == 3
    assert len(kept(places)) == 3


def test_a_function_without_a_file_is_compiled_and_not_kept(places: Path) -> None:
    space: dict[str, Any] = {}
    exec(compile(SOURCE, "<prompt>", "exec"), space)
    with silent():
        assert space["doubled"](1.5) == 3.0
    assert kept(places) == []


def test_plain_python_stays_plain_without_the_compiler(places: Path) -> None:
    script = (
        f"import sys; sys.path.insert(0, {str(places / 'code')!r}); import sample; print(sample.doubled(2.0))"
    )
    environment = os.environ | {"NUMBA_DISABLE_JIT": "1"}
    run = subprocess.run(
        [sys.executable, "-c", script],
        env=environment,
        capture_output=True,
        text=True,
        check=True,
        timeout=120,
    )
    assert run.stdout == "4.0\n"


def test_trying_it_out_says_where_code_is_kept(places: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(numba.config, "CACHE_DIR", str(places / "named"))
    folder, reasons = kernels.try_out()
    assert folder is not None
    assert (folder.parent, reasons) == (places / "named", [])
    monkeypatch.setattr(
        kernels, "_places", lambda source: iter([kernels.Place(places / "code" / "sample.py")])
    )
    with warnings.catch_warnings(action="ignore", category=UaraWarning):  # it is said once a process
        folder, (reason,) = kernels.try_out()
    assert folder is None
    assert "sample.py: " in reason


def test_trying_it_out_notices_what_does_not_come_back(places: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(numba.config, "CACHE_DIR", str(places / "named"))
    monkeypatch.setattr(kernels.Place, "read", lambda self, name: b"")
    with pytest.warns(UaraWarning), pytest.raises(RuntimeError, match="did not come back"):
        kernels.try_out()


def test_every_compiled_function_is_one_of_these() -> None:
    folders = Path(uara.__file__).parent, Path(uara.solvers.__file__ or "").parent
    files = {path for folder in folders for path in folder.rglob("*.py") if path.name != "kernels.py"}
    compiled = re.compile(r"njit|\bjit\(|\bvectorize\b|import numba|from numba")
    assert len(files) > 150
    assert [str(path) for path in files if compiled.search(path.read_text())] == []


def test_a_kernel_that_promises_to_make_no_array_is_held_to_it() -> None:
    import numpy as np
    from numba.core.errors import NumbaError

    def total(values):  # type: ignore[no-untyped-def]
        found = 0.0
        for value in values:
            found += value
        return found

    def doubled(values):  # type: ignore[no-untyped-def]
        return values + values

    ones = np.ones(3)
    assert kernels.kernel(allocates=False)(total)(ones) == 3.0
    with pytest.raises(NumbaError):
        kernels.kernel(allocates=False)(doubled)(ones)
