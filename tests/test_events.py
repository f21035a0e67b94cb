from collections.abc import Sequence

import polars as pl
from frames import assert_rows, at, day, frame

from schemas.duplicate_events import DuplicateEvents
from schemas.events import Events
from schemas.excluded_events import ExcludedEvents
from schemas.landed_events import LandedEvents
from transforms.events import events

TODAY = day("2025-03-01")
WHERE = {"event_date": TODAY, "landing_date": TODAY, "file": "f.csv"}


def landed(line: int, **more: object) -> dict[str, object]:
    return {
        "event_id": f"e{line}",
        "event_name": "page_view",
        "event_ts": at("2025-03-01 12:00"),
        "user_id": "ann",
        "received_ts": at("2025-03-01 12:00"),
        "line": line,
        **WHERE,
        **more,
    }


def made(
    rows: list[dict[str, object]],
    twins: list[dict[str, object]],
    excluded: Sequence[dict[str, object]] = (),
) -> pl.LazyFrame:
    others = frame(DuplicateEvents, twins), frame(ExcludedEvents, excluded)
    return events(frame(LandedEvents, rows), *others)


def test_landed_rows_are_kept_as_they_came_without_their_duplicates() -> None:
    rows = [landed(1, platform="web", extra='{"a":1}'), landed(2), landed(3, event_id="e1")]
    twins = [{**WHERE, "line": 3, "event_id": "e1"}]
    assert_rows(
        made(rows, twins),
        Events,
        [
            {"event_id": "e1", "platform": "web", "extra": '{"a":1}', "landing_date": TODAY},
            {"event_id": "e2", "platform": None, "extra": None, "landing_date": TODAY},
        ],
    )


def test_what_a_rule_leaves_out_does_not_count_and_nothing_else_is_judged_here() -> None:
    rows = [landed(1), landed(2, is_bot=True), landed(3)]
    excluded = [{**WHERE, "line": 3, "event_id": "e3", "rule": "staff"}]
    assert_rows(made(rows, [], excluded), Events, [{"event_id": "e1"}, {"event_id": "e2"}])


def test_a_duplicate_is_told_by_landing_date_file_and_line_together() -> None:
    tomorrow = day("2025-03-02")
    rows = [
        landed(1),
        landed(1, event_id="other file", file="g.csv"),
        landed(1, event_id="other landing", landing_date=tomorrow),
        landed(2, event_id="other line"),
    ]
    twins = [{**WHERE, "line": 1, "event_id": "e1"}]
    assert_rows(
        made(rows, twins),
        Events,
        [{"event_id": name} for name in ("other file", "other landing", "other line")],
    )
