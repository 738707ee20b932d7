from __future__ import annotations

import pickle

from uara.base.errors import UaraError
from uara.psd.errors import ModelUnavailable


def test_it_is_of_the_family_and_survives_a_process() -> None:
    error = ModelUnavailable("gpt2", "not here")
    again = pickle.loads(pickle.dumps(error))
    assert isinstance(again, UaraError)
    assert (str(again), again.name, again.problem, again.exit_code) == (
        "gpt2: not here",
        "gpt2",
        "not here",
        6,
    )
