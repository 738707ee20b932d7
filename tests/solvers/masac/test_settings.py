"""Configuration files."""

from __future__ import annotations

from pathlib import Path

import pytest
from uara.solvers.masac.learner import FORMER_NAMES, LearnerSettings, present_names
from uara.solvers.masac.settings import TrainingSettings

from uara import InputError

CONFIGURATIONS = sorted((Path(__file__).parents[3] / "benchmarks" / "masac").glob("*.toml"))


def test_an_empty_file_gives_the_defaults(tmp_path):
    path = tmp_path / "empty.toml"
    path.write_text("")
    assert TrainingSettings.load(path) == TrainingSettings()


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("steps = 0", r"\$\.steps"),
        ("[learner]\ndiscount = 1.0", r"\$\.learner\.discount"),
        ("[learner]\nreward = 'other'", r"\$\.learner\.reward"),
        ("unknown = 1", r"\$\.unknown"),
        ("sizes = [[30]]", r"\$\.sizes"),
        ("steps = ", "not valid TOML"),
        ("sizes = []", r"\$\.sizes"),
        ("sizes = [[30, 4], [30, 21]]", r"\$\.sizes\[1\].*has 21 servers.*have 20"),
        ("held_out_sizes = [[30, 21]]", r"\$\.held_out_sizes\[0\]"),
        ("[pool]\nscenes = []", r"\$\.pool\.scenes"),
        ("[pool]\ntraced_drops = 3\numi_drops = 1", r"\$\.pool.*4 drops are too few"),
        ("slots_per_episode = 1", r"\$\.slots_per_episode"),
        ("replay_steps = 2", r"\$\.replay_steps"),
        ("steps = 50", r"\$\.steps.*no update"),
        ("steps = 5\nwarmup_steps = 1", r"\$\.steps.*no update"),
        ("[worlds]\nprofile = 'none'", r"no profile 'none'"),
    ],
)
def test_errors_name_the_file_and_the_key(tmp_path, text, message):
    path = tmp_path / "bad.toml"
    path.write_text(text)
    with pytest.raises(InputError, match=message) as caught:
        TrainingSettings.load(path)
    assert "bad.toml" in str(caught.value)


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(InputError, match=r"none\.toml.*no such file"):
        TrainingSettings.load(tmp_path / "none.toml")


@pytest.mark.parametrize("path", CONFIGURATIONS, ids=lambda path: path.stem)
def test_shipped_configurations_are_valid(path):
    settings = TrainingSettings.load(path)
    held_out = set(settings.held_out_sizes)
    assert not held_out & set(settings.sizes), "validation sees sizes that training does not"


def test_there_are_configurations():
    assert len(CONFIGURATIONS) >= 8


def test_a_damaged_profile_is_named_itself(tmp_path):
    (tmp_path / "tasks.json").write_text("{")
    path = tmp_path / "run.toml"
    path.write_text(f"[worlds]\nprofile = {str(tmp_path / 'tasks.json')!r}")
    with pytest.raises(InputError, match=r"tasks\.json"):
        TrainingSettings.load(path)


@pytest.mark.parametrize(("name", "former"), FORMER_NAMES.items())
def test_former_names_are_read_too(tmp_path, name, former):
    path = tmp_path / "run.toml"
    for word in (name, former):
        path.write_text(f"[learner]\n{word} = 0.125")
        assert getattr(TrainingSettings.load(path).learner, name) == 0.125
    path.write_text(f"[learner]\n{name} = 0.125\n{former} = 0.25")
    with pytest.raises(InputError, match=rf"\$\.learner\.{former}"):
        TrainingSettings.load(path)
    path.write_text(f"[learner]\n{former} = -1.0")
    with pytest.raises(InputError, match=rf"\$\.learner\.{former}"):
        TrainingSettings.load(path)


def test_what_is_stored_has_the_present_names():
    stored = LearnerSettings(tau=0.5).model_dump(mode="json")
    assert set(FORMER_NAMES) <= set(stored)
    former = {FORMER_NAMES.get(key, key): value for key, value in stored.items()}
    assert former != stored
    assert present_names(former) == stored == present_names(stored)
