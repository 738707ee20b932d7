from __future__ import annotations

import time

from uara.clock import Clock, processor_time


def test_processor_time_is_what_clocks_of_the_block_count() -> None:
    with processor_time():
        inside = Clock()
        time.sleep(0.1)
        assert inside.wall_s() < 0.09
    outside = Clock()
    time.sleep(0.1)
    assert outside.wall_s() >= 0.1
