"""Small learners' policies for the tests of MASAC."""

from __future__ import annotations

from uara.solvers.masac import features
from uara.solvers.masac.export import policy_bytes
from uara.solvers.masac.learner import Learner
from uara.solvers.masac.policy import POLICY_VERSION, Policy, PolicyHeader


def make_header(learner: Learner) -> PolicyHeader:
    """What a file of this learner's policy says of itself."""
    return PolicyHeader(
        version=POLICY_VERSION,
        kind="uara-masac-policy",
        prior=learner.settings.prior,
        features=list(features.NAMES),
        training={"seed": 1},
    )


def make_policy(learner: Learner) -> Policy:
    """A learner's policy as solving sees it."""
    return Policy.from_bytes(policy_bytes(learner.actor, make_header(learner)))
