from __future__ import annotations

from uara.p1.allocation import allocate
from uara.p1.model import coefficients, evaluate
from uara.p1.smallest import load_kernels, smallest_instance


def test_it_is_an_instance_with_more_than_one_of_everything() -> None:
    instance = smallest_instance()
    assert (len(instance.devices), len(instance.servers)) == (3, 2)
    assert len(instance.channel.pair_server) == 6
    assert evaluate(instance, allocate(instance, [0, 1, 1])).feasible
    assert coefficients(instance).wait_ms.tolist() == 3 * [0.0, 10.0]


def test_loading_leaves_it_as_it_was() -> None:
    before = smallest_instance().digest
    load_kernels()
    assert smallest_instance() is smallest_instance()
    assert smallest_instance().replace().digest == before
