"""Rules that associate under a policy: by name, as functions, and what they may answer."""

from __future__ import annotations

import pytest
from mec.pools import make_pool

pytest.importorskip("gymnasium")
pytest.importorskip("torch")

import torch
from uara.solvers.masac.association import associate_batch

from uara import InputError
from uara.mec.associations import DEFAULT, checked, nearest, rule
from uara.mec.play import World

POOL = make_pool()


@pytest.fixture
def slot():
    world = World(POOL, "nearest", sizes=[(9, 3)])
    world.reset(1)
    return world.slot


def test_rules_by_name_and_as_functions():
    assert rule("nearest") is nearest
    assert rule(DEFAULT) is associate_batch

    def own(*_):
        return None

    assert rule(own) is own
    with pytest.raises(InputError, match="there is no rule 'nearist'; did you mean nearest") as caught:
        rule("nearist")
    assert caught.value.source == "associate"


def test_the_nearest_server_has_the_fastest_uplink(slot):
    chosen = nearest(slot, None, None)
    fastest = slot.uplink_ms.min(2).values
    assert torch.equal(slot.uplink_ms.gather(2, chosen[:, :, None])[:, :, 0], fastest)
    assert torch.equal(checked(slot, chosen), chosen)
    assert checked(slot, chosen.int()).dtype == torch.int64


@pytest.mark.parametrize(
    ("answer", "problem"),
    [
        (lambda good: None, "answered NoneType"),
        (lambda good: good.double(), "not integers"),
        (lambda good: good[:, :-1], r"not integers of shape \(1, 9\)"),
        (lambda good: good * 0 + 3, "device 0 of world 0 at server 3"),
        (lambda good: good * 0 - 1, "server -1, which it has no path to"),
    ],
)
def test_nonsense_is_refused(slot, answer, problem):
    with pytest.raises(InputError, match=problem):
        checked(slot, answer(nearest(slot, None, None)))


def test_a_pair_without_a_path_is_refused(slot):
    lost = torch.nonzero(~torch.isfinite(slot.uplink_ms))
    assert len(lost), "the pool has such pairs"
    _, device, server = lost[0].tolist()
    chosen = nearest(slot, None, None)
    chosen[0, device] = server
    with pytest.raises(InputError, match=f"put device {device} of world 0 at server {server}"):
        checked(slot, chosen)
