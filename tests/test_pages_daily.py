from collections.abc import Iterable
from typing import Any

import polars as pl
from frames import Row, assert_rows, at, collected, day, frame
from session_rows import SETTINGS, seen

from schemas.base import empty
from schemas.events import Events
from schemas.pages_daily import PagesDaily
from schemas.session_days import SessionDays
from schemas.stitches import Stitches
from transforms.calendar import local_day
from transforms.pages_daily import pages_daily
from transforms.session_days import session_days

FRIDAY = "2025-01-31"


def view(ts: str, page: str | None, user_id: str = "ada", **columns: Any) -> dict[str, Any]:
    return seen(f"{FRIDAY} {ts}", user_id, page_url=page, **columns)


def ping(ts: str, user_id: str = "ada", **columns: Any) -> dict[str, Any]:
    return seen(f"{FRIDAY} {ts}", user_id, event_name="page_ping", **columns)


def pages(
    rows: Iterable[Row], *, through: str = "2025-03-31", timezone: str = "UTC", **options: Any
) -> pl.LazyFrame:
    """Pages of events by way of their sessions; event ids are numbered in the order of the rows."""
    numbered = [{"event_id": f"e{number:03}", **row} for number, row in enumerate(rows)]
    events = frame(Events, numbered).with_columns(
        event_date=local_day(pl.col("event_ts"), timezone)
    )
    chosen = {**SETTINGS, **options}
    sessions = session_days(events, empty(Stitches), empty(SessionDays), **chosen)
    return pages_daily(
        collected(sessions, SessionDays).lazy(),
        events,
        empty(Stitches),
        use_source_sessions=chosen["use_source_sessions"],
        data_through=day(through),
    )


def of(table: pl.LazyFrame, *names: str) -> list[tuple[Any, ...]]:
    """The page, then the named columns, in order of day and page."""
    return collected(table, PagesDaily).select("page", *names).rows()


def test_pages_are_counted_by_views_people_entries_and_exits() -> None:
    # ada: /a /b /a; bob: /a alone; cyd: /b /a. Views of /a: 2 + 1 + 1 = 4, of /b: 1 + 1 = 2.
    # ada and bob enter at /a, cyd at /b; all three leave from /a: 3 / 4. bob bounces: 1 / 2.
    rows = [
        view("10:00", "/a"),
        view("10:01", "/b"),
        view("10:02", "/a"),
        view("10:00", "/a", "bob"),
        view("10:00", "/b", "cyd"),
        view("10:01", "/a", "cyd"),
    ]
    expected = {
        "date": [day(FRIDAY)] * 2,
        "page": ["/a", "/b"],
        "page_views": [4, 2],
        "visitors": [3, 2],
        "entries": [2, 1],
        "exits": [3, 0],
        "exit_rate": [0.75, 0.0],
        "bounced_entries": [1, 0],
        "bounce_rate": [0.5, 0.0],
        "is_complete": [True, True],
    }
    found = collected(pages(rows), PagesDaily).select(list(expected))
    assert found.to_dict(as_series=False) == expected


def test_where_nobody_entered_there_is_no_bounce_rate() -> None:
    rows = [view("10:00", "/a"), view("10:01", "/b")]
    assert of(pages(rows), "entries", "exits", "exit_rate", "bounce_rate") == [
        ("/a", 1, 0, 0.0, 0.0),
        ("/b", 0, 1, 1.0, None),
    ]


TIMES = [
    *("timed_views", "time_on_page_seconds", "mean_time_on_page_seconds"),
    *("median_time_on_page_seconds", "p90_time_on_page_seconds"),
]


def test_without_pings_time_on_page_goes_to_the_next_event_of_the_session() -> None:
    # /a for 10, 20 and 90 seconds: 120 in all, 40 on the mean, 20 in the middle; nine tenths lie
    # between 20 and 90: 20 + 0.8 * 70 = 76. To the click, not to the view after it: 10 seconds.
    rows = [
        view("10:00:00", "/a"),
        seen(f"{FRIDAY} 10:00:10", event_name="click"),
        view("10:05:00", "/a"),
        view("10:05:20", "/a"),
        view("10:06:50", "/b"),
    ]
    assert of(pages(rows), "page_views", *TIMES) == [
        ("/a", 3, 3, 120.0, 40.0, 20.0, 76.0),
        ("/b", 1, 0, 0.0, None, None, None),
    ]


def test_with_pings_time_on_page_goes_to_the_last_ping_before_the_next_view() -> None:
    # /a: 30 seconds to its second ping, neither 5 to the click nor 300 to /b. /b: 10 to its ping.
    rows = [
        view("10:00:00", "/a"),
        seen(f"{FRIDAY} 10:00:05", event_name="click"),
        ping("10:00:10"),
        ping("10:00:30"),
        view("10:05:00", "/b"),
        ping("10:05:10"),
        seen(f"{FRIDAY} 10:06:00", event_name="click"),
    ]
    assert of(pages(rows), *TIMES[:2]) == [("/a", 1, 30.0), ("/b", 1, 10.0)]


def test_pings_belong_to_the_view_before_them_whatever_page_they_name() -> None:
    rows = [view("10:00:00", "/a"), ping("10:00:07", page_url="/b", scroll_depth=0.5)]
    assert of(pages(rows), "page_views", *TIMES[:2], "scroll_views") == [("/a", 1, 1, 7.0, 1)]


def test_pings_before_the_first_view_of_a_session_belong_to_none() -> None:
    # ada's session ends with /a at 10:00; bob's, and ada's next one, begin with a ping.
    rows = [
        view("10:00:00", "/a"),
        ping("10:00:00", "bob", scroll_depth=1.0),
        view("10:00:05", "/b", "bob"),
        ping("11:00:00", scroll_depth=1.0),
        view("11:00:10", "/c"),
    ]
    table = pages(rows)
    assert of(table, "timed_views", "scroll_views", "entries", "bounced_entries") == [
        ("/a", 0, 0, 1, 1),
        ("/b", 0, 0, 1, 1),
        ("/c", 0, 0, 1, 1),
    ]


def test_the_last_page_without_a_successor_has_no_time() -> None:
    assert of(pages([view("10:00", "/a")]), *TIMES) == [("/a", 0, 0.0, None, None, None)]


def test_a_gap_of_exactly_the_timeout_is_time_on_page_and_a_longer_one_is_an_exit() -> None:
    # 30 minutes are 1800 seconds; a microsecond more begins a session.
    rows = [
        view("10:00", "/a"),
        view("10:30", "/b"),
        view("11:00:00.000001", "/c"),
    ]
    assert of(pages(rows), "entries", "exits", "bounced_entries", *TIMES[:2]) == [
        ("/a", 1, 0, 0, 1, 1800.0),
        ("/b", 0, 1, 0, 0, 0.0),
        ("/c", 1, 1, 1, 0, 0.0),
    ]


def test_of_one_instant_the_event_id_says_which_page_came_first() -> None:
    # first, its ping, then second: no time passes on first, and second is the last.
    rows = [
        view("10:00", "/second", event_id="c"),
        ping("10:00", event_id="b", scroll_depth=0.2),
        view("10:00", "/first", event_id="a"),
    ]
    assert of(pages(rows), "entries", "exits", *TIMES[:2], "scroll_views") == [
        ("/first", 1, 0, 1, 0.0, 1),
        ("/second", 0, 1, 0, 0.0, 0),
    ]


def test_a_session_over_midnight_counts_on_the_day_of_its_start() -> None:
    rows = [
        seen("2025-01-31 23:50", page_url="/a"),
        seen("2025-02-01 00:10", page_url="/b"),
        seen("2025-02-01 00:11", event_name="page_ping"),
    ]
    row = {"date": day(FRIDAY), "exits": 0, "time_on_page_seconds": 1200.0}
    other = {"date": day(FRIDAY), "exits": 1, "time_on_page_seconds": 60.0}
    assert_rows(pages(rows, through=FRIDAY), PagesDaily, [row, other])


def test_a_session_over_a_clock_change_lasts_as_long_as_it_lasts() -> None:
    # In Berlin the clocks go from 2:00 to 3:00 at 1:00 UTC on 30 March: 20 minutes are 20 minutes.
    # 22:50 UTC is 23:50 of 29 March; 22:50 UTC the night after is 0:50 of 31 March.
    rows = [
        seen("2025-03-30 00:50", page_url="/a"),
        seen("2025-03-30 01:10", page_url="/b"),
        seen("2025-03-29 22:50", "bob", page_url="/a"),
        seen("2025-03-29 23:10", "bob", page_url="/b"),
        seen("2025-03-30 22:50", "cyd", page_url="/a"),
    ]
    expected = [("29", "/a", 1200.0), ("29", "/b", 0.0), ("30", "/a", 1200.0), ("30", "/b", 0.0)]
    assert_rows(
        pages(rows, timezone="Europe/Berlin"),
        PagesDaily,
        [
            {"date": day(f"2025-03-{date}"), "page": page, "time_on_page_seconds": seconds}
            for date, page, seconds in [*expected, ("31", "/a", 0.0)]
        ],
    )


def test_scroll_depth_is_the_largest_of_a_view_and_its_pings() -> None:
    # /a: 0.5 of 0.2, 0.5 and 0.3; then 0.1 by itself: 0.6 / 2. /b tells none.
    rows = [
        view("10:00", "/a", scroll_depth=0.2),
        ping("10:01", scroll_depth=0.5),
        ping("10:02", scroll_depth=0.3),
        view("10:03", "/a", scroll_depth=0.1),
        view("10:04", "/b"),
    ]
    assert of(pages(rows), "scroll_views", "scroll_depth", "mean_scroll_depth") == [
        ("/a", 2, 0.6, 0.3),
        ("/b", 0, 0.0, None),
    ]


def test_scroll_depth_is_capped_at_the_whole_page() -> None:
    # The contract of the landing refuses more than 1; what passes it counts as 1: 1.5 / 2.
    rows = [view("10:00", "/a", scroll_depth=1.7), view("10:01", "/a", scroll_depth=0.5)]
    assert of(pages(rows), "scroll_views", "mean_scroll_depth") == [("/a", 2, 0.75)]


def test_scroll_depths_are_added_up_without_a_trace_of_their_order() -> None:
    # Floats give 0.1 + 0.2 + 0.3 = 0.6000000000000001
    rows = [view(f"10:0{n}", "/a", scroll_depth=d) for n, d in enumerate([0.1, 0.2, 0.3])]
    assert of(pages(rows), "scroll_depth", "mean_scroll_depth") == [("/a", 0.6, 0.2)]


def test_a_page_is_its_address_without_query_string_and_fragment_else_its_title() -> None:
    rows = [
        view("10:00", "https://shop.example/a?b=c&d=/e#f"),
        view("10:01", "https://shop.example/a#f?g"),
        view("10:02", "https://shop.example/a", page_title="Ignored"),
        view("10:03", None, page_title="Basket"),
        view("10:04", "?only=query", page_title="Basket"),
        view("10:05", None),
        view("10:06", "", page_title=""),
    ]
    assert of(pages(rows), "page_views") == [
        ("(none)", 2),
        ("Basket", 2),
        ("https://shop.example/a", 3),
    ]


def test_only_page_views_are_views() -> None:
    rows = [
        seen(f"{FRIDAY} 10:00", event_name="click", page_url="/clicked"),
        ping("10:01", page_url="/pinged"),
        seen(f"{FRIDAY} 10:02", event_name="email_opened", page_url="/mail"),
    ]
    assert of(pages(rows)) == []


def test_mails_neither_end_the_time_on_a_page_nor_follow_it() -> None:
    rows = [view("10:00", "/a"), seen(f"{FRIDAY} 10:01", event_name="email_opened")]
    assert of(pages(rows), "timed_views") == [("/a", 0)]


def test_sessions_of_a_source_side_by_side_have_their_own_entries_and_times() -> None:
    # s1: /a at 10:00, /b at 10:40; s2 in between: /c at 10:10, /d at 10:11.
    rows = [
        view("10:00", "/a", session_id="s1"),
        view("10:10", "/c", session_id="s2"),
        view("10:11", "/d", session_id="s2"),
        view("10:40", "/b", session_id="s1"),
    ]
    table = pages(rows, use_source_sessions=True)
    assert of(table, "entries", "exits", "time_on_page_seconds") == [
        ("/a", 1, 0, 2400.0),
        ("/b", 0, 1, 0.0),
        ("/c", 1, 0, 60.0),
        ("/d", 0, 1, 0.0),
    ]


def test_what_an_anonymous_id_viewed_is_its_user_s() -> None:
    first = seen(f"{FRIDAY} 10:00", None, anonymous_id="x", page_url="/a", event_id="1")
    events = frame(Events, [first, view("10:01", "/a", event_id="2")])
    stitch = {"event_date": day(FRIDAY), "anonymous_id": "x", "user_id": "ada"}
    stitches = frame(Stitches, [{**stitch, "from_ts": at(f"{FRIDAY} 10:00")}])
    table = pages_daily(
        session_days(events, stitches, empty(SessionDays), **SETTINGS),
        events,
        stitches,
        use_source_sessions=False,
        data_through=day(FRIDAY),
    )
    assert of(table, "page_views", "visitors", "entries") == [("/a", 2, 1, 1)]


def test_sessions_that_start_after_the_horizon_are_not_shown() -> None:
    rows = [view("23:00", "/a"), seen("2025-02-01 00:00", page_url="/b")]
    assert of(pages(rows, through=FRIDAY), "page_views") == [("/a", 1)]


def test_no_events_give_no_pages() -> None:
    assert of(pages([])) == []
