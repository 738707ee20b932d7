from __future__ import annotations

from pathlib import Path

from uara.bench import Results
from uara.bench.report import pages, sections


def test_every_instance_has_a_page_with_map_and_loads(recorded: Path) -> None:
    built = sections.build(Results.load(recorded))
    assert len(built["pages"]) == len(built["instances"].rows) == 8
    assert len({page["anchor"] for page in built["pages"]}) == 8
    for page in built["pages"]:
        assert set(page["pictures"]) == {"Map: devices, servers, association", "Load of each server"}


def test_anchors_are_plain_and_distinct() -> None:
    names = ["a b", "a-b", "a/b", "<b>", "é"]
    anchors = [pages.anchor(name) for name in names]
    assert len(set(anchors)) == len(names)
    assert all(anchor.isascii() and " " not in anchor and "<" not in anchor for anchor in anchors)
