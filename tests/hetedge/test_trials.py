from __future__ import annotations

import numpy as np

from uara.hetedge.trials import large, small, trials


def test_trials_are_small_and_of_every_regime() -> None:
    found = {each.name: each for each in trials()}
    assert len(found) == len(trials())
    assert all(len(each.requests) <= 5 for each in found.values())
    assert (found["never-accepted"].requests.acceptance_rate == 0).all()
    assert (found["always-accepted"].requests.acceptance_rate == 0.99).all()
    assert found["no-batches"].parameters.largest_batch == 1
    assert found["starved-band"].parameters.bandwidth_hz < found["usual"].parameters.bandwidth_hz / 10


def test_the_same_trial_comes_again_and_the_large_one_is_large() -> None:
    assert small("a", requests=5).digest == small("b", requests=5).digest == trials()[0].digest
    assert len(large().requests) == 2000
    assert np.isfinite(large().snr).all()
