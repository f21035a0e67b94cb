"""Which numbers of a table are restated: those that a comparison by key finds, and no others."""

from datetime import date, timedelta
from typing import Any

import polars as pl
from hypothesis import given, settings
from hypothesis import strategies as st

from pipelines import registry
from pipelines.publish import restatements
from pipelines.publish.restatements import restated

SPEC = registry.BY_NAME["sessions_daily"]
FIRST = date(2025, 1, 1)
KEYS = st.tuples(st.integers(0, 3), st.sampled_from(["app", "web"]))
TABLES = st.dictionaries(KEYS, st.tuples(st.sampled_from([None, 1, 2]), st.booleans()), max_size=8)

Rows = dict[tuple[int, str], tuple[int | None, bool]]
Cells = set[tuple[date, str, float | None, float | None]]


def day(number: int) -> date:
    return FIRST + timedelta(days=number)


def frame(rows: Rows) -> pl.DataFrame:
    """Sessions by day and platform; all other numbers are 0."""
    empty: dict[str, Any] = dict.fromkeys(SPEC.schema, 0)
    return pl.DataFrame(
        [
            {
                **empty,
                "date": day(number),
                "dimension": "platform",
                "segment": segment,
                "sessions": sessions,
                "is_complete": is_complete,
            }
            for (number, segment), (sessions, is_complete) in rows.items()
        ],
        schema=SPEC.schema,
    )


def cells(old: Rows, now: Rows) -> Cells:
    found = restated(SPEC, frame(old), frame(now)).filter(column="sessions")
    segments = pl.col("key").str.json_path_match("$.segment")
    return set(found.select("period_start", segments, "old_value", "new_value").iter_rows())


def by_key(old: Rows, now: Rows) -> Cells:
    """The same, looked up key by key."""
    seen = {number for (number, _), (_, is_complete) in old.items() if is_complete}
    found: Cells = set()
    for number, segment in {*old, *now}:
        before, is_complete = old.get((number, segment), (None, number in seen))
        after, _ = now.get((number, segment), (None, False))
        if is_complete and before != after:
            found.add((day(number), segment, before, after))
    return found


@settings(max_examples=200)
@given(old=TABLES, now=TABLES)
def test_restated_are_the_numbers_that_differ_key_by_key(old: Rows, now: Rows) -> None:
    assert cells(old, now) == by_key(old, now)


def test_rows_that_changed_places_are_the_rows_they_were() -> None:
    old: Rows = {(0, "app"): (1, True), (0, "web"): (2, True)}
    assert cells(old, dict(reversed(old.items()))) == set()


def test_a_row_that_went_and_one_that_came_on_the_same_day_are_both_told() -> None:
    old: Rows = {(0, "app"): (1, True), (1, "app"): (5, True)}
    now: Rows = {(0, "web"): (1, True), (1, "app"): (5, True)}
    assert cells(old, now) == {(day(0), "app", 1, None), (day(0), "web", None, 1)}


def test_only_days_that_gained_rows_and_rows_that_changed_are_searched_for() -> None:
    old: Rows = {(number, "app"): (number, True) for number in range(1_000)}
    now = {**old, (7, "app"): (0, True), (9, "web"): (3, True)}
    columns = [*SPEC.promise.key, "sessions"]
    before, after = frame(old), frame(dict(sorted(now.items())))
    left = restatements.without_twins(before, after, columns, "date")
    places = [part.select("date", "segment", "sessions").rows() for part in left]
    assert sorted(places[0]) == [(day(7), "app", 7), (day(9), "app", 9)]
    assert sorted(places[1]) == [(day(7), "app", 0), (day(9), "app", 9), (day(9), "web", 3)]
