"""Every reader of the toolkit: how to write what it reads, how to damage it, and how to read and use it."""

from __future__ import annotations

import contextlib
import io
import json
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from random import Random
from typing import Any

import malformed
import numpy as np
from cases import make_instance
from fuzz import damage
from hetedge_cases import make_hetedge

import uara
import uara.problem
from uara import Instance, files, recipe, solution
from uara.cli import main
from uara.errors import UaraError, one_line

ROOT = Path(__file__).parents[2]
SUITE = {
    "name": "trial",
    "time_limit_s": 5.0,
    "seeds": [0],
    "instances": [{"generate":
                   {"channel": "path-loss", "servers": 3, "devices": [6, 7], "seed": 1, "name": "tiny"},
                   "groups": ["all"], "parameters": {"energy_weight_ms_per_j": [20.0]}, "subsets": {"servers": [2], "devices": [3, 4]}}],
    "solvers": [{"solver": "tma", "label": "tma one", "options": {"allocation": "uniform", "moves": "pairs"}},
                {"solver": "max-sinr", "repetitions": 2, "seeds": [0, 1], "instances": "*",
                 "skip": [{"instances": "*m4*", "reason": "on purpose"}]}],
    "figures": [{"title": "Sweep", "group": "all", "x": "feature_devices", "y": "latency_mean_ms", "claim": "grows"}],
    "claims": [{"text": "lower", "source": "nobody", "solver": "tma one", "against": ["max-sinr"], "groups": ["all"],
                "mean_reduction": 0.2}],
}  # fmt: skip
COLLECTION = {
    "title": "Two",
    "introduction": "Words.",
    "entries": [
        {
            "name": "one",
            "about": "a",
            "recipe": {"servers": 2, "devices": 5, "channel": "path-loss", "seed": 3},
        },
        {"name": "two", "twin_of": "one", "recipe": {"seed": 2}},
    ],
}
RECIPE = {
    "servers": 3, "devices": 9, "channel": "path-loss", "scene": "etoile", "seed": 1, "profile": "gpt2_gpt2-xl",
    "payload": "tokens", "battery": "any", "server_mix": "mixed", "bandwidth_mhz": 10.0,
    "energy_weight_ms_per_j": 50.0, "box_m": 400.0, "rays_per_server": 10_000, "max_depth": 3,
}  # fmt: skip


@dataclass(frozen=True)
class Reader:
    """``make`` writes valid artefacts into a folder and returns what damages them; ``read`` reads and uses them."""

    name: str
    make: Callable[[Path], Callable[[Random], None]]
    read: Callable[[Path], object]


def _text_file(name: str, value: Callable[[], Any], encode: Callable[[Any], str]) -> Any:
    def make(folder: Path) -> Callable[[Random], None]:
        good = value()
        (folder / name).write_text(encode(good))
        return lambda rng: _put(folder / name, damage.text_of(rng, good, encode))

    return make


def _put(path: Path, content: bytes) -> None:
    path.write_bytes(content)


@lru_cache
def p1() -> Instance:
    return Instance.from_plain(malformed.valid())


@lru_cache
def walked() -> Any:
    from mec.worlds import random_gains

    from uara.mec.trace import Trace

    rng = np.random.default_rng(1)
    return Trace(make_instance(9, 3, missing=0.0), random_gains(3), rng.uniform(0, 100, (3, 9, 3)), 1.0, 1.5)


@lru_cache
def solved(solver: str) -> Any:
    return json.loads(files.pretty_json(solution.from_result(uara.solve(p1(), solver, time_limit_s=2))))


def with_side_file(plain: dict[str, Any], place: str, name: str, folder: Path, whole: bool = False) -> Any:
    """Damage an instance whose columns are in an ``.npz``, or the ``.npz`` under a right hash."""
    columns = list(plain[place]) if whole else [name]
    arrays = {f"{place}.{key}": np.asarray(plain[place][key]) for key in columns if key != "layout"}
    plain = {
        **plain,
        place: {**plain[place], **{key: f"npz:{place}.{key}" for key in columns if key != "layout"}},
    }

    def put(rng: Random | None) -> None:
        side = malformed.archive(**{key: malformed.npy(array) for key, array in arrays.items()})
        side = damage.arrays(rng, arrays) if rng and rng.randrange(3) else side
        record = {**plain, "side_file": {"name": "case.npz", "sha256": files.sha256(side)}}
        (folder / "case.npz").write_bytes(side)
        text = (
            damage.text_of(rng, record, damage.as_json)
            if rng and not rng.randrange(3)
            else json.dumps(record).encode()
        )
        (folder / "case.json").write_bytes(text)

    put(None)
    return put


def use(folder: Path) -> None:
    """Load an instance of any kind and describe it."""
    problem = uara.problem.load(folder / "case.json")
    problem.describe()
    assert len(problem.digest) == 64


def use_trace(folder: Path) -> None:
    from uara.cli.simulate import open_trace
    from uara.simulate import Controller, simulate

    simulate(open_trace(folder / "case.json"), [Controller(name="max-sinr")], slots=1)


def make_trace(folder: Path) -> Callable[[Random], None]:
    trace = walked()
    trace.save(folder / "case.json")
    plain = json.loads((folder / "case.json").read_text())
    given = {"power_gain": trace.power_gain, "device_position_m": trace.device_position_m}
    good = (folder / plain["side_file"]["name"]).read_bytes()

    def put(rng: Random) -> None:
        side = damage.arrays(rng, given) if rng.randrange(2) else good
        (folder / "side.npz").write_bytes(side)
        record = {**plain, "side_file": {"name": "side.npz", "sha256": files.sha256(side)}}
        text = (
            json.dumps(record).encode() if side is not good else damage.text_of(rng, record, damage.as_json)
        )
        (folder / "case.json").write_bytes(text)

    return put


def use_solution(folder: Path) -> None:
    from uara.verify import verify

    instance = p1()
    record, decision, certificate = solution.open_for(instance, folder / "case.json")
    instance.evaluate(decision).to_plain()
    verify(instance, decision, record.claims, certificate).to_plain()


def use_as_start(folder: Path) -> None:
    decision = solution.open_for(p1(), folder / "case.json")[1]
    uara.solve(p1(), "max-sinr", start=decision)


def use_prices(folder: Path) -> None:
    from uara.solvers.price import read_prices

    read_prices(str(folder / "case.json"), 2)


def make_best_known(folder: Path) -> Callable[[Random], None]:
    from uara import best_known

    p1().save(folder / "synthetic.json")
    best_known.record(folder, p1(), uara.solve(p1(), "price", time_limit_s=2))
    good = json.loads((folder / "best_known.json").read_text())
    return lambda rng: _put(folder / "best_known.json", damage.text_of(rng, good, damage.as_json))


def use_best_known(folder: Path) -> None:
    from uara import best_known

    best_known.check(folder)
    best_known.lookup(p1(), folder / "synthetic.json")


def use_collection(folder: Path) -> None:
    from uara.collection import Collection

    Collection.load(folder / "case.toml")


def use_suite(folder: Path) -> None:
    from uara.bench.plan import make_plan
    from uara.bench.suite import Suite

    suite = Suite.load(folder / "case.toml")
    if len(suite.instances) <= 2 and len(suite.solvers) <= 3:
        make_plan(suite, folder)


def use_training(folder: Path) -> None:
    from uara.solvers.masac.settings import TrainingSettings

    from uara.cli.train import find_trainer

    find_trainer(folder / "case.toml")
    TrainingSettings.load(folder / "case.toml")


@lru_cache
def training() -> Any:
    from uara.solvers.masac.settings import TrainingSettings

    return TrainingSettings().model_dump(mode="json")


def use_recipe(folder: Path) -> None:
    """A recipe as keyword arguments, as a library caller or a collection gives it."""
    plain = files.read_plain_json(folder / "case.json")
    wanted = files.validate(plain, recipe.Recipe)
    if wanted.servers * wanted.devices < 1000 and wanted.channel == "path-loss":
        recipe.generate(wanted)


def make_results(folder: Path) -> Callable[[Random], None]:
    import pyarrow as pa
    import pyarrow.parquet as pq

    path = folder / "case.parquet"
    good_file = results_file()
    path.write_bytes(good_file)
    table = pq.read_table(path)

    def put(rng: Random) -> None:
        if rng.randrange(4) == 0:
            path.write_bytes(damage.content(rng, good_file))
            return
        pq.write_table(_damaged_table(rng, table, pa), path)

    return put


@lru_cache
def results_file() -> bytes:
    """A small result file, which a suite has made."""
    import tempfile

    import uara.bench

    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "suite.toml").write_text(damage.as_toml(SUITE))
        uara.bench.run(folder / "suite.toml", output=folder / "r.parquet")
        return (folder / "r.parquet").read_bytes()


def _damaged_table(rng: Random, table: Any, pa: Any) -> Any:
    for _ in range(rng.choice((1, 1, 2, 3))):
        kind = rng.randrange(7)
        name = rng.choice(table.column_names)
        at = table.column_names.index(name)
        column = table[name].to_pylist()
        if kind == 0:
            table = table.drop_columns([name])
        elif kind == 1:
            table = table.rename_columns(
                [(each + "x" if each == name else each) for each in table.column_names]
            )
        elif kind <= 4:
            row = rng.choice((slice(0, 1), slice(None), slice(None, None, 2)))
            value = rng.choice(
                (
                    None,
                    "",
                    "x",
                    "[",
                    "{}",
                    "[1]",
                    '{"a": NaN}',
                    "[" * 10_000,
                    -1,
                    2**40,
                    float("nan"),
                    float("inf"),
                    -1e308,
                    0,
                )
            )
            column[row] = [value] * len(column[row])
            try:
                table = table.set_column(at, name, pa.array(column, table.schema.field(name).type))
            except (pa.ArrowException, TypeError, OverflowError):
                with contextlib.suppress(pa.ArrowException, TypeError, OverflowError):
                    table = table.set_column(
                        at, name, pa.array([None if v is None else str(v) for v in column])
                    )
        elif kind == 5:
            facts = dict(table.schema.metadata or {b"uara.suite": b"{}"})
            key = rng.choice(sorted(facts))
            try:
                good = json.loads(facts[key])
            except ValueError:
                good = 1
            text = damage.text_of(rng, good if isinstance(good, dict | list) else [good], damage.as_json)
            facts[key] = text
            table = table.replace_schema_metadata(facts)
        else:
            table = rng.choice((table[:0], table.slice(1), pa.concat_tables([table, table])))
    return table


def use_results(folder: Path) -> None:
    from uara.bench.metrics import contradictions
    from uara.bench.results import Results

    results = Results.load(folder / "case.parquet")
    results.ranking()
    contradictions(results)


def use_report(folder: Path) -> None:
    from uara.bench.compare import compare_results
    from uara.bench.report import write_report
    from uara.bench.results import Results
    from uara.bench.tables import markdown_tables

    results = Results.load(folder / "case.parquet")
    markdown_tables(results)
    compare_results(results, results).to_plain()
    write_report(results, folder / "case.html")


def make_part(folder: Path) -> Callable[[Random], None]:
    from uara.bench.store import Store

    (folder / "suite.toml").write_text(damage.as_toml(SUITE))
    store = Store(folder / "case.parquet")
    store.path.write_bytes(results_file())
    rows = [row for row in store.rows() if row.get("run_id")]
    first = rows[0]["run_id"]
    good = [row for row in rows if row["run_id"] == first]
    store.parts.mkdir(exist_ok=True)
    part = store.parts / f"{first}.json"
    return lambda rng: _put(part, damage.text_of(rng, good, damage.as_json))


def use_part(folder: Path) -> None:
    from uara.bench.store import Store

    store = Store(folder / "case.parquet")
    store.path.write_bytes(results_file())
    store.statuses()
    store.merge(store.rows(), {"name": "x"})


def make_pool(folder: Path) -> Callable[[Random], None]:
    from mec.pools import make_pool as small

    pool = small(4, 6, 3)
    pool.save(folder / "case.npz")
    header = {"version": 1, "settings": pool.settings.model_dump(), "facts": pool.facts}
    good = (folder / "case.npz").read_bytes()

    def put(rng: Random) -> None:
        text = (
            json.dumps(header).encode() if rng.randrange(2) else damage.text_of(rng, header, damage.as_json)
        )
        given = {"power_gain": pool.power_gain, "header": np.frombuffer(text, dtype=np.uint8)}
        kind = rng.randrange(3)
        whole = malformed.archive(**{key: malformed.npy(each) for key, each in given.items()})
        _put(
            folder / "case.npz",
            damage.arrays(rng, given) if kind == 0 else whole if kind == 1 else damage.content(rng, good),
        )

    return put


def use_pool(folder: Path) -> None:
    from uara.mec.pool import Pool

    Pool.load(folder / "case.npz").split(0.5)


@lru_cache
def policy_file() -> bytes:
    from mec.learners import make_learner
    from mec.policies import make_header
    from uara.solvers.masac.export import policy_bytes

    learner = make_learner()
    return policy_bytes(learner.actor, make_header(learner))


def make_policy(folder: Path) -> Callable[[Random], None]:
    good = policy_file()
    (folder / "case.onnx").write_bytes(good)

    def put(rng: Random) -> None:
        if rng.randrange(3) == 0:
            _put(folder / "case.onnx", damage.content(rng, good))
        else:
            _put(folder / "case.onnx", _damaged_model(rng, good))

    return put


def _damaged_model(rng: Random, good: bytes) -> bytes:
    import onnx
    from uara.solvers.masac.policy import HEADER_KEY

    model = onnx.load_model_from_string(good)
    graph = model.graph
    header = json.loads(model.metadata_props[0].value)
    for _ in range(rng.choice((1, 1, 2, 3))):
        kind = rng.randrange(9)
        if kind == 0:
            text = damage.text_of(rng, header, damage.as_json).decode(errors="replace")
            onnx.helper.set_model_props(model, {HEADER_KEY: text.encode(errors="replace").decode()})
        elif kind == 1:
            node = rng.choice(graph.node)
            node.op_type = rng.choice(
                ("Add", "MatMul", "Relu", "Constant", "ConstantOfShape", "Expand", "Identity", "x", "")
            )
        elif kind == 2:
            node = rng.choice([each for each in graph.node if each.input])
            node.input[rng.randrange(len(node.input))] = rng.choice(
                (rng.choice(graph.initializer).name, "features", "x", "")
            )
        elif kind == 3:
            at = rng.choice(graph.initializer)
            with np.errstate(all="ignore"):
                changed = damage.array(rng, onnx.numpy_helper.to_array(at))
            with contextlib.suppress(Exception):
                at.CopyFrom(onnx.numpy_helper.from_array(np.ascontiguousarray(changed), at.name))
        elif kind == 4:
            at = rng.choice(graph.initializer)
            at.dims[rng.randrange(len(at.dims))] = rng.choice((0, -1, 1, 2**20, 2**40, 2**62))
        elif kind == 5:
            constant = rng.choice([each for each in graph.node if each.op_type == "Constant"])
            value = rng.choice(
                (
                    np.array([7]),
                    np.array(2.0, np.float32),
                    np.array([2**62]),
                    np.array([-(2**62)]),
                    np.array([], np.int64),
                )
            )
            constant.attribute[0].t.CopyFrom(onnx.numpy_helper.from_array(value))
        elif kind == 6:
            del graph.node[rng.randrange(len(graph.node))]
        elif kind == 7:
            where = rng.choice((graph.input, graph.output, graph.initializer))
            where.append(where[0]) if rng.randrange(2) else where.pop()
            if not len(graph.initializer) or not len(graph.input):
                break
        else:
            model.opset_import[0].version = rng.choice((1, 7, 13, 99, 2**40))
        if not (len(graph.node) and len(graph.initializer) and len(model.metadata_props)):
            break
    return model.SerializeToString()


def use_policy(folder: Path) -> None:
    from uara.solvers.masac.policy import Policy

    Policy.load(folder / "case.onnx").log_weights(p1())


def make_checkpoint(folder: Path) -> Callable[[Random], None]:
    from mec.learners import make_batch, make_learner
    from safetensors.numpy import load, save
    from uara.solvers.masac import checkpoint

    learner = make_learner()
    learner.update(make_batch(str(folder), learner))
    state = {
        "settings": {"seed": 1},
        "step": 7,
        "best_gap": 0.02,
        "best_step": 5,
        "elapsed_s": 3.5,
        "mean_return": -0.5,
    }
    checkpoint.save(folder, learner, state)
    good = json.loads((folder / "checkpoint.json").read_text())
    side = folder / f"checkpoint.{good['tensors_sha256'][:12]}.safetensors"
    content, tensors = side.read_bytes(), load(side.read_bytes())

    def put(rng: Random) -> None:
        for old in folder.glob("checkpoint.*.safetensors"):
            old.unlink()
        kind, record, packed = rng.randrange(3), good, content
        if kind == 1:
            packed = damage.content(rng, content)
        elif kind == 2:
            changed = dict(tensors)
            name = rng.choice(sorted(changed))
            another = damage.array(rng, changed.pop(name))
            with contextlib.suppress(Exception):
                changed[
                    rng.choice((name, name, name + "x", "x", "optimiser/actor/0", "optimiser/actor/x/y"))
                ] = np.ascontiguousarray(another)
                packed = save(changed)
        record = {**good, "tensors_sha256": files.sha256(packed)}
        _put(
            folder / "checkpoint.json",
            damage.text_of(rng, record, damage.as_json) if kind == 0 else json.dumps(record).encode(),
        )
        _put(folder / f"checkpoint.{files.sha256(packed)[:12]}.safetensors", packed)

    return put


def use_checkpoint(folder: Path) -> None:
    from uara.solvers.masac import checkpoint

    checkpoint.load(folder, spare_learner(), {"seed": 1})


@lru_cache
def spare_learner() -> Any:
    from mec.learners import make_learner

    return make_learner()


def profile() -> Any:
    plain = json.loads((ROOT / "uara/data/profiles/smollm2_int4_t1.json").read_text())
    plain["records"] = [{**record, "runs": record["runs"][:2]} for record in plain["records"][:3]]
    return plain


def use_profile(folder: Path) -> None:
    from uara.psd.profile import TaskProfile
    from uara.psd.report import summary_table

    read = TaskProfile.load(folder / "case.json")
    read.draw_tasks(3, np.random.default_rng(0))
    summary_table(read)


def use_profile_figures(folder: Path) -> None:
    from uara.psd.profile import TaskProfile
    from uara.psd.statistics import summarise

    read = TaskProfile.load(folder / "case.json")
    summarise(read.records, read.decoding, read.draft, read.target)


def prompts_text(value: Any) -> str:
    return (
        "\n".join(damage.as_json(line) for line in value)
        if isinstance(value, list)
        else damage.as_json(value)
    )


def use_prompts(folder: Path) -> None:
    from uara.psd.prompts import read_prompts

    for each in read_prompts(folder / "case.jsonl"):
        assert each.sha256


WORDS = (
    ["solve", "{case}", "--solver", "tma:moves=pairs,allocation=sqrt", "--option", "moves=none"],
    ["solve", "{case}", "--solver", "max-sinr:allocation=uniform", "--then", "hetedge-rules:batching=none"],
    ["solve", "{case}", "--solver", "random", "--seed", "1", "--time-limit", "1"],
    ["solve", "{case}", "--solver", "masac", "--option", "policy=", "--start", "{case}"],
    ["simulate", "{case}", "--solver", "max-sinr:allocation=uniform", "--slots", "1", "--profile", "gpt2_gpt2-xl"],
    ["show", "{case}", "--solver", "max-sinr:allocation=uniform"],
    ["verify", "{case}", "{case}", "--gap", "0.1"],
    ["evaluate", "{case}", "{case}"],
    ["export", "{case}", "--to", "mps", "--program", "milp", "--output", "out.mps"],
    ["schema", "instance"],
    ["check-solver", "nobody"],
    ["generate", "-o", "made.json", "--servers", "2", "--devices", "4", "--channel", "path-loss", "--seed", "1",
     "--profile", "gpt2_gpt2-xl", "--payload", "tokens", "--battery", "low", "--server-mix", "mixed", "--box-m", "400",
     "--bandwidth-mhz", "10", "--energy-weight", "50", "--name", "n"],
    ["hetedge", "generate", "-o", "made.json", "--requests", "5", "--channel", "path-loss", "--seed", "1",
     "--acceptance", "0.5", "--bandwidth-mhz", "1", "--largest-batch", "4", "--draft-node", "rtx-3080",
     "--draft-model", "tinyllama-1.1b", "--target-node", "rtx-4500-ada", "--box-m", "400"],
    ["bench", "suite.toml", "--plan", "--only-solver", "*", "--only-instance", "tiny*", "--retry", "error",
     "--backend", "joblib"],
    ["bench", "report", "nothing.parquet"],
    ["best-known", ".", "--check"],
    ["train", "train.toml", "--device", "cpu", "--output", "run", "--resume"],
    ["psd", "compare", "--profile", "smollm2_int4", "--ratio", "2"],
)  # fmt: skip


def make_words(folder: Path) -> Callable[[Random], None]:
    p1().save(folder / "case.json")
    (folder / "suite.toml").write_text(damage.as_toml(SUITE))
    (folder / "train.toml").write_text("seed = 1\n")
    (folder / "words.txt").write_text(json.dumps(WORDS[0]))

    def put(rng: Random) -> None:
        words = list(rng.choice(WORDS))
        for _ in range(rng.choice((1, 1, 2))):
            places = [
                place for place in range(1, len(words)) if words[place] not in ("-o", "made.json", "out.mps")
            ]
            place = rng.choice(places)
            words[place] = _damaged_word(rng, words[place])
        (folder / "words.txt").write_text(json.dumps(words))

    return put


def _damaged_word(rng: Random, word: str) -> str:
    odd = rng.choice(
        (*damage.TEXTS, "0", "1e400", "-1", "1" * 5000, "1_0", "0x1", "inf", "nan", "1e308", "9" * 30)
    )
    if ":" in word and "=" in word and rng.randrange(2):
        name, _, tail = word.partition(":")
        key, _, value = tail.partition("=")
        return rng.choice((f"{name}:{key}={odd}", f"{name}:{odd}={value}", f"{odd}:{tail}", f"{name}:{odd}"))
    return rng.choice((odd, word + odd, odd + word, word[:-1], word.upper()))


def run_words(folder: Path) -> None:
    """The command line in this process: one line and a code, or an answer; ``SystemExit`` is its only way out."""
    words = [
        word.replace("{case}", str(folder / "case.json"))
        for word in json.loads((folder / "words.txt").read_text())
    ]
    if words[0] in ("simulate",) and len(words) > 5 and words[5].isdigit() and len(words[5]) > 2:
        return  # a run of many slots is no fault
    out, err = io.StringIO(), io.StringIO()
    with contextlib.chdir(folder), contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        try:
            main(words)
        except SystemExit as end:
            if end.code not in (None, 0, 1, 2, 3, 4, 5) or "Traceback" in err.getvalue():
                raise RuntimeError(f"exit code {end.code}: {err.getvalue()}") from None


def instance_words(folder: Path) -> Callable[[Random], None]:
    return _text_file("case.json", malformed.valid, damage.as_json)(folder)


def hetedge_plain() -> Any:
    return json.loads(files.pretty_json(_plain(make_hetedge(4, seed=3).to_plain())))


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    return (
        value.tolist()
        if isinstance(value, np.ndarray)
        else list(value)
        if isinstance(value, tuple)
        else value
    )


def make_plan_file(folder: Path) -> Callable[[Random], None]:
    good = json.loads(
        files.pretty_json(solution.from_result(uara.solve(make_hetedge(4, seed=3), "hetedge-rules")))
    )
    return _text_file("case.json", lambda: good, damage.as_json)(folder)


def use_plan(folder: Path) -> None:
    instance = make_hetedge(4, seed=3)
    _, decision, _ = solution.open_for(instance, folder / "case.json")
    instance.evaluate(decision).to_plain()


READERS = [
    Reader("instance", _text_file("case.json", malformed.valid, damage.as_json), use),
    Reader("sparse instance", _text_file("case.json", malformed.sparse, damage.as_json), use),
    Reader("side file", lambda folder: with_side_file(malformed.valid(), "channel", "power_gain", folder), use),
    Reader("sparse side file", lambda folder: with_side_file(malformed.sparse(), "channel", "", folder, True), use),
    Reader("devices in a side file", lambda at: with_side_file(malformed.valid(), "devices", "", at, True), use),
    Reader("hetedge instance", _text_file("case.json", hetedge_plain, damage.as_json), use),
    Reader("hetedge side file", lambda folder: with_side_file(hetedge_plain(), "requests", "", folder, True), use),
    Reader("solution, prices", _text_file("case.json", lambda: solved("price"), damage.as_json), use_solution),
    Reader("solution, branches", _text_file("case.json", lambda: solved("branch"), damage.as_json), use_solution),
    Reader("start", _text_file("case.json", lambda: solved("price"), damage.as_json), use_as_start),
    Reader("hetedge plan", make_plan_file, use_plan),
    Reader("option prices", _text_file("case.json", lambda: solved("branch"), damage.as_json), use_prices),
    Reader("best known", make_best_known, use_best_known),
    Reader("trace", make_trace, use_trace),
    Reader("collection", _text_file("case.toml", lambda: COLLECTION, damage.as_toml), use_collection),
    Reader("recipe", _text_file("case.json", lambda: RECIPE, damage.as_json), use_recipe),
    Reader("suite", _text_file("case.toml", lambda: SUITE, damage.as_toml), use_suite),
    Reader("results", make_results, use_results),
    Reader("report", make_results, use_report),
    Reader("part of a store", make_part, use_part),
    Reader("pool", make_pool, use_pool),
    Reader("policy", make_policy, use_policy),
    Reader("checkpoint", make_checkpoint, use_checkpoint),
    Reader("training", _text_file("case.toml", training, damage.as_toml), use_training),
    Reader("task profile", _text_file("case.json", profile, damage.as_json), use_profile),
    Reader("task summary", _text_file("case.json", profile, damage.as_json), use_profile_figures),
    Reader("prompts", _text_file("case.jsonl", lambda: [{"task": "a", "prompt": "b"}] * 3, prompts_text), use_prompts),
    Reader("command line", make_words, run_words),
]  # fmt: skip


def outcome(reader: Reader, folder: Path) -> str:
    """How reading ends: ``read``, ``refused``, or what got out, which is a fault."""
    try:
        reader.read(folder)
    except UaraError as error:
        line = one_line(error)
        return "refused" if line.isprintable() else f"unprintable: {line!r:.100}"
    except (Exception, SystemExit) as error:
        place = traceback.extract_tb(error.__traceback__)
        ours = [each for each in place if "/uara/" in each.filename or "/solvers/" in each.filename]
        last = ours[-1] if ours else place[-1]
        return (
            f"{type(error).__name__} in {Path(last.filename).name}:{last.lineno} {last.name}: {error!s:.80}"
        )
    return "read"
