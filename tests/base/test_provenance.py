from __future__ import annotations

import pytest

from uara.base.errors import InputError
from uara.base.files import validate
from uara.base.provenance import Provenance


def test_words_are_of_what_is_known() -> None:
    assert Provenance().lines() == []
    assert Provenance(task_profile="t").lines() == ["task profile: t (acceptance not stated)"]
    full = Provenance(task_profile="t", acceptance="measured", command="uara generate", credits=["A", "B"])
    assert full.lines() == [
        "task profile: t (acceptance measured)",
        "made by: uara generate",
        "credit: A",
        "credit: B",
    ]


def test_it_survives_plain_data_and_refuses_what_it_does_not_know() -> None:
    full = Provenance(seed=3, versions={"numpy": "2"}, settings={"a": 1, "b": None, "c": "x", "d": 0.5})
    assert validate(full.model_dump(mode="json"), Provenance) == full
    with pytest.raises(InputError, match="author"):
        validate({"author": "me"}, Provenance)
    with pytest.raises(InputError, match="seed"):
        validate({"seed": "three"}, Provenance)
