"""Pools, policies, checkpoints, training, task profiles and prompts, and how each is used."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Callable
from functools import lru_cache
from pathlib import Path
from random import Random
from typing import Any

import malformed
import numpy as np
from fuzz import damage
from fuzz.instances import p1, write

from uara.base import files

ROOT = Path(__file__).parents[2]


def use_training(folder: Path) -> None:
    from uara.solvers.masac.settings import TrainingSettings

    from uara.trainer import find_trainer

    find_trainer(folder / "case.toml")
    TrainingSettings.load(folder / "case.toml")


@lru_cache
def training() -> Any:
    from uara.solvers.masac.settings import TrainingSettings

    return TrainingSettings().model_dump(mode="json", exclude_none=True)


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
        write(
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
            write(folder / "case.onnx", damage.content(rng, good))
        else:
            write(folder / "case.onnx", _damaged_model(rng, good))

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
        write(
            folder / "checkpoint.json",
            damage.text_of(rng, record, damage.as_json) if kind == 0 else json.dumps(record).encode(),
        )
        write(folder / f"checkpoint.{files.sha256(packed)[:12]}.safetensors", packed)

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
