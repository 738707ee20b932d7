"""Trainers: how an installed one is found, and what it is given."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from mec.runs import configure

from uara import InputError, MissingExtra
from uara import trainer as module
from uara.trainer import Listener


def test_modules_of_a_library_stand_for_it(tmp_path, monkeypatch):
    class Point:
        name = "masac"

        def load(self):
            raise ModuleNotFoundError("no", name="safetensors.torch")

    monkeypatch.setattr(module.metadata, "entry_points", lambda group: [Point()])
    monkeypatch.setitem(sys.modules, "safetensors", None)
    with pytest.raises(MissingExtra, match="safetensors is not installed"):
        module.find_trainer(configure(tmp_path))


class Theirs:
    """Another one's trainer, as its package would declare it."""

    name = "theirs"

    def load(self):
        def train(config, folder, *, listener, **options):
            listener.note(f"trains as {config.name} says")
            listener.report({"step": 1.0})
            listener.progress({"step": 2.0})
            return folder / "policy"

        return train


def test_a_third_partys_trainer_is_found_by_its_name(tmp_path, monkeypatch):
    monkeypatch.setattr(module.metadata, "entry_points", lambda group: [Theirs()])
    config = tmp_path / "theirs.toml"
    config.write_text("method = 'theirs'\n")
    heard, trainer = [], module.find_trainer(config)
    listener = Listener(report=heard.append, note=heard.append)
    assert trainer(config, tmp_path, listener=listener) == tmp_path / "policy"
    assert heard == ["trains as theirs.toml says", {"step": 1.0}]


def test_ours_is_the_default(tmp_path):
    config = tmp_path / "plain.toml"
    config.write_text("")
    assert module.find_trainer(config).__module__ == "uara.solvers.masac.training"


@pytest.mark.parametrize("text", ["method = 'none'", "method = 3"])
def test_an_unknown_trainer_is_refused_by_name(tmp_path, text):
    config = Path(tmp_path / "bad.toml")
    config.write_text(text)
    with pytest.raises(InputError, match="is no trainer; there are: masac") as caught:
        module.find_trainer(config)
    assert caught.value.path == "$.method"
