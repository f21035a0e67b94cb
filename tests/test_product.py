"""From events to feature use and funnels, against SQL, and the laws that these tables keep."""

from collections.abc import Mapping
from datetime import date, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import duckdb
import plan_rows
import polars as pl
from frames import assert_same, at, collected, day, frame
from funnel_rows import BUY, TWICE
from homes import LONG, event, land, make_home, run_home, table
from hypothesis import given, settings
from hypothesis import strategies as st
from oracle.compare import assert_equal_tables
from oracle.product import feature_oracle, funnel_oracle

from schemas.base import empty
from schemas.events import Events
from schemas.feature_days import FeatureDays
from schemas.feature_segments import FeatureSegments
from schemas.feature_usage import FeatureUsage
from schemas.funnel_daily import FunnelDaily
from schemas.funnel_entries import FunnelEntries
from schemas.funnel_events import FunnelEvents
from schemas.lifecycle import Lifecycle
from schemas.stitches import Stitches
from schemas.users import Users
from transforms.feature_days import feature_days
from transforms.feature_segments import feature_segments
from transforms.feature_usage import feature_usage
from transforms.funnel_daily import funnel_daily
from transforms.funnel_entries import funnel_entries
from transforms.funnel_events import funnel_events
from transforms.lifecycle import lifecycle
from transforms.segments import segments
from transforms.user_days import user_days
from transforms.user_months import user_months
from transforms.users import users

Rows = pl.DataFrame
Home = Mapping[str, Any]

# Weeks across months, a leap day, a month without anybody.
DAYS = [
    *(day(f"2024-{text}") for text in ("01-01", "01-07", "01-08", "01-30", "01-31", "02-01")),
    *(day(f"2024-{text}") for text in ("02-04", "02-29", "03-01", "04-30", "05-01")),
]
MONTHS = [date(2023, 12, 1), *(date(2024, month, 1) for month in range(1, 7))]


@st.composite
def feature_events(draw: st.DrawFn) -> Rows:
    """Events of few people on few days, some with a feature, some without a platform."""
    some = st.tuples(
        st.sampled_from(DAYS),
        st.sampled_from("uvwx"),
        st.sampled_from(["view", "view", "click", "email_opened"]),
        st.sampled_from([None, "export", "import"]),
        st.sampled_from([None, "", "web", "ios"]),
    )
    names = ("event_date", "user_id", "event_name", "feature", "platform")
    rows = [
        {**dict(zip(names, row, strict=True)), "event_id": f"e{number}"}
        for number, row in enumerate(draw(st.lists(some, max_size=30)))
    ]
    return frame(Events, rows, event_ts=at("2024-01-01 00:00")).collect()


feature_homes = st.fixed_dictionaries(
    {
        "week_start": st.sampled_from(["monday", "sunday", "wednesday"]),
        "active_events": st.sampled_from([[], ["click", "view"], ["click"]]),
        "dimensions": st.sampled_from([["platform", "plan"], [], ["plan"], ["country"]]),
        "plans": plan_rows.plans(DAYS, "uvwx", max_size=12),
        "data_through": st.sampled_from([*DAYS, day("2023-12-31"), day("2024-06-09")]),
    }
)


def feature_inputs(events: Rows, home: Home) -> dict[str, Rows]:
    """What feature_usage is made from, all of it at once."""
    names = {name: home[name] for name in ("active_events", "dimensions")}
    plans = plan_rows.plan_months(home["plans"])
    stitches = empty(Stitches)
    seen = user_days(events.lazy(), stitches, key_features=[], **names)
    months = user_months(seen, plans, dimensions=home["dimensions"]).collect().lazy()
    people = users(months, empty(Users)).collect().lazy()
    calendar = {"week_start": home["week_start"], "data_through": home["data_through"]}
    states = lifecycle(months, people, segments(people), dimensions=home["dimensions"], **calendar)
    used = collected(feature_days(events.lazy(), stitches, **names), FeatureDays)
    return {
        "feature_days": used,
        "feature_segments": collected(
            feature_segments(
                used.lazy(), plans, empty(FeatureSegments), dimensions=home["dimensions"]
            ),
            FeatureSegments,
        ),
        "lifecycle": collected(states, Lifecycle),
        "plan_months": plans.collect(),
    }


def made_usage(inputs: Mapping[str, pl.LazyFrame], home: Home) -> pl.LazyFrame:
    names = ("dimensions", "week_start", "data_through")
    return feature_usage(**inputs, **{name: home[name] for name in names})


@settings(max_examples=100 if LONG else 6, deadline=None)
@given(feature_events(), feature_homes)
def test_features_are_what_sql_makes_of_them(events: Rows, home: dict[str, Any]) -> None:
    inputs = feature_inputs(events, home)
    found = made_usage({name: rows.lazy() for name, rows in inputs.items()}, home)
    with duckdb.connect(config={"threads": 1}) as con:
        naive = events.with_columns(pl.col("event_ts").dt.replace_time_zone(None))
        con.register("ev", naive.rename({"user_id": "person"}).to_arrow())
        plans = plan_rows.plan_days(home["plans"])
        expected = feature_oracle(con, **{**home, "plans": plans})
    assert_equal_tables("feature_usage", collected(found, FeatureUsage), expected)


@settings(max_examples=60 if LONG else 5, deadline=None)
@given(feature_events(), feature_homes, st.integers(1, 3))
def test_features_of_a_range_are_those_of_its_months(
    events: Rows, home: dict[str, Any], at_once: int
) -> None:
    """Each stretch of months is made from no more than what the engine hands it."""
    inputs = feature_inputs(events, home)
    firsts = empty(FeatureSegments).collect()
    parts = []
    for place in range(0, len(MONTHS), at_once):
        chunk = MONTHS[place : place + at_once]
        following = [*chunk, (chunk[-1] + timedelta(31)).replace(day=1)]
        new = feature_segments(
            filed(inputs["feature_days"], "event_date", chunk),
            filed(inputs["plan_months"], "month", chunk),
            firsts.lazy(),
            dimensions=home["dimensions"],
        )
        firsts = pl.concat([firsts, new.collect()])
        usage = made_usage(
            {
                "feature_days": filed(inputs["feature_days"], "event_date", following),
                "feature_segments": inputs["feature_segments"]
                .lazy()
                .filter(pl.col("first_month") <= following[-1]),
                "lifecycle": filed(inputs["lifecycle"], "period_start", chunk),
                "plan_months": filed(inputs["plan_months"], "month", following),
            },
            home,
        )
        parts.append(filed(usage.collect(), "period_start", chunk))
    assert_same(collected(firsts.lazy(), FeatureSegments), inputs["feature_segments"])
    whole = made_usage({name: rows.lazy() for name, rows in inputs.items()}, home)
    assert_same(collected(pl.concat(parts), FeatureUsage), collected(whole, FeatureUsage))


def filed(rows: Rows, slice_by: str, months: list[date]) -> pl.LazyFrame:
    return rows.lazy().filter(pl.col(slice_by).dt.month_start().is_in(months))


# Around the days on which clocks change in Berlin and in Los Angeles, at month ends.
MOMENTS = [at("2024-03-08 20:00"), at("2024-03-29 20:00"), at("2024-10-26 20:00")]
FUNNELS = st.lists(
    st.sampled_from([BUY, TWICE, {**BUY, "name": "long", "window_hours": 60}]),
    min_size=1,
    max_size=2,
    unique_by=lambda funnel: funnel["name"],
)
ZONES = ["UTC", "Europe/Berlin", "America/Los_Angeles"]


@st.composite
def funnel_homes(draw: st.DrawFn) -> tuple[Rows, dict[str, Any]]:
    """Events of two people, many of them at one instant, and a horizon among their days."""
    timezone = draw(st.sampled_from(ZONES))
    zone = ZoneInfo(timezone)
    some = st.tuples(
        st.sampled_from(MOMENTS),
        st.integers(0, 22).map(lambda number: timedelta(hours=number * 4)),
        st.sampled_from([timedelta(), timedelta(), timedelta(seconds=1)]),
        st.sampled_from(["view", "view", "cart", "wish", "order", "search"]),
        st.sampled_from("uv"),
    )
    rows = [
        {
            "event_id": f"e{number * 7 % 25:02}",
            "event_name": name,
            "event_ts": moment + hours + seconds,
            "event_date": (moment + hours + seconds).astimezone(zone).date(),
            "user_id": person,
        }
        for number, (moment, hours, seconds, name, person) in enumerate(
            draw(st.lists(some, max_size=25))
        )
    ]
    through = draw(st.sampled_from(MOMENTS)).date() + timedelta(draw(st.integers(-1, 9)))
    home = {"timezone": timezone, "funnels": draw(FUNNELS), "data_through": through}
    return frame(Events, rows).collect(), home


def funnel_spines(events: Rows, home: Home) -> tuple[Rows, Rows]:
    steps = funnel_events(events.lazy(), empty(Stitches), funnels=home["funnels"])
    done = collected(steps, FunnelEvents)
    reached = funnel_entries(done.lazy(), funnels=home["funnels"])
    return done, collected(reached, FunnelEntries)


def made_funnel(entries: Rows, before: Rows, home: Home) -> Rows:
    return funnel_daily(entries.lazy(), before.lazy(), **home).collect()


@settings(max_examples=300 if LONG else 10, deadline=None)
@given(funnel_homes())
def test_funnels_are_what_sql_makes_of_them(case: tuple[Rows, dict[str, Any]]) -> None:
    events, home = case
    _, entries = funnel_spines(events, home)
    found = made_funnel(entries, empty(FunnelDaily).collect(), home)
    with duckdb.connect(config={"threads": 1}) as con:
        naive = events.with_columns(pl.col("event_ts").dt.replace_time_zone(None))
        con.register("ev", naive.rename({"user_id": "person"}).to_arrow())
        expected = funnel_oracle(con, **home)
    # Of whole seconds the median is a half at most; how one divides shows in the last bits only.
    tenths = pl.col("median_seconds_from_previous").round(1)
    assert_equal_tables(
        "funnel_daily",
        collected(found.lazy(), FunnelDaily).with_columns(tenths),
        expected.with_columns(tenths),
    )


@settings(max_examples=100 if LONG else 8, deadline=None)
@given(funnel_homes())
def test_funnels_of_a_range_are_those_of_its_days_and_months(
    case: tuple[Rows, dict[str, Any]],
) -> None:
    """Entries need the days that the window can touch, months the one before them."""
    events, home = case
    done, entries = funnel_spines(events, home)
    # 60 hours are three days begun, and one more where clocks change.
    ahead = timedelta(4)

    def reached(today: date) -> Rows:
        near = done.lazy().filter(pl.col("event_date").is_between(today, today + ahead))
        found = funnel_entries(near, funnels=home["funnels"])
        return found.filter(pl.col("entry_date") == today).collect()

    days = done["event_date"].unique().sort()
    parts = [empty(FunnelEntries).collect(), *(reached(today) for today in days)]
    assert_same(collected(pl.concat(parts).lazy(), FunnelEntries), entries)

    whole = made_funnel(entries, empty(FunnelDaily).collect(), home)
    month_before = empty(FunnelDaily).collect()
    months = [month_before]
    for month in (date(2024, number, 1) for number in range(2, 12)):
        own = filed(entries, "entry_date", [month]).collect()
        month_before = filed(made_funnel(own, month_before, home), "entry_date", [month]).collect()
        months.append(month_before)
    assert_same(
        collected(pl.concat(months).lazy(), FunnelDaily), collected(whole.lazy(), FunnelDaily)
    )


@settings(max_examples=100 if LONG else 8, deadline=None)
@given(funnel_homes(), st.randoms())
def test_events_may_come_in_any_order(case: tuple[Rows, dict[str, Any]], random: Any) -> None:
    events, home = case
    shuffled = events[random.sample(range(events.height), events.height)]
    for one, other in zip(funnel_spines(events, home), funnel_spines(shuffled, home), strict=True):
        assert_same(one, other)


def test_without_funnels_there_is_nothing() -> None:
    home = {"timezone": "UTC", "funnels": [], "data_through": DAYS[0]}
    done, entries = funnel_spines(empty(Events).collect(), home)
    found = made_funnel(entries, empty(FunnelDaily).collect(), home)
    assert done.is_empty()
    assert collected(found.lazy(), FunnelDaily).is_empty()


LONG_FUNNEL = """\
funnels = [{ name = "slow", steps = ["view", "order"], window_hours = 960 }]
"""


def test_funnels_by_nights_are_those_of_all_days_at_once(folder: Path) -> None:
    """A window of forty days: January changes with the horizon, long after it is over."""
    nights = {
        "2025-01-02": [event("a", "2025-01-01T10:00:00", event_name="view")],
        "2025-01-20": [event("b", "2025-01-19T10:00:00", event_name="view", user_id="bob")],
        "2025-02-12": [event("c", "2025-02-10T09:00:00", event_name="order")],
        "2025-03-20": [event("d", "2025-03-19T10:00:00", event_name="search")],
    }
    at_once = make_home(folder / "at-once", LONG_FUNNEL, nights)
    run_home(at_once, select=["funnel_daily"])
    by_night = make_home(folder / "nights", LONG_FUNNEL)
    for landed, rows in nights.items():
        land(by_night, landed, rows)
        run_home(by_night, select=["funnel_daily"])
    found = table(by_night, "funnel_daily")
    assert_same(found, table(at_once, "funnel_daily"))
    # ada orders 39 days and 23 hours after her view; bob never does.
    second = found.filter(step=2).select("entry_date", "entered_users", "is_complete")
    assert second.row(0) == (day("2025-01-01"), 1, True)
    assert second["entered_users"].sum() == 1
    # Forty days after the last instant of 8 February it is 20 March.
    assert second.filter("is_complete")["entry_date"].max() == day("2025-02-08")
    assert second["entry_date"].max() == day("2025-03-20")
