from __future__ import annotations

from uara.base.plugins import everything, offered


def test_a_group_is_offered_in_the_order_of_its_names() -> None:
    kinds = offered("uara.problems")
    assert {"p1", "hetedge"} <= set(kinds)
    assert list(kinds) == sorted(kinds)
    assert all(name == point.name for name, point in kinds.items())
    assert kinds["p1"].load().name == "p1"


def test_packages_are_read_once_and_an_unknown_group_is_empty() -> None:
    assert everything() is everything()
    assert offered("uara.nothing") == {}
