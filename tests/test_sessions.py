"""Sessions: who is new, and from events to every table of sessions and channels, against SQL."""

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
from oracle.channels import conversions_oracle, traffic_oracle
from oracle.compare import assert_equal_tables
from oracle.sessions import TABLES, session_oracle
from plan_rows import plan_row
from session_rows import SETTINGS, seen, session, visitor

from schemas.base import Table, empty
from schemas.conversions_daily import ConversionsDaily
from schemas.conversions_periodic import ConversionsPeriodic
from schemas.events import Events
from schemas.plan_months import PlanMonths
from schemas.session_days import SessionDays
from schemas.session_goals import SessionGoals
from schemas.sessions import Sessions
from schemas.sessions_daily import SessionsDaily
from schemas.sessions_periodic import SessionsPeriodic
from schemas.stitches import Stitches
from schemas.touches import Touches
from schemas.traffic_sources_daily import TrafficSourcesDaily
from schemas.visitor_segments import VisitorSegments
from schemas.visitors import Visitors
from transforms.conversions_daily import conversions_daily
from transforms.conversions_periodic import conversions_periodic
from transforms.session_days import session_days
from transforms.session_goals import session_goals
from transforms.sessions import sessions
from transforms.sessions_daily import sessions_daily
from transforms.sessions_periodic import sessions_periodic
from transforms.touches import touches
from transforms.traffic_sources_daily import traffic_sources_daily
from transforms.visitor_segments import visitor_segments
from transforms.visitors import visitors

MODELS: dict[str, type[Table]] = {
    "session_days": SessionDays,
    "visitors": Visitors,
    "visitor_segments": VisitorSegments,
    "sessions": Sessions,
    "sessions_daily": SessionsDaily,
    "sessions_periodic": SessionsPeriodic,
    "touches": Touches,
    "traffic_sources_daily": TrafficSourcesDaily,
    "session_goals": SessionGoals,
    "conversions_daily": ConversionsDaily,
    "conversions_periodic": ConversionsPeriodic,
}
CHANNEL_TABLES = ("traffic_sources_daily", "conversions_daily", "conversions_periodic")


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
GOALS = {"purchase": ["purchase"], "join": ["signup", "email_opened", "purchase"]}
GOAL_SETTING = [{"name": name, "events": events} for name, events in GOALS.items()]
# What tells a channel, and what looks as if it did.
TOLD = {
    "page_url": [
        *[None, "/a", "https://www.tide.example/b", "https://tide.example/?fbclid=x&gclid=1"],
        *["https://shop.tide.example/?gclid=1#top", "https://shop.tide.example/?gclid="],
    ],
    "referrer": [
        *[None, None, "/a", "https://www.google.de/search?q=1", "https://l.facebook.com/"],
        *["https://tide.example/a", "https://a.pay.example/x", "HTTP://News.Example:80/"],
        *["https://youtube.com/", "https://chatgpt.com", "https://ours.example/"],
    ],
    "utm_source": [None, None, None, "google", "Facebook", "letter", "(direct)", "sms"],
    "utm_medium": [None, None, None, "CPC", "email", "(none)", "organic", "app", "print"],
    "utm_campaign": SOME,
    "campaign": [None, None, None, "spring", "the shop", "Cross-Network"],
    "channel": [None, None, None, None, "Partners", "direct"],
}


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
                        st.sampled_from(
                            [*["page_view"] * 3, "click", "purchase", "signup", "email_opened"]
                        )
                    ),
                    "engaged_seconds": draw(st.sampled_from([None, None, 0.1, 10.0, 35.7])),
                    **{
                        name: draw(st.sampled_from(SOME))
                        for name in ("session_id", "platform", "country")
                    },
                    **{name: draw(st.sampled_from(values)) for name, values in TOLD.items()},
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
        "own_domains": st.sampled_from([[], ["ours.example"]]),
        "payment_providers": st.sampled_from([[], ["pay.example"]]),
    }
)
attributions = st.sampled_from([1, 9, 90])


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
    chosen["goals"] = GOAL_SETTING
    return session_days(events, empty(Stitches), earlier, **chosen)


def goals_of(days: pl.LazyFrame, events: pl.LazyFrame, home: Mapping[str, Any]) -> pl.LazyFrame:
    own = {"use_source_sessions": home["use_source_sessions"]}
    return session_goals(days, events, empty(Stitches), goals=GOAL_SETTING, **own)


def build(
    events: pl.DataFrame, home: Mapping[str, Any], attribution_days: int = 90
) -> dict[str, pl.DataFrame]:
    """Every table in one go."""
    dimensions, calendar = home["dimensions"], {"week_start": home["week_start"]}
    horizon = {"data_through": home["data_through"]}
    by_dimension = {"dimensions": dimensions}
    days = of_days(events.lazy(), empty(SessionDays), home).collect().lazy()
    plans = frame(PlanMonths, home.get("plans", []))
    first = visitors(days, plans, empty(Visitors), **by_dimension).collect().lazy()
    known = visitor_segments(first)
    counts = days, plans, first, known
    daily = sessions_daily(*counts, **by_dimension, **horizon).collect().lazy()
    periodic = sessions_periodic(*counts, **by_dimension, **calendar, **horizon).collect().lazy()
    reached = goals_of(days, events.lazy(), home).collect().lazy()
    by_goal = {"goals": GOAL_SETTING, **by_dimension, **horizon}
    made = {
        "session_days": days,
        "visitors": first,
        "visitor_segments": known,
        "sessions": sessions(days, first, **horizon),
        "sessions_daily": daily,
        "sessions_periodic": periodic,
        "touches": touches(days),
        "traffic_sources_daily": traffic_sources_daily(
            days, touches(days), attribution_days=attribution_days, **horizon
        ),
        "session_goals": reached,
        "conversions_daily": conversions_daily(daily, reached, plans, **by_goal),
        "conversions_periodic": conversions_periodic(
            periodic, reached, plans, **by_goal, **calendar
        ),
    }
    return {name: collected(rows, MODELS[name]) for name, rows in made.items()}


@settings(max_examples=60 if LONG else 5, deadline=None)
@given(event_rows(), homes, borne_plans, attributions)
def test_every_cell_equals_the_sql_computation(
    zoned: tuple[str, pl.DataFrame],
    home: dict[str, Any],
    plans: list[tuple[date, str, str, int]],
    attribution_days: int,
) -> None:
    _, events = zoned
    borne = [plan_row(*plan) for plan in plans]
    made = build(events, {**home, "plans": borne}, attribution_days)
    # Instants without a zone: with one, DuckDB wants an extension that is not there everywhere.
    naive = events.with_columns(
        pl.col("event_ts").dt.replace_time_zone(None), person=pl.coalesce("user_id", "anonymous_id")
    )
    with duckdb.connect(config={"threads": 1}) as con:
        con.register("ev", naive.to_arrow())
        con.execute("CREATE TABLE bearing (month DATE, user_id VARCHAR, plan VARCHAR, until INT)")
        if plans:
            con.executemany("INSERT INTO bearing VALUES (?, ?, ?, ?)", plans)
        goal_events = sorted({name for names in GOALS.values() for name in names})
        expected = session_oracle(con, goal_events=goal_events, **home)
        horizon = {"data_through": home["data_through"]}
        expected["traffic_sources_daily"] = traffic_oracle(
            con, attribution_days=attribution_days, **horizon
        )
        calendar = {"week_start": home["week_start"], **horizon}
        expected |= conversions_oracle(con, expected, goals=GOALS, **calendar)
    assert expected.keys() == {*TABLES, *CHANNEL_TABLES}
    for name in expected:
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


@settings(max_examples=60 if LONG else 4, deadline=None)
@given(event_rows(), homes, attributions)
def test_sources_and_goals_of_a_day_are_made_from_the_days_that_it_is_handed(
    zoned: tuple[str, pl.DataFrame], home: dict[str, Any], attribution_days: int
) -> None:
    zone, events = zoned
    made = build(events, home, attribution_days)
    reach = 1 if zone == "UTC" else 2
    through = {"attribution_days": attribution_days, "data_through": home["data_through"]}
    of_touches, of_goals = [], []
    for date_ in made["session_days"]["date"].unique():
        days = made["session_days"].filter(date=date_).lazy()
        first = date_ - timedelta(days=attribution_days + (zone != "UTC"))
        before = between(made["touches"].lazy(), first, date_)
        of_touches.append(traffic_sources_daily(days, before, **through).collect())
        after = (pl.col("event_date") - date_).is_between(timedelta(0), timedelta(days=reach))
        of_goals.append(goals_of(days, events.filter(after).lazy(), home).collect())
    for name, parts in (("traffic_sources_daily", of_touches), ("session_goals", of_goals)):
        whole = pl.concat([made[name].clear(), *parts]).lazy()
        assert_same(collected(whole, MODELS[name]), made[name])


def between(rows: pl.LazyFrame, first: date, last: date) -> pl.LazyFrame:
    return rows.filter(pl.col("date").is_between(first, last))


@pytest.mark.parametrize(
    "name", ["sessions", "sessions_daily", "sessions_periodic", *CHANNEL_TABLES]
)
def test_no_session_gives_no_rows(name: str) -> None:
    mail = frame(Events, [seen("2024-03-01 10:00", event_name="email_opened", event_id="e")])
    home = {**SETTINGS, "week_start": "monday", "data_through": day("2024-03-02")}
    assert build(mail.collect(), home)[name].is_empty()
