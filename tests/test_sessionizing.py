from collections.abc import Iterable
from typing import Any

import polars as pl
from frames import Row, collected, day, frame
from session_rows import of_events, seen

from schemas.base import empty
from schemas.events import Events
from schemas.session_days import SessionDays
from schemas.stitches import Stitches
from transforms.sessionizing import of_sessions, session_events


def belonging(
    rows: Iterable[Row], sessions: pl.LazyFrame | None = None, *, use_source_sessions: bool = False
) -> list[tuple[Any, ...]]:
    """Number of the event, then person, start and source of its session, in order of the events."""
    numbered = [{"event_id": f"e{number:03}", **row} for number, row in enumerate(rows)]
    if sessions is None:
        sessions = of_events(numbered, use_source_sessions=use_source_sessions)
    events = session_events(
        frame(Events, numbered), empty(Stitches), [], use_source_sessions=use_source_sessions
    )
    found = of_sessions(events, collected(sessions, SessionDays).lazy()).sort("event_id").collect()
    number = pl.col("event_id").str.slice(1).cast(pl.Int64)
    start = pl.col("started_ts").dt.to_string("%d %H:%M")
    return found.select(number, "user_id", start, "source_session_id").rows()


def test_events_belong_to_the_session_that_holds_their_instant() -> None:
    # A gap of exactly half an hour does not split; bob comes and goes in between.
    rows = [
        seen("2025-01-31 10:00"),
        seen("2025-01-31 10:30"),
        seen("2025-01-31 11:00:00.000001"),
        seen("2025-01-31 10:10", "bob"),
    ]
    assert belonging(rows) == [
        (0, "ada", "31 10:00", None),
        (1, "ada", "31 10:00", None),
        (2, "ada", "31 11:00", None),
        (3, "bob", "31 10:10", None),
    ]


def test_events_of_one_instant_are_of_one_session() -> None:
    rows = [seen("2025-01-31 10:00"), seen("2025-01-31 10:00"), seen("2025-01-31 10:00", "bob")]
    assert belonging(rows) == [
        (0, "ada", "31 10:00", None),
        (1, "ada", "31 10:00", None),
        (2, "bob", "31 10:00", None),
    ]


def test_events_after_midnight_have_the_day_on_which_their_session_began() -> None:
    rows = [
        seen("2025-01-31 23:50", event_id="a"),
        seen("2025-02-01 00:10", event_id="b"),
        seen("2025-02-01 09:00", event_id="c"),
    ]
    events = session_events(frame(Events, rows), empty(Stitches), [], use_source_sessions=False)
    found = of_sessions(events, of_events(rows)).sort("event_id").collect()
    assert found.select("event_id", "event_date", "date", "session_id").rows() == [
        ("a", day("2025-01-31"), day("2025-01-31"), "ada@1738367400000000"),
        ("b", day("2025-02-01"), day("2025-01-31"), "ada@1738367400000000"),
        ("c", day("2025-02-01"), day("2025-02-01"), "ada@1738400400000000"),
    ]


def test_two_streams_of_a_person_at_once_are_kept_apart() -> None:
    # s1 goes on while s2 and a stream without an id begin and end; an empty id is an id.
    rows = [
        seen("2025-01-31 10:00", session_id="s1"),
        seen("2025-01-31 10:10", session_id="s2"),
        seen("2025-01-31 10:15"),
        seen("2025-01-31 10:20", session_id=""),
        seen("2025-01-31 10:25"),
        seen("2025-01-31 11:10", session_id="s1"),
        seen("2025-01-31 10:05", "bob", session_id="s1"),
    ]
    assert belonging(rows, use_source_sessions=True) == [
        (0, "ada", "31 10:00", "s1"),
        (1, "ada", "31 10:10", "s2"),
        (2, "ada", "31 10:15", None),
        (3, "ada", "31 10:20", ""),
        (4, "ada", "31 10:15", None),
        (5, "ada", "31 10:00", "s1"),
        (6, "bob", "31 10:05", "s1"),
    ]


def test_events_of_sessions_that_are_not_given_are_dropped() -> None:
    rows = [
        seen("2025-01-31 10:00"),
        seen("2025-01-31 12:00"),
        seen("2025-01-31 12:10"),
        seen("2025-01-31 14:00"),
        seen("2025-01-31 12:05", "bob"),
    ]
    middle = of_events(rows).filter(
        pl.col("user_id") == "ada", pl.col("started_ts").dt.hour() == 12
    )
    assert belonging(rows, middle) == [(1, "ada", "31 12:00", None), (2, "ada", "31 12:00", None)]
    assert belonging(rows, empty(SessionDays)) == []
    assert belonging([], of_events(rows)) == []
