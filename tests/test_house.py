"""Rules of the house that no single file can keep: who imports whom, and how long it takes."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import uara

PACKAGE = Path(uara.__file__).parent
HEAVY = {
    "torch", "pyomo", "cvxpy", "sionna", "pandas", "matplotlib", "numba", "scipy", "highspy", "transformers",
    "gymnasium", "pettingzoo", "mitsuba", "pyscipopt", "dask", "joblib", "pyarrow", "plotly",
}  # fmt: skip


def imports_of(path: Path) -> Iterator[tuple[int, str]]:
    """Every absolute import, and every module named to ``import_module``, with its line."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.level == 0:
            yield from ((node.lineno, f"{node.module}.{alias.name}") for alias in node.names)
        elif isinstance(node, ast.Call) and getattr(node.func, "id", getattr(node.func, "attr", "")) in (
            "import_module",
            "__import__",
        ):
            yield from ((node.lineno, part.value) for part in node.args if isinstance(part, ast.Constant))


def sources() -> list[Path]:
    return sorted(
        path for path in PACKAGE.rglob("*.py") if "solvers" not in path.relative_to(PACKAGE).parts[:1]
    )


@pytest.mark.integration
def test_uara_never_imports_its_solvers() -> None:
    found = [
        f"{path.relative_to(PACKAGE)}:{line}"
        for path in sources()
        for line, name in imports_of(path)
        if name == "uara.solvers" or str(name).startswith("uara.solvers.")
    ]
    assert len(sources()) > 20
    assert found == []


PROVING = (
    *("certificate", "check_certificate", "branches", "device_prices"),
    *("least_set", "proof", "queueing", "rounding"),
)
"""What re-computes bounds of P1."""
SCORING = ("uara.p1.model", "uara.hetedge.evaluation", "uara.verify")
"""What scores decisions, and compares what is claimed of them."""
SOLVING = ("uara.solvers", "uara.p1.allocation", "uara.p1.server_cost", "uara.hetedge.timeline")
"""What solvers compute with: scores and bounds are checked without it."""
COMPUTING = ("scipy", "numba", "highspy", "cvxpy", "pyomo")


def reached(module: str) -> dict[str, str]:
    """Everything that a module imports, itself or through others of the toolkit, and who imports it."""
    found: dict[str, str] = {}
    to_do = [module]
    while to_do:
        name = to_do.pop()
        path = PACKAGE.joinpath(*name.split(".")[1:])
        path = path / "__init__.py" if path.is_dir() else path.with_suffix(".py")
        for line, imported in imports_of(path):
            inside = own_module(imported)
            if (inside or imported) not in found:
                found[inside or imported] = f"{path.relative_to(PACKAGE)}:{line}"
                if inside and inside != "uara":
                    to_do.append(inside)
    return found


def own_module(imported: str) -> str:
    """The toolkit's module that an import names, or holds what it names; empty for others'."""
    parts = imported.split(".")
    while parts and parts[0] == "uara":
        place = PACKAGE.joinpath(*parts[1:])
        if place.with_suffix(".py").is_file() or (place / "__init__.py").is_file():
            return ".".join(parts)
        parts.pop()
    return ""


def within(name: str, modules: tuple[str, ...]) -> bool:
    return any(name == each or name.startswith(f"{each}.") for each in modules)


@pytest.mark.parametrize("module", PROVING)
def test_what_proves_bounds_stands_on_the_instance_alone(module: str) -> None:
    allowed = ("uara.base", "uara.p1.instance", "uara.p1.schema", *(f"uara.p1.{each}" for each in PROVING))
    for name, where in reached(f"uara.p1.{module}").items():
        assert not name.startswith("uara.") or within(name, allowed), f"{where}: {name}"
        assert not within(name, COMPUTING), f"{where}: {name}"


def test_all_that_proves_is_listed() -> None:
    """Whatever the proofs of P1 come to stand on is checked like them."""
    found = {name for name in reached("uara.p1.proof") if name.startswith("uara.p1.")}
    data = {"uara.p1.instance", "uara.p1.schema"}
    assert found - data == {f"uara.p1.{each}" for each in PROVING} - {"uara.p1.proof"}
    claiming = {path.stem for path in (PACKAGE / "p1").glob("*.py") if "def prove(" in path.read_text()}
    assert claiming <= set(PROVING)


@pytest.mark.parametrize("module", SCORING)
def test_what_scores_shares_no_code_with_what_solves(module: str) -> None:
    found = reached(module)
    assert any(name.startswith("uara.") for name in found)
    for name, where in found.items():
        assert not within(name, SOLVING), f"{where}: {name}"
        assert not within(name, COMPUTING), f"{where}: {name}"


def test_an_import_is_seen_through_others() -> None:
    assert within("uara.solvers.dual.price", SOLVING)
    assert "uara.p1.allocation" in reached("uara.p1.explain")
    assert any(within(name, COMPUTING) for name in reached("uara.p1.explain"))


def test_the_exact_checker_needs_python_alone() -> None:
    found = {name.partition(".")[0] for _, name in imports_of(PACKAGE / "p1" / "check_certificate.py")}
    assert found <= sys.stdlib_module_names


def test_solvers_import_each_other_relatively() -> None:
    import uara.solvers

    folder = Path(uara.solvers.__file__ or "").parent
    assert [
        f"{path.relative_to(folder)}:{line}"
        for path in folder.rglob("*.py")
        for line, name in imports_of(path)
        if name.startswith("uara.solvers")
    ] == []


def run_python(script: str) -> str:
    run = subprocess.run(
        [sys.executable, "-c", script],
        capture_output=True,
        text=True,
        timeout=120,
        check=True,
        cwd=PACKAGE.parent,
    )
    return run.stdout


def test_importing_uara_is_quick() -> None:
    script = "import time; t = time.process_time(); import uara; print(time.process_time() - t)"
    assert min(float(run_python(script)) for _ in range(3)) < 0.15


LOADED = f"\nimport sys; print('LOADED', *sorted(set({sorted(HEAVY)!r}) & set(sys.modules)))"


@pytest.mark.integration
@pytest.mark.parametrize(
    "script",
    [
        "import uara",
        "import uara.solvers",
        "from uara.cli import main\ntry: main(['--help'])\nexcept SystemExit: pass",
        "from uara.cli import main\ntry: main(['--version'])\nexcept SystemExit: pass",
        "from uara.cli import main\ntry: main(['schema', 'instance'])\nexcept SystemExit: pass",
    ],
)
def test_heavy_libraries_are_not_loaded_before_they_are_used(script: str) -> None:
    last = run_python(script + LOADED).splitlines()[-1]
    assert last.split() == ["LOADED"]


def test_describing_and_scoring_need_no_compiler() -> None:
    script = (
        "import sys; sys.path.insert(0, 'tests')\n"
        "from uara import Allocation, Channel, Devices, Instance, Servers, evaluate\n"
        "from uara.problem import describe\n"
        "one = [1e9]\n"
        "instance = Instance('a', Servers(['s'], one, one, one), Devices(['d'], one, [1.0], [1.0], one, one, one), "
        "Channel.from_dense([[1e-9]]))\n"
        "describe(instance); evaluate(instance, Allocation([0], [1.0], [1.0]))"
    )
    assert "numba" not in run_python(script + LOADED).splitlines()[-1]


def test_every_public_name_can_be_had_and_nothing_else() -> None:
    for name in uara.__all__:
        assert getattr(uara, name) is not None
        assert name in dir(uara)
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        _ = uara.nothing


def test_files_stay_short() -> None:
    import uara.solvers

    folder = Path(uara.solvers.__file__ or "").parent
    lengths = {path: len(path.read_text().splitlines()) for path in [*sources(), *folder.rglob("*.py")]}
    assert lengths.pop(PACKAGE / "p1" / "check_certificate.py") <= 1200  # one file, so that it can be copied
    assert max(lengths.values()) <= 700, max(lengths, key=lambda path: lengths[path])
    assert sum(length <= 400 for length in lengths.values()) >= 0.9 * len(lengths)


MOST_PARAMETERS = 8
LONGER = {
    "uara/bench/adhoc.py:rank",  # public, and all but two are keywords with a default
    "uara/bench/runner.py:run",
}


def parameters_of(path: Path) -> Iterator[tuple[str, int]]:
    """Every function of a file, with the number of its parameters but ``self`` and ``cls``."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            given = [*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs]
            yield node.name, sum(each.arg not in ("self", "cls") for each in given)


@pytest.mark.integration
def test_a_function_takes_a_record_where_it_would_take_many_parameters() -> None:
    import uara.solvers

    solvers = Path(uara.solvers.__file__ or "").parent
    named = [(f"uara/{path.relative_to(PACKAGE).as_posix()}", path) for path in sources()]
    named += [(f"solvers/{path.relative_to(solvers).as_posix()}", path) for path in solvers.rglob("*.py")]
    long = {
        f"{name}:{function}": count
        for name, path in named
        if not name.startswith("solvers/columns/")
        for function, count in parameters_of(path)
        if count > MOST_PARAMETERS
    }
    assert set(long) == LONGER, long


@pytest.mark.integration
def test_text_is_utf8_wherever_the_locale_says_otherwise() -> None:
    import uara.solvers

    folder = Path(uara.solvers.__file__ or "").parent
    found = [
        f"{path}:{node.lineno}"
        for path in [*sources(), *folder.rglob("*.py")]
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Call) and _leaves_encoding_to_the_locale(node)
    ]
    assert found == []


def _leaves_encoding_to_the_locale(call: ast.Call) -> bool:
    name = getattr(call.func, "id", getattr(call.func, "attr", ""))
    given = {word.arg: word.value for word in call.keywords}
    if "encoding" in given:
        return False
    if name in ("run", "Popen", "check_output"):
        return "text" in given or "universal_newlines" in given
    if getattr(getattr(call.func, "value", None), "id", "") == "os" and name == "open":
        return False
    if name == "open" and "archive" in ast.dump(call.func):  # a member of one: bytes
        return False
    if name in ("open", "fdopen"):
        modes = [part.value for part in (*call.args, *given.values()) if isinstance(part, ast.Constant)]
        return not any(isinstance(mode, str) and "b" in mode and len(mode) <= 3 for mode in modes)
    return name == "write_text" or (name == "read_text" and not call.args)
