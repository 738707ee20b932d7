from __future__ import annotations

from pathlib import Path
from xml.etree import ElementTree

import pytest

import uara
from uara import allocate
from uara.base.errors import InputError
from uara.bench import Results
from uara.bench.report import pages
from uara.bench.report.section import Facts
from uara.problem import kind_of

from ...cases import make_instance, random_association

MAP, LOADS = "Map: devices, servers, association", "Load of each server"


def test_every_instance_has_a_page_with_map_and_loads(recorded: Path) -> None:
    facts = Facts.of(Results.load(recorded))
    found = list(pages.pages(facts))
    assert [page["name"] for page in found] == list(facts.known.index)
    assert len({page["anchor"] for page in found}) == len(found) == 5
    for page in found:
        assert set(page["pictures"]) == {MAP, LOADS}


def test_anchors_are_plain_and_distinct() -> None:
    names = ["a b", "a-b", "a/b", "<b>", "é"]
    anchors = [pages.anchor(name) for name in names]
    assert len(set(anchors)) == len(names)
    assert all(anchor.isascii() and " " not in anchor and "<" not in anchor for anchor in anchors)


@pytest.mark.integration
def test_names_in_pictures_are_escaped_and_each_device_says_where_it_is_served() -> None:
    instance = make_instance(20, 3, name="<b>&</b>")
    named = instance.replace(servers=instance.servers.replace(id=("<script>", "b", "c")))
    chosen = random_association(named)
    drawn = {
        title: each.inline() for title, each in pages.pictures_of(named, allocate(named, chosen)).items()
    }
    assert not any("<script>" in text or "<b>" in text for text in drawn.values())
    notes = [
        each.text or "" for each in ElementTree.fromstring(drawn[MAP]).iter() if each.tag.endswith("title")
    ]
    for i, j in enumerate(chosen):
        assert f"{named.devices.id[i]} at {named.servers.id[j]}" in notes


@pytest.mark.integration
def test_a_kind_without_own_pictures_shows_what_it_plots(tmp_path: Path) -> None:
    instance = kind_of("hetedge").trials()[0]
    result = uara.solve(instance, "hetedge-rules")
    found = pages.pictures_of(instance, result.decision)["Answer"]
    assert found.inline().startswith('<img alt="the answer" src="data:image/svg+xml;base64,')
    found.save(tmp_path / "a.pdf")
    assert (tmp_path / "a.pdf").read_bytes().startswith(b"%PDF")
    with pytest.raises(InputError, match=r"written as \.png"):
        found.save(tmp_path / "a.pgf")
