from typing import Any

import polars as pl
import pytest
from frames import Row, assert_rows, assert_same, at, collected, day, frame
from session_rows import SETTINGS, of_events, seen

from schemas.base import empty
from schemas.events import Events
from schemas.session_days import SessionDays
from schemas.stitches import Stitches
from transforms.session_days import session_days


def spans(*rows: tuple[str, str, str, int]) -> list[Row]:
    """Person, first and last event, number of events."""
    return [
        {"user_id": user, "started_ts": at(first), "ended_ts": at(last), "events": events}
        for user, first, last, events in rows
    ]


def test_a_gap_of_exactly_the_timeout_does_not_split_and_a_longer_one_does() -> None:
    table = of_events(
        [
            seen("2025-01-31 10:00"),
            seen("2025-01-31 10:30"),
            seen("2025-01-31 11:00:00.000001"),
            seen("2025-01-31 10:10", "bob"),
        ]
    )
    assert_rows(
        table,
        SessionDays,
        spans(
            ("ada", "2025-01-31 10:00", "2025-01-31 10:30", 2),
            ("ada", "2025-01-31 11:00:00.000001", "2025-01-31 11:00:00.000001", 1),
            ("bob", "2025-01-31 10:10", "2025-01-31 10:10", 1),
        ),
    )


def test_a_session_over_midnight_is_one_and_belongs_to_the_day_of_its_start() -> None:
    table = of_events([seen("2025-01-31 23:50"), seen("2025-02-01 00:10")])
    row = {"date": day("2025-01-31"), "ended_date": day("2025-02-01"), "duration_seconds": 1200.0}
    assert_rows(table, SessionDays, [row])


def test_an_event_more_than_the_longest_session_after_its_start_begins_a_new_one() -> None:
    # Every half hour from midnight; at most 2 hours: 00:00-02:00, 02:30-04:30, 05:00.
    rows = [seen(f"2025-01-31 {number // 2:02}:{30 * (number % 2):02}") for number in range(11)]
    table = of_events(rows, session_max_hours=2)
    assert_rows(
        table,
        SessionDays,
        spans(
            ("ada", "2025-01-31 00:00", "2025-01-31 02:00", 5),
            ("ada", "2025-01-31 02:30", "2025-01-31 04:30", 5),
            ("ada", "2025-01-31 05:00", "2025-01-31 05:00", 1),
        ),
    )


def test_mails_and_impressions_neither_start_a_session_nor_bridge_a_gap() -> None:
    table = of_events(
        [
            seen("2025-01-31 09:00", event_name="email_delivered"),
            seen("2025-01-31 10:00"),
            seen("2025-01-31 10:20", event_name="ad_impression"),
            seen("2025-01-31 10:40"),
        ]
    )
    assert_rows(
        table,
        SessionDays,
        spans(
            ("ada", "2025-01-31 10:00", "2025-01-31 10:00", 1),
            ("ada", "2025-01-31 10:40", "2025-01-31 10:40", 1),
        ),
    )


def test_what_an_anonymous_id_did_is_in_the_session_of_its_user() -> None:
    rows = [
        seen("2025-01-31 10:00", None, anonymous_id="x", event_id="1"),
        seen("2025-01-31 10:05", event_id="2"),
        seen("2025-01-31 10:10", None, anonymous_id="y", event_id="3"),
    ]
    stitch = {"event_date": day("2025-01-31"), "anonymous_id": "x", "user_id": "ada"}
    table = session_days(
        frame(Events, rows),
        frame(Stitches, [{**stitch, "from_ts": at("2025-01-31 10:00")}]),
        empty(SessionDays),
        **SETTINGS,
    )
    assert_rows(
        table,
        SessionDays,
        spans(
            ("ada", "2025-01-31 10:00", "2025-01-31 10:05", 2),
            ("y", "2025-01-31 10:10", "2025-01-31 10:10", 1),
        ),
    )


def test_pages_are_those_of_page_views_and_attributes_the_first_that_are_known() -> None:
    table = of_events(
        [
            seen("2025-01-31 10:00", event_name="click", page_url="/ignored", referrer="/x"),
            seen("2025-01-31 10:01", page_url="/a", platform="web", utm_medium="cpc"),
            seen("2025-01-31 10:02", page_url="/b", referrer="/a", country="DE", channel="Paid"),
            seen("2025-01-31 10:03", page_url="/c", utm_source="late", platform="ios"),
            seen("2025-01-31 10:04", event_name="click", campaign="spring", utm_campaign="late"),
        ]
    )
    row = {
        "page_views": 3,
        "entry_page": "/a",
        "exit_page": "/c",
        # The first page view was led to by nothing: that a later one follows it says nothing.
        "referrer": None,
        "platform": "web",
        "country": "DE",
        "channel": "Paid",
        # The parameters of one event are not mixed with those of another.
        "source": "(not set)",
        "medium": "cpc",
        "campaign": "spring",
        "segments": "web\x1fDE\x1fPaid",
        "is_single_page": False,
        "session_id": "ada@1738317600000000",
    }
    assert_rows(table, SessionDays, [row])


def test_a_session_without_a_page_view_has_no_pages_and_the_first_referrer() -> None:
    click = {"event_name": "click", "page_url": "/a"}
    table = of_events(
        [
            seen("2025-01-31 10:00", **click),
            seen("2025-01-31 10:01", **click, referrer="https://search.example", utm_campaign="c"),
        ]
    )
    row = {
        "page_views": 0,
        "entry_page": None,
        "exit_page": None,
        "referrer": "https://search.example",
        # A campaign alone does not say by what it was brought.
        "channel": "Referral",
        "source": "search.example",
        "medium": "referral",
        "campaign": "c",
        "segments": "unknown\x1funknown\x1fReferral",
        "is_single_page": False,
    }
    assert_rows(table, SessionDays, [row])


def test_the_channel_is_the_session_s_own_and_a_segment_of_it() -> None:
    search = {"referrer": "https://www.google.com/search?q=tide"}
    table = of_events(
        [
            seen("2025-01-31 10:00", page_url="https://tide.example/", **search),
            seen("2025-01-31 12:00", page_url="https://tide.example/"),
            # Its own page, and a way to pay, led nobody there.
            seen("2025-01-31 14:00", page_url="/", referrer="https://www.tide.example/a"),
            seen("2025-01-31 16:00", page_url="/", referrer="https://www.paypal.com/done"),
            seen("2025-01-31 18:00", event_name="purchase", channel="Partners", **search),
        ],
        own_domains=["tide.example"],
        payment_providers=["paypal.com"],
        dimensions=["channel"],
    )
    names = ["channel", "source", "medium", "campaign", "segments", "is_converting"]
    direct = ("Direct", "(direct)", "(none)", None, "Direct", False)
    assert collected(table, SessionDays).select(names).rows() == [
        ("Organic Search", "google", "organic", None, "Organic Search", False),
        *[direct] * 3,
        ("Partners", "google", "organic", None, "Partners", True),
    ]


def test_without_page_views_the_page_that_a_referrer_led_to_tells_of_it() -> None:
    click = {"event_name": "click"}
    table = of_events(
        [
            seen("2025-01-31 10:00", page_url="https://other.example/", **click),
            seen(
                "2025-01-31 10:01",
                page_url="https://tide.example/?gclid=1",
                referrer="https://tide.example/a",
                **click,
            ),
        ]
    )
    row = {"channel": "Paid Search", "source": "google", "medium": "cpc", "entry_page": None}
    assert_rows(table, SessionDays, [row])


@pytest.mark.parametrize(
    ("second", "is_engaged"),
    [
        # Strictly more than 10 seconds of duration, where no event brings engaged seconds.
        (seen("2025-01-31 10:00:10", event_name="click"), False),
        (seen("2025-01-31 10:00:10.000001", event_name="click"), True),
        (seen("2025-01-31 10:00:20", event_name="click", engaged_seconds=10.0), False),
        (seen("2025-01-31 10:00:01", event_name="click", engaged_seconds=10.1), True),
        (seen("2025-01-31 10:00:01"), True),
        (seen("2025-01-31 10:00:01", event_name="purchase"), True),
    ],
)
def test_engaged_is_who_stays_or_looks_at_two_pages_or_converts(
    second: Row, is_engaged: bool
) -> None:
    table = of_events([seen("2025-01-31 10:00"), second])
    assert_rows(table, SessionDays, [{"events": 2, "is_engaged": is_engaged}])


def test_engaged_seconds_are_added_up_without_a_trace_of_their_order() -> None:
    # 0.1 + 0.2 + 35.4 = 35.7, and not 35.699999999999996
    brought = [0.1, 0.2, 35.4]
    rows = [
        seen(f"2025-01-31 10:0{number}", engaged_seconds=seconds)
        for number, seconds in enumerate([*brought, None])
    ]
    assert_rows(of_events(rows), SessionDays, [{"engaged_seconds": 35.7}])


def test_of_one_instant_the_event_id_says_which_page_came_first() -> None:
    moment = "2025-01-31 10:00"
    rows = [
        seen(moment, page_url="/second", event_id="b"),
        seen(moment, page_url="/third", event_id="c"),
        seen(moment, page_url="/first", event_id="a"),
        seen(moment, "bob", page_url="/other", event_id="d"),
    ]
    table = of_events(rows).filter(pl.col("user_id") == "ada")
    assert_rows(table, SessionDays, [{"entry_page": "/first", "exit_page": "/third"}])


def test_a_source_s_own_sessions_are_taken_as_they_are() -> None:
    # s1 pauses for an hour and goes on beside s2; the last two events have no id: the gap divides.
    rows = [
        seen("2025-01-31 10:00", session_id="s1"),
        seen("2025-01-31 10:10", session_id="s2"),
        seen("2025-01-31 11:10", session_id="s1"),
        seen("2025-01-31 11:15"),
        seen("2025-01-31 12:00"),
    ]
    table = of_events(rows, use_source_sessions=True)
    expected = spans(
        ("ada", "2025-01-31 10:00", "2025-01-31 11:10", 2),
        ("ada", "2025-01-31 10:10", "2025-01-31 10:10", 1),
        ("ada", "2025-01-31 11:15", "2025-01-31 11:15", 1),
        ("ada", "2025-01-31 12:00", "2025-01-31 12:00", 1),
    )
    sources = ["s1", "s2", None, None]
    named = [{**row, "source_session_id": s} for row, s in zip(expected, sources, strict=True)]
    assert_rows(table, SessionDays, named)


def after(earlier: pl.LazyFrame, rows: list[Row], **options: Any) -> pl.LazyFrame:
    return session_days(frame(Events, rows), empty(Stitches), earlier, **{**SETTINGS, **options})


NIGHT = [
    seen("2025-01-31 23:40", event_id="1"),
    seen("2025-02-01 00:05", event_id="2"),
    seen("2025-02-01 00:30", event_id="3"),
    seen("2025-02-01 01:30", event_id="4"),
    seen("2025-02-01 00:10", "bob", event_id="5"),
]


def test_events_of_a_session_that_began_the_day_before_are_not_taken_again() -> None:
    the_day_before = of_events(NIGHT).filter(pl.col("date") == day("2025-01-31"))
    table = after(the_day_before, NIGHT[1:])
    assert_rows(
        table,
        SessionDays,
        spans(
            ("ada", "2025-02-01 01:30", "2025-02-01 01:30", 1),
            ("bob", "2025-02-01 00:10", "2025-02-01 00:10", 1),
        ),
    )


def test_a_chain_that_was_cut_the_day_before_goes_on_from_its_last_cut() -> None:
    # At most an hour: 23:40-00:30, and not 00:05-00:30 again.
    options = {"session_max_hours": 1}
    the_day_before = of_events(NIGHT, **options).filter(pl.col("date") == day("2025-01-31"))
    table = after(the_day_before, NIGHT[1:], **options).filter(pl.col("user_id") == "ada")
    assert_rows(table, SessionDays, spans(("ada", "2025-02-01 01:30", "2025-02-01 01:30", 1)))


def test_the_first_session_of_a_person_on_a_day_is_marked() -> None:
    rows = [seen("2025-01-31 10:00"), seen("2025-01-31 12:00"), seen("2025-02-01 10:00")]
    table = collected(of_events(rows), SessionDays)
    assert table["is_first_of_day"].to_list() == [True, False, True]


def test_the_order_in_which_events_arrive_does_not_matter() -> None:
    table = collected(of_events([*NIGHT]), SessionDays)
    events = frame(Events, reversed(NIGHT))
    again = session_days(events, empty(Stitches), empty(SessionDays), **SETTINGS)
    columns = [name for name in table.columns if name != "event_id"]
    assert_same(collected(again, SessionDays).select(columns), table.select(columns))


def test_no_events_give_no_sessions() -> None:
    assert_rows(of_events([]), SessionDays, [])
