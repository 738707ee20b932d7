"""The replay buffer: what follows what, and what never does."""

from __future__ import annotations

import torch
from mec.learners import make_slot
from uara.solvers.masac.replay import Replay


def fill(buffer, slot, steps, episode):
    """Every step is marked by its number, every world by tenths."""
    worlds, devices, _ = slot.uplink_ms.shape
    for step in range(steps):
        mark = step + 0.1 * torch.arange(worlds, dtype=torch.float32)[:, None].expand(worlds, devices)
        marked = type(slot)(**{**vars(slot), "battery_fraction": mark})
        association = torch.full((worlds, devices), step % 4)
        last = (step + 1) % episode == 0
        buffer.add(marked, association, torch.zeros(worlds, devices, 2), -mark, last)


def test_samples_are_steps_with_those_that_followed_them(tmp_path):
    buffer = Replay(50)
    fill(buffer, make_slot(str(tmp_path)), steps=20, episode=5)
    batch = buffer.sample(400, torch.Generator().manual_seed(0))
    now, then = batch.slot.battery_fraction[:, 0], batch.next_slot.battery_fraction[:, 0]
    torch.testing.assert_close(then, now + 1)
    torch.testing.assert_close(batch.reward[:, 0], -now)
    torch.testing.assert_close(batch.association[:, 0], (now + 0.05).long() % 4)
    torch.testing.assert_close(batch.next_association[:, 0], (then + 0.05).long() % 4)
    steps = set((now + 0.05).long().tolist())
    assert steps == {s for s in range(19) if (s + 1) % 5}, "no step looks beyond the end of its episode"
    assert len(set(torch.round((now % 1) * 10).long().tolist())) == 3, "every parallel world is drawn"


def test_the_ring_forgets_the_oldest_steps(tmp_path):
    buffer = Replay(8)
    fill(buffer, make_slot(str(tmp_path)), steps=21, episode=1000)
    assert len(buffer) == 8
    batch = buffer.sample(300, torch.Generator().manual_seed(0))
    now = batch.slot.battery_fraction[:, 0]
    assert set((now + 0.05).long().tolist()) == set(range(13, 20))
    torch.testing.assert_close(batch.next_slot.battery_fraction[:, 0], now + 1)


def test_readiness_and_reproducibility(tmp_path):
    buffer = Replay(8)
    slot = make_slot(str(tmp_path))
    assert not buffer.ready()
    fill(buffer, slot, steps=1, episode=1000)
    assert not buffer.ready(), "what follows the newest step is not known"
    fill(buffer, slot, steps=3, episode=1000)
    assert buffer.ready()
    first, second = (buffer.sample(9, torch.Generator().manual_seed(4)) for _ in range(2))
    torch.testing.assert_close(first.reward, second.reward)


def test_a_buffer_of_last_steps_alone_is_not_ready(tmp_path):
    buffer = Replay(8)
    fill(buffer, make_slot(str(tmp_path)), steps=6, episode=1)
    assert not buffer.ready()
