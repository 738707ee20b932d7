from __future__ import annotations

import json

from uara.bench.columns import JSON_COLUMNS, to_table

RUN = {"record": "run", "run_id": "a", "instance": "i", "status": "ok"}


def test_nested_values_are_json_and_lists_of_groups_are_lists() -> None:
    for name in JSON_COLUMNS:
        (row,) = to_table([{**RUN, name: {"b": [1, 2]}, "groups": ["g"]}]).to_pylist()
        assert json.loads(row[name]) == {"b": [1, 2]}
        assert row["groups"] == ["g"]


def test_a_feature_that_is_a_word_in_one_row_is_text_in_all() -> None:
    rows = to_table([{**RUN, "feature_x": 1.5}, {**RUN, "feature_x": "much"}, RUN]).to_pylist()
    assert [row["feature_x"] for row in rows] == ["1.5", "much", None]
    numbers = to_table([{**RUN, "feature_x": 1}, {**RUN, "measure_y": 2}]).to_pylist()
    assert numbers[0]["feature_x"] == 1.0
    assert numbers[1]["measure_y"] == 2.0
