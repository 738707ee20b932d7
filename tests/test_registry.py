from __future__ import annotations

import subprocess
import sys
import textwrap
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pytest
from cases import make_instance

from uara import Context, InputError, MissingExtra, SolverError, as_solver, available_solvers, registry, solve
from uara.base import plugins as plugins_of
from uara.base.files import Record
from uara.registry import Method, NoOptions, Traits, blaming, find, installed, method_of


class Options(Record):
    rounds: int = 3
    """How often."""
    rule: Literal["a", "b"] = "a"
    quick: bool = False
    share: float | None = None


@as_solver(options=Options)
def example(instance: Any, context: Any) -> Any:
    """Do it. And more.

    In detail.
    """


def unusable(instance: Any, context: Any) -> Any:
    raise NotImplementedError


# Declaring


def test_a_plain_callable_is_a_method() -> None:
    def my_rule(instance: Any, context: Any) -> Any:
        raise NotImplementedError

    method = method_of(my_rule)
    assert (method.name, method.reason, method.traits) == ("my-rule", None, Traits())
    assert method.require() is my_rule
    assert method.summary == ""


def test_a_callable_object_is_a_method() -> None:
    class Nearest:
        """Pick the nearest."""

        def __call__(self, instance: Any, context: Any) -> Any:
            raise NotImplementedError

    method = method_of(Nearest())
    assert method.name == "Nearest"
    assert method.summary == "Pick the nearest."


def test_traits_are_those_declared() -> None:
    method = method_of(example, "name")
    assert (method.name, method.summary) == ("name", "Do it. And more.")
    assert method.traits.options is Options
    assert method.traits.kind == "p1"
    assert not method.traits.warm_start
    assert method_of(as_solver(warm_start=True)(unusable)).traits.warm_start
    assert example.__name__ == "example"  # the function itself is unchanged


@pytest.mark.parametrize(
    "module", ["no_such_module_of_anybody", "no_such_package.inside", "numpy.no_such_part"]
)
def test_a_missing_module_is_a_reason_with_its_remedy(module: str) -> None:
    method = method_of(as_solver(requires={module: "big"})(lambda instance, context: None), "big")
    assert method.reason is not None
    assert f"{module} is not installed" in method.reason
    with pytest.raises(MissingExtra, match=r"pip install 'uara\[big\]'"):
        method.require()


def test_a_present_module_is_no_reason() -> None:
    method = method_of(as_solver(requires={"numpy": "core", "json.decoder": "core"})(lambda i, c: None), "a")
    assert method.reason is None


# Options


def test_options_are_typed() -> None:
    method = method_of(example)
    assert method.make_options(None) == Options()
    assert method.make_options({"rounds": 5}) == Options(rounds=5)
    assert method.make_options(Options(rule="b")).model_dump()["rule"] == "b"
    typed = method.make_options({"rounds": "7", "quick": "true", "share": "0.5"}, strict=False)
    assert typed == Options(rounds=7, quick=True, share=0.5)


@pytest.mark.parametrize(
    ("values", "path"),
    [
        ({"rounds": "7"}, "rounds"),
        ({"rounds": 1.5}, "rounds"),
        ({"rule": "c"}, "rule"),
        ({"colour": 1}, "colour"),
        ({"share": np.inf}, "share"),
        ({"quick": 1}, "quick"),
    ],
)
def test_bad_options_name_the_solver_the_option_and_those_there_are(
    values: dict[str, Any], path: str
) -> None:
    with pytest.raises(InputError, match=r"options of example: rounds, rule, quick, share") as caught:
        method_of(example).make_options(values)
    assert (caught.value.source, caught.value.path) == ("solver example", path)


def test_a_solver_without_options_says_so() -> None:
    with pytest.raises(InputError, match=r"options of unusable: none"):
        method_of(unusable).make_options({"a": 1})


@pytest.mark.parametrize("values", [[("rounds", 1)], "rounds=1", 3])
def test_options_that_are_no_mapping_are_refused(values: Any) -> None:
    with pytest.raises(InputError, match="options of solver example"):
        method_of(example).make_options(values)


def test_options_of_another_solver_are_refused() -> None:
    with pytest.raises(InputError, match="are NoOptions"):
        method_of(example).make_options(NoOptions())


# Finding


def test_the_shipped_solvers_are_found_by_entry_point() -> None:
    solvers = available_solvers()
    for name in ("random", "max-sinr", "max-compute", "tma"):
        assert solvers[name].reason is None, solvers[name].reason
        assert solvers[name].origin == "uara"
        assert solvers[name].summary
        assert find(name) is solvers[name]
    assert list(solvers) == sorted(solvers)


def test_every_option_of_every_solver_is_documented_and_typed() -> None:
    for method in available_solvers().values():
        for name, field in method.traits.options.model_fields.items():
            assert field.description, f"{method.name}: {name}"
            assert not field.is_required(), f"{method.name}: {name} has no default"


def test_an_unknown_name_is_told_what_may_be_meant() -> None:
    with pytest.raises(InputError, match=r"there is no solver 'tsm'; did you mean tma"):
        find("tsm")
    with pytest.raises(InputError, match=r"there is no solver 'qqqq'; there are: .*tma"):
        find("qqqq")


# Solvers by module and function


def test_one_solver_is_found_without_loading_the_others() -> None:
    assert find("tma", alone=True).function is available_solvers()["tma"].function
    assert find("uara.solvers.search.matching:tma").function is find("tma").function
    assert find(example).function is example


@pytest.mark.parametrize("alone", [False, True])
@pytest.mark.parametrize(
    ("name", "error", "message"),
    [
        ("nobody", InputError, "there is no solver 'nobody'"),
        ("no_such_module:f", SolverError, "cannot be imported: ModuleNotFoundError"),
        ("json:nobody", SolverError, "cannot be imported: AttributeError"),
        ("json:__doc__", SolverError, "is no function"),
        (":f", SolverError, "cannot be imported"),
        ("json:", SolverError, "cannot be imported"),
    ],
)
def test_what_cannot_be_found_is_named(name: str, error: type[Exception], message: str, alone: bool) -> None:
    with pytest.raises(error, match=message):
        find(name, alone=alone)


OWN = """
import uara
import own_neighbour

@uara.as_solver()
def strongest(instance, context):
    return own_neighbour.choose(instance)

def broken(instance, context):
    values = []
    return values[3]

def deep(instance, context):
    context.incumbent("no decision")
"""


@pytest.fixture
def own_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with a solver and its neighbour, in which Python was not started."""
    choose = "import uara\ndef choose(i):\n    return uara.allocate(i, i.channel.dense(len(i.servers)).argmax(1))\n"
    (tmp_path / "own_rules.py").write_text(OWN)
    (tmp_path / "own_neighbour.py").write_text(choose)
    (tmp_path / "own_broken.py").write_text("import json\n\njson.loads('{')\n")
    (tmp_path / "own_typo.py").write_text("def f(:\n")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [entry for entry in sys.path if entry not in ("", str(tmp_path))])
    for name in ("own_rules", "own_neighbour", "own_broken", "own_typo"):
        monkeypatch.delitem(sys.modules, name, raising=False)
    return tmp_path


def test_the_current_folder_is_searched(own_folder: Path) -> None:
    result = solve(make_instance(), "own_rules:strongest")
    assert (result.solver, result.status) == ("strongest", "feasible")
    assert find("own_rules:strongest").traits.kind == "p1"


@pytest.mark.parametrize(
    ("name", "where"),
    [
        ("own_rules:broken", r"failed: IndexError: .* \(own_rules\.py, line 11\)$"),
        ("own_rules:deep", r"failed: .* \(own_rules\.py, line 14\)$"),
        ("own_broken:f", r"cannot be imported: JSONDecodeError: .* \(own_broken\.py, line 3\)$"),
        ("own_typo:f", r"cannot be imported: SyntaxError: .* \(own_typo\.py, line 1\)$"),
    ],
)
def test_an_error_names_the_line_of_the_plug_in(own_folder: Path, name: str, where: str) -> None:
    with pytest.raises(SolverError, match=where):
        solve(make_instance(), name)


def test_a_file_elsewhere_is_named_in_full(own_folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    broken = find("own_rules:broken").function
    assert broken is not None
    (own_folder / "elsewhere").mkdir()
    monkeypatch.chdir(own_folder / "elsewhere")
    with pytest.raises(SolverError) as caught:
        solve(make_instance(), broken)
    assert str(caught.value).endswith(f"({own_folder / 'own_rules.py'}, line 11)")


# Plug-ins, as another package brings them


@pytest.fixture
def plugins(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder with an installed distribution of four solvers, of which one works."""
    (tmp_path / "third_party.py").write_text(
        textwrap.dedent(
            '''
            import numpy as np
            from uara import allocate, as_solver

            def first(instance, context):
                """Each device with its first server."""
                channel = instance.channel
                return allocate(instance, channel.pair_server[channel.pair_start[:-1]], "uniform")

            @as_solver(requires={"no_such_module": "gpu"})
            def needy(instance, context):
                """Needs what is not there."""
            '''
        )
    )
    (tmp_path / "third_broken.py").write_text("import no_such_module\n")
    info = tmp_path / "third_party-1.2.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: third-party\nVersion: 1.2\n")
    (info / "entry_points.txt").write_text(
        "[uara.solvers]\n"
        "third-first = third_party:first\n"
        "third-needy = third_party:needy\n"
        "third-broken = third_broken:first\n"
        "third-absent = third_party:absent\n"
    )
    monkeypatch.syspath_prepend(tmp_path)
    for cached in (plugins_of.everything, installed, available_solvers, registry._usable):
        cached.cache_clear()
    yield tmp_path
    for cached in (plugins_of.everything, installed, available_solvers, registry._usable):
        cached.cache_clear()


def test_an_installed_plug_in_is_found_and_solves(plugins: Path) -> None:
    assert find("third-first").origin == "third-party"
    result = solve(make_instance(), "third-first")
    assert (result.solver, result.status) == ("third-first", "feasible")


def test_broken_plug_ins_stay_listed_and_take_nobody_with_them(plugins: Path) -> None:
    solvers = available_solvers()
    assert solvers["tma"].reason is None
    reasons = {name: solvers[name].reason or "" for name in solvers if name.startswith("third")}
    assert reasons["third-first"] == ""
    assert "pip install 'uara[gpu]'" in reasons["third-needy"]
    assert "ModuleNotFoundError: No module named 'no_such_module'" in reasons["third-broken"]
    assert "AttributeError" in reasons["third-absent"]
    with pytest.raises(MissingExtra):
        solve(make_instance(), "third-needy")
    for name in ("third-broken", "third-absent"):
        with pytest.raises(SolverError, match=f"solver {name}: cannot be imported"):
            solve(make_instance(), name)


@pytest.mark.integration
def test_a_fresh_process_lists_and_runs_the_plug_in(plugins: Path, tmp_path: Path) -> None:
    make_instance().save(tmp_path / "a.json")
    script = (
        f"import sys; sys.path.insert(0, {str(plugins)!r}); from uara.cli import main;"
        f"main(['solve', {str(tmp_path / 'a.json')!r}, '--solver', 'third-first', '--json'])"
    )
    run = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, timeout=60, check=False
    )
    assert run.returncode == 0, run.stderr
    assert '"solver": "third-first"' in run.stdout


def test_a_method_that_cannot_be_loaded_says_why() -> None:
    with pytest.raises(SolverError, match="solver x: is broken"):
        Method("x", None, reason="is broken").require()
    with pytest.raises(SolverError, match="solver x: cannot be loaded"):
        Method("x", None).require()
    assert Method("x", None).summary == ""


# Starts

START_TAKERS = {"tma", "tma-masac", "price", "branch", "exact", "milp", "auto"}


@pytest.mark.integration
@pytest.mark.parametrize(
    "name", sorted(START_TAKERS | {"random", "max-sinr", "max-compute", "masac", "greedy"})
)
def test_solvers_that_look_at_a_start_say_so(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    looks: list[str] = []

    class Watched(Context[Any]):
        @property
        def start(self) -> Any:
            looks.append(name)
            return self._start

        @start.setter
        def start(self, value: Any) -> None:
            self._start = value

    monkeypatch.setattr("uara.solver.Context", Watched)
    solve(make_instance(6, 2), name)
    assert find(name).traits.warm_start == bool(looks) == (name in START_TAKERS)


@pytest.mark.parametrize("error", [ValueError("no"), SystemExit(3), MemoryError(), RecursionError("deep")])
def test_whatever_a_plug_in_raises_names_it(error: BaseException) -> None:
    with (
        pytest.raises(SolverError, match="solver mine: cannot be prepared") as caught,
        blaming("mine", "cannot be prepared"),
    ):
        raise error
    assert type(error).__name__ in str(caught.value)


def test_errors_that_speak_for_themselves_and_interrupts_pass() -> None:
    with pytest.raises(InputError, match="options"), blaming("mine", "failed"):
        raise InputError("options")
    with pytest.raises(KeyboardInterrupt), blaming("mine", "failed"):
        raise KeyboardInterrupt
    out_of_a_kernel = SystemError("returned with an exception set")
    out_of_a_kernel.__cause__ = KeyboardInterrupt()
    with pytest.raises(KeyboardInterrupt), blaming("mine", "failed"):
        raise out_of_a_kernel


def test_an_error_that_is_its_own_cause_is_named_all_the_same() -> None:
    error = ValueError("a circle")
    error.__cause__ = error
    with pytest.raises(SolverError, match="a circle"), blaming("mine", "failed"):
        raise error


def test_one_solver_that_cannot_be_prepared_leaves_the_others_answers() -> None:
    from uara import allocate

    def prepare() -> None:
        raise OSError("no compiler")

    @as_solver(prepare=prepare)
    def broken(instance, context):  # type: ignore[no-untyped-def]
        """Never gets ready."""
        return allocate(instance, instance.channel.pair_server[instance.channel.pair_start[:-1]])

    with pytest.raises(SolverError, match="broken: cannot be prepared: OSError: no compiler"):
        solve(make_instance(4, 2), broken)


def test_the_base_of_options_is_public_and_checks_strictly() -> None:
    import uara

    class DepthOptions(uara.Options):
        """Options of a test."""

        depth: int = 3
        """How deep."""

    method = method_of(as_solver(options=DepthOptions)(lambda instance, context: None), "deep")
    assert method.make_options({"depth": 4}) == DepthOptions(depth=4)
    assert method.make_options({"depth": "4"}, strict=False) == DepthOptions(depth=4)
    for wrong in ({"depth": "4"}, {"depht": 4}, {"depth": 4.5}):
        with pytest.raises(InputError, match="options of deep: depth"):
            method.make_options(wrong)
    with pytest.raises(ValueError, match="frozen"):
        DepthOptions().depth = 5


@pytest.mark.parametrize("options", [dict, {"depth": 3}, None])
def test_what_are_no_options_is_told_the_base(options: Any) -> None:
    with pytest.raises(
        InputError, match=r"as_solver: options: cannot be .*; derive a class from uara\.Options"
    ):
        as_solver(options=options)(lambda instance, context: None)
