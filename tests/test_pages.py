"""From events to the tables of pages and interactivity, against SQL, and in stretches of days."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import duckdb
import polars as pl
import pytest
from frames import assert_same, at, collected, day, frame
from homes import LONG
from hypothesis import given, settings
from hypothesis import strategies as st
from oracle.compare import assert_equal_tables
from oracle.pages import interactivity_oracle, pages_oracle
from oracle.sessions import session_oracle
from session_rows import SETTINGS

from pipelines.checks import CHECKS, broken
from schemas.base import empty
from schemas.events import Events
from schemas.interaction_days import InteractionDays
from schemas.interactivity_daily import InteractivityDaily
from schemas.pages_daily import PagesDaily
from schemas.plan_months import PlanMonths
from schemas.session_days import SessionDays
from schemas.sessions_daily import SessionsDaily
from schemas.stitches import Stitches
from schemas.visitors import Visitors
from transforms.calendar import local_day
from transforms.interaction_days import interaction_days
from transforms.interactivity_daily import interactivity_daily
from transforms.pages_daily import pages_daily
from transforms.session_days import session_days
from transforms.sessions_daily import sessions_daily
from transforms.visitor_segments import visitor_segments
from transforms.visitors import visitors

INTERACTIONS = {"click": "touch", "share": "share", "tap": "touch", "email_opened": "mail"}
ZONES = ["UTC", "Europe/Berlin", "America/New_York"]
MINUTE = timedelta(minutes=1)
# Many at one instant, or seconds apart, around the gap that splits, and into the next days.
STEPS = [
    *[timedelta(0)] * 3,
    *[timedelta(seconds=7)] * 3,
    timedelta(microseconds=1),
    10 * MINUTE,
    30 * MINUTE,
    30 * MINUTE + timedelta(microseconds=1),
    timedelta(hours=11),
    timedelta(days=3),
]
NAMES = [*["page_view"] * 5, *["page_ping"] * 4, "click", "tap", "share", "email_opened"]
PAGES = [None, "", "/a", "/a", "/b", "/a?x=#1", "/b#?", "?x"]
QUANTILES = "^(median|p90)_.*$"


@st.composite
def event_rows(draw: st.DrawFn) -> tuple[str, pl.LazyFrame]:
    """A time zone, and events of few people around the night in which its clocks change."""
    zone = draw(st.sampled_from(ZONES))
    rows: list[dict[str, Any]] = []
    for person in draw(st.lists(st.sampled_from("uvw"), max_size=3, unique=True)):
        moment = at(f"2024-03-{draw(st.sampled_from(['09', '10', '30']))} 22:30")
        for _ in range(draw(st.integers(1, 16))):
            moment += draw(st.sampled_from(STEPS))
            known = draw(st.booleans())
            rows.append(
                {
                    "event_id": f"e{len(rows) * 7 % 64:02}",
                    "event_ts": moment,
                    "user_id": person if known else None,
                    "anonymous_id": None if known else person,
                    "event_name": draw(st.sampled_from(NAMES)),
                    "session_id": draw(st.sampled_from([None, None, "a", "b"])),
                    "page_url": draw(st.sampled_from(PAGES)),
                    "page_title": draw(st.sampled_from([None, "", "Title"])),
                    "scroll_depth": draw(st.sampled_from([None, None, 0.0, 0.1, 1 / 3, 1.0, 1.2])),
                }
            )
    made = frame(Events, rows).with_columns(event_date=local_day(pl.col("event_ts"), zone))
    return zone, made.collect().lazy()


homes = st.fixed_dictionaries(
    {
        "session_timeout_minutes": st.sampled_from([30, 30, 1]),
        "session_max_hours": st.sampled_from([1, 24]),
        "use_source_sessions": st.booleans(),
        "data_through": st.sampled_from([day("2024-03-10"), day("2024-04-17")]),
    }
)


def sessions_of(events: pl.LazyFrame, home: Mapping[str, Any]) -> pl.LazyFrame:
    chosen = {name: home.get(name, value) for name, value in SETTINGS.items()}
    chosen["dimensions"] = []
    made = session_days(events, empty(Stitches), empty(SessionDays), **chosen)
    return collected(made, SessionDays).lazy()


def pages(sessions: pl.LazyFrame, events: pl.LazyFrame, home: Mapping[str, Any]) -> pl.DataFrame:
    options = {name: home[name] for name in ("use_source_sessions", "data_through")}
    return collected(pages_daily(sessions, events, empty(Stitches), **options), PagesDaily)


def interactivity(
    sessions: pl.LazyFrame, events: pl.LazyFrame, home: Mapping[str, Any]
) -> pl.DataFrame:
    done = interaction_days(events, empty(Stitches), interactions=INTERACTIONS)
    plans, through = empty(PlanMonths), {"data_through": home["data_through"]}
    first = visitors(sessions, plans, empty(Visitors), dimensions=[])
    daily = sessions_daily(
        sessions, plans, first, visitor_segments(first), dimensions=[], **through
    )
    days = collected(done, InteractionDays).lazy()
    return collected(interactivity_daily(days, daily, **through), InteractivityDaily)


def by_sql(events: pl.LazyFrame, home: Mapping[str, Any]) -> dict[str, pl.DataFrame]:
    naive = events.with_columns(
        pl.col("event_ts").dt.replace_time_zone(None), person=pl.coalesce("user_id", "anonymous_id")
    )
    with duckdb.connect(config={"threads": 1}) as con:
        con.register("ev", naive.collect().to_arrow())
        con.execute("CREATE TABLE bearing (month DATE, user_id VARCHAR, plan VARCHAR, until INT)")
        session_oracle(con, goal_events=["purchase"], dimensions=[], week_start="monday", **home)
        horizon = {"data_through": home["data_through"]}
        return {
            "pages_daily": pages_oracle(con, **horizon),
            "interactivity_daily": interactivity_oracle(con, interactions=INTERACTIONS, **horizon),
        }


@settings(max_examples=150 if LONG else 6, deadline=None)
@given(event_rows(), homes)
def test_every_cell_equals_the_sql_computation(
    zoned: tuple[str, pl.LazyFrame], home: dict[str, Any]
) -> None:
    _, events = zoned
    sessions = sessions_of(events, home)
    expected = by_sql(events, home)
    # Tenths of microseconds; how one interpolates shows in the last bits only.
    even = pl.col(QUANTILES).round(8)
    found = pages(sessions, events, home)
    wanted = expected["pages_daily"].with_columns(even)
    assert_equal_tables("pages_daily", found.with_columns(even), wanted)
    found = interactivity(sessions, events, home)
    assert_equal_tables("interactivity_daily", found, expected["interactivity_daily"])


@settings(max_examples=100 if LONG else 5, deadline=None)
@given(event_rows(), homes, st.integers(1, 3), st.randoms(use_true_random=False))
def test_stretches_of_days_make_the_pages_that_all_days_make(
    zoned: tuple[str, pl.LazyFrame], home: dict[str, Any], at_once: int, chance: Any
) -> None:
    """Each stretch is made from no more than what the engine hands it, in whatever order."""
    zone, events = zoned
    sessions = sessions_of(events, home)
    seed = chance.randrange(2**32)
    mixed = events.collect().sample(fraction=1, shuffle=True, seed=seed).lazy()
    reach = timedelta(days=1 if zone == "UTC" else 2)
    days = sessions.select(pl.col("date").unique().sort()).collect()["date"].to_list()
    parts = [empty(PagesDaily).collect()]
    while days:
        first, last = days[0], days[0] + timedelta(days=at_once - 1)
        handed = mixed.filter(pl.col("event_date").is_between(first, last + reach))
        stretch = sessions.filter(pl.col("date").is_between(first, last))
        parts.append(pages(stretch, handed, home))
        days = [each for each in days if each > last]
    assert_same(pl.concat(parts), pages(sessions, events, home))


def complaints(pages: list[dict[str, Any]], daily: list[dict[str, Any]]) -> list[str]:
    """Names of the checks of pages that do not hold."""
    everybody = {"dimension": "all", "segment": "all"}
    tables = {
        "pages_daily": frame(PagesDaily, pages),
        "sessions_daily": frame(SessionsDaily, daily, **everybody),
    }
    return [
        check.name for check in CHECKS if check.table == "pages_daily" and broken(check, tables)
    ]


ENTERING = "sessions_with_a_view_enter_and_exit_once"
VIEWING = "page_views_are_those_of_sessions"
FIRST, SECOND = {"date": day("2024-03-09")}, {"date": day("2024-03-10")}
QUIET = {"page_views": 0, "page_view_sessions": 0}
SOUND = [
    {**FIRST, "page": "/a", "page_views": 3, "entries": 2, "exits": 0},
    {**FIRST, "page": "/b", "page_views": 2, "entries": 0, "exits": 2},
]
DAILY = [{**FIRST, "page_views": 5, "page_view_sessions": 2}, {**SECOND, **QUIET}]


@pytest.mark.parametrize(
    ("pages", "daily", "expected"),
    [
        (SOUND, DAILY, []),
        ([{**SOUND[0], "entries": 3}, SOUND[1]], DAILY, [ENTERING]),
        ([{**SOUND[0], "exits": 1}, SOUND[1]], DAILY, [ENTERING]),
        ([{**SOUND[0], "page_views": 4}, SOUND[1]], DAILY, [VIEWING]),
        ([], DAILY, [ENTERING, VIEWING]),
        (SOUND, [{**SECOND, **QUIET}], [ENTERING, VIEWING]),
        # Days on which sessions still wait for another source are not judged.
        ([*SOUND, {**SOUND[0], **SECOND}], DAILY[:1], []),
        ([*SOUND, {**SOUND[0], **SECOND}], DAILY, [ENTERING, VIEWING]),
        (SOUND, [], []),
    ],
)
def test_pages_have_the_views_entries_and_exits_of_the_sessions(
    pages: list[dict[str, Any]], daily: list[dict[str, Any]], expected: list[str]
) -> None:
    assert complaints(pages, daily) == expected
