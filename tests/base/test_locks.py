from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

import pytest

from uara.base import locks
from uara.base.errors import InputError

HOLD = (
    "import sys; from pathlib import Path; from uara.base import locks\n"
    "with locks.exclusive(Path(sys.argv[1]), 'busy'):\n"
)


def holder(lock: Path, then: str) -> subprocess.Popen[str]:
    process = subprocess.Popen(
        [sys.executable, "-c", f"{HOLD}    print('held', flush=True); {then}", str(lock)],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    assert process.stdout is not None
    assert process.stdout.readline() == "held\n"
    return process


def test_others_are_kept_out_and_the_file_goes_with_the_lock(tmp_path: Path) -> None:
    lock = tmp_path / "lock"
    with holder(lock, "sys.stdin.read()") as process:
        with pytest.raises(InputError, match="busy"), locks.exclusive(lock, "busy"):
            pytest.fail("two hold one lock")
        process.communicate("")
    assert not lock.exists()
    with locks.exclusive(lock, "busy"):
        assert lock.exists()


def test_a_killed_holder_leaves_no_lock(tmp_path: Path) -> None:
    lock = tmp_path / "lock"
    with holder(lock, "sys.stdin.read()") as process:
        process.send_signal(signal.SIGKILL)
        process.wait(20)
    assert lock.exists()
    with locks.exclusive(lock, "busy"):
        pass
    assert not lock.exists()


def test_those_who_wait_come_one_after_the_other(tmp_path: Path) -> None:
    """Eight processes add one to a number, twenty times each; the lock's file comes and goes all the time."""
    (tmp_path / "number").write_text("0")
    script = (
        "import sys; from pathlib import Path; from uara.base import locks\n"
        "folder = Path(sys.argv[1])\n"
        "for _ in range(20):\n"
        "    with locks.exclusive(folder / 'lock'):\n"
        "        number = int((folder / 'number').read_text())\n"
        "        (folder / 'number').write_text(str(number + 1))\n"
    )
    several = [subprocess.Popen([sys.executable, "-c", script, str(tmp_path)]) for _ in range(8)]
    assert [process.wait(120) for process in several] == [0] * 8
    assert (tmp_path / "number").read_text() == "160"


def test_a_file_of_that_name_that_holds_something_stays(tmp_path: Path) -> None:
    (tmp_path / "lock").write_text("mine")
    with locks.exclusive(tmp_path / "lock"):
        pass
    assert (tmp_path / "lock").read_text() == "mine"


def test_where_there_can_be_no_lock_the_place_is_named(tmp_path: Path) -> None:
    with (
        pytest.raises(InputError, match="none/lock: cannot be locked"),
        locks.exclusive(tmp_path / "none" / "lock"),
    ):
        pass


def test_a_system_without_locks_is_told_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "fcntl", None)
    with (
        pytest.raises(InputError, match="cannot be locked on this system"),
        locks.exclusive(tmp_path / "lock"),
    ):
        pytest.fail("it was held")
