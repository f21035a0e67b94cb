"""Sessions: who is new, and from events to every table of sessions, against SQL."""

from collections.abc import Mapping
from datetime import date, timedelta
from typing import Any

import duckdb
import polars as pl
import pytest
from frames import assert_rows, assert_same, at, collected, day, frame
from homes import LONG
from hypothesis import given, settings
from hypothesis import strategies as st
from oracle.compare import assert_equal_tables
from oracle.sessions import TABLES, session_oracle
from plan_rows import plan_row
from session_rows import SETTINGS, seen, session, visitor

from schemas.base import Table, empty
from schemas.events import Events
from schemas.plan_months import PlanMonths
from schemas.session_days import SessionDays
from schemas.sessions import Sessions
from schemas.sessions_daily import SessionsDaily
from schemas.sessions_periodic import SessionsPeriodic
from schemas.stitches import Stitches
from schemas.visitor_segments import VisitorSegments
from schemas.visitors import Visitors
from transforms.session_days import session_days
from transforms.sessions import sessions
from transforms.sessions_daily import sessions_daily
from transforms.sessions_periodic import sessions_periodic
from transforms.visitor_segments import visitor_segments
from transforms.visitors import visitors

MODELS: dict[str, type[Table]] = {
    "session_days": SessionDays,
    "visitors": Visitors,
    "visitor_segments": VisitorSegments,
    "sessions": Sessions,
    "sessions_daily": SessionsDaily,
    "sessions_periodic": SessionsPeriodic,
}


def test_the_first_session_ever_is_that_of_a_new_visitor_and_no_other() -> None:
    table = sessions(
        frame(
            SessionDays,
            [
                session("2025-01-31 10:00"),
                session("2025-01-31 12:00", is_first_of_day=False),
                session("2025-02-01 10:00"),
                session("2025-02-01 11:00", "bob"),
            ],
        ),
        frame(Visitors, [visitor("2025-01-31"), visitor("2024-12-31", "bob")]),
        data_through=day("2025-02-01"),
    )
    columns = ("user_id", "started_ts", "is_new_visitor")
    expected = [
        ("ada", at("2025-01-31 10:00"), True),
        ("ada", at("2025-01-31 12:00"), False),
        ("ada", at("2025-02-01 10:00"), False),
        ("bob", at("2025-02-01 11:00"), False),
    ]
    rows = [dict(zip(columns, values, strict=True)) for values in expected]
    assert_rows(table, Sessions, rows)


def test_who_was_new_in_a_segment_only_is_no_new_visitor() -> None:
    table = sessions(
        frame(SessionDays, [session("2025-02-01 10:00")]),
        frame(Visitors, [visitor("2025-02-01", dimension="platform", segment="web")]),
        data_through=day("2025-02-01"),
    )
    assert_rows(table, Sessions, [{"user_id": "ada", "is_new_visitor": False}])


def test_sessions_that_start_after_the_horizon_are_not_shown() -> None:
    table = sessions(
        frame(SessionDays, [session("2025-02-01 23:59"), session("2025-02-02 00:00", "bob")]),
        empty(Visitors),
        data_through=day("2025-02-01"),
    )
    assert_rows(table, Sessions, [{"user_id": "ada"}])


# From events to every table, against SQL

ZONES = ["UTC", "America/New_York"]
MINUTE, MICROSECOND = timedelta(minutes=1), timedelta(microseconds=1)
# Around the gaps that split and those that just do not, and long chains without one.
STEPS = [
    timedelta(0),
    timedelta(seconds=5),
    10 * MINUTE,
    *[29 * MINUTE] * 3,
    30 * MINUTE,
    30 * MINUTE + MICROSECOND,
    60 * MINUTE,
    timedelta(hours=11),
    timedelta(days=9),
]
SOME = [None, None, "a", "b"]


@st.composite
def event_rows(draw: st.DrawFn) -> tuple[str, pl.DataFrame]:
    """A time zone, and events of few people: chains over the night in which its clocks change."""
    zone = draw(st.sampled_from(ZONES))
    rows: list[dict[str, Any]] = []
    for person in draw(st.lists(st.sampled_from("uvw"), max_size=3, unique=True)):
        moment = at(f"2024-03-{draw(st.sampled_from(['01', '09', '10', '30']))} 02:30")
        for _ in range(draw(st.integers(1, 14))):
            moment += draw(st.sampled_from(STEPS))
            known = draw(st.booleans())
            rows.append(
                {
                    "event_id": f"e{len(rows) * 7 % 64:02}",
                    "event_ts": moment,
                    "user_id": person if known else None,
                    "anonymous_id": None if known else person,
                    "event_name": draw(
                        st.sampled_from([*["page_view"] * 3, "click", "purchase", "email_opened"])
                    ),
                    "engaged_seconds": draw(st.sampled_from([None, None, 0.1, 10.0, 35.7])),
                    **{
                        name: draw(st.sampled_from(SOME))
                        for name in (
                            *("session_id", "page_url", "referrer", "platform", "country"),
                            *("channel", "campaign", "utm_source", "utm_medium", "utm_campaign"),
                        )
                    },
                }
            )
    made = frame(Events, rows).collect()
    local = pl.col("event_ts").dt.convert_time_zone(zone).dt.date()
    return zone, made.with_columns(event_date=local)


homes = st.fixed_dictionaries(
    {
        "session_timeout_minutes": st.sampled_from([30, 30, 1]),
        "session_max_hours": st.sampled_from([1, 2, 24]),
        "use_source_sessions": st.booleans(),
        "dimensions": st.sampled_from([["platform", "country"], [], ["channel", "plan"], ["plan"]]),
        "week_start": st.sampled_from(["monday", "sunday", "wednesday"]),
        "data_through": st.sampled_from([day("2024-03-10"), day("2024-04-17")]),
    }
)


# Month, person, plan and its last day in the month, from the first on.
borne_plans = st.lists(
    st.tuples(
        st.sampled_from([date(2024, 3, 1), date(2024, 4, 1)]),
        st.sampled_from("uv"),
        st.sampled_from(["pro", "none", "gold"]),
        st.integers(1, 30),
    ),
    max_size=4,
    unique_by=lambda plan: plan[:2],
)


def of_days(events: pl.LazyFrame, earlier: pl.LazyFrame, home: Mapping[str, Any]) -> pl.LazyFrame:
    chosen = {name: home.get(name, value) for name, value in SETTINGS.items()}
    return session_days(events, empty(Stitches), earlier, **chosen)


def build(events: pl.DataFrame, home: Mapping[str, Any]) -> dict[str, pl.DataFrame]:
    """Every table in one go."""
    dimensions, calendar = home["dimensions"], {"week_start": home["week_start"]}
    horizon = {"data_through": home["data_through"]}
    by_dimension = {"dimensions": dimensions}
    days = of_days(events.lazy(), empty(SessionDays), home).collect().lazy()
    plans = frame(PlanMonths, home.get("plans", []))
    first = visitors(days, plans, empty(Visitors), **by_dimension).collect().lazy()
    known = visitor_segments(first)
    counts = days, plans, first, known
    made = {
        "session_days": days,
        "visitors": first,
        "visitor_segments": known,
        "sessions": sessions(days, first, **horizon),
        "sessions_daily": sessions_daily(*counts, **by_dimension, **horizon),
        "sessions_periodic": sessions_periodic(*counts, **by_dimension, **calendar, **horizon),
    }
    return {name: collected(rows, MODELS[name]) for name, rows in made.items()}


@settings(max_examples=60 if LONG else 5, deadline=None)
@given(event_rows(), homes, borne_plans)
def test_every_cell_equals_the_sql_computation(
    zoned: tuple[str, pl.DataFrame],
    home: dict[str, Any],
    plans: list[tuple[date, str, str, int]],
) -> None:
    _, events = zoned
    made = build(events, {**home, "plans": [plan_row(*plan) for plan in plans]})
    # Instants without a zone: with one, DuckDB wants an extension that is not there everywhere.
    naive = events.with_columns(
        pl.col("event_ts").dt.replace_time_zone(None), person=pl.coalesce("user_id", "anonymous_id")
    )
    with duckdb.connect(config={"threads": 1}) as con:
        con.register("ev", naive.to_arrow())
        con.execute("CREATE TABLE bearing (month DATE, user_id VARCHAR, plan VARCHAR, until INT)")
        if plans:
            con.executemany("INSERT INTO bearing VALUES (?, ?, ?, ?)", plans)
        expected = session_oracle(con, goal_events=["purchase"], **home)
    for name in TABLES:
        zoned_back = pl.col(pl.Datetime).dt.replace_time_zone("UTC")
        assert_equal_tables(name, made[name], expected[name].with_columns(zoned_back))


@settings(max_examples=60 if LONG else 4, deadline=None)
@given(event_rows(), homes, st.integers(1, 3), st.randoms(use_true_random=False))
def test_a_range_equals_its_days_each_made_after_the_ones_before_it(
    zoned: tuple[str, pl.DataFrame], home: dict[str, Any], at_once: int, chance: Any
) -> None:
    """Each stretch of days is made from no more than what the engine hands it."""
    zone, events = zoned
    reach = 1 if zone == "UTC" else 2
    mixed = events.sample(fraction=1, shuffle=True, seed=chance.randrange(2**32)).lazy()
    made = empty(SessionDays).collect()
    first = day("2024-02-28")
    while first <= day("2024-05-10"):
        last = first + timedelta(days=at_once - 1)
        handed = mixed.filter(pl.col("event_date").is_between(first, last + timedelta(days=reach)))
        before = between(made.lazy(), first - timedelta(days=reach), first - timedelta(days=1))
        made = pl.concat([made, between(of_days(handed, before, home), first, last).collect()])
        first = last + timedelta(days=1)
    whole = of_days(events.lazy(), empty(SessionDays), home)
    assert_same(collected(made.lazy(), SessionDays), collected(whole, SessionDays))


def between(rows: pl.LazyFrame, first: date, last: date) -> pl.LazyFrame:
    return rows.filter(pl.col("date").is_between(first, last))


@pytest.mark.parametrize("name", ["sessions", "sessions_daily", "sessions_periodic"])
def test_no_session_gives_no_rows(name: str) -> None:
    mail = frame(Events, [seen("2024-03-01 10:00", event_name="email_opened", event_id="e")])
    home = {**SETTINGS, "week_start": "monday", "data_through": day("2024-03-02")}
    assert build(mail.collect(), home)[name].is_empty()
