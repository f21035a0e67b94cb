"""From events to the activity tables, against SQL, and the laws that these tables keep."""

from collections.abc import Mapping
from datetime import date, timedelta
from typing import Any

import duckdb
import plan_rows
import polars as pl
import pytest
from frames import assert_same, at, collected, day, frame
from homes import LONG
from hypothesis import given, settings
from hypothesis import strategies as st
from oracle.activity import activity_oracle

from schemas.active_days_histogram import ActiveDaysHistogram
from schemas.active_users_daily import ActiveUsersDaily
from schemas.active_users_periodic import ActiveUsersPeriodic
from schemas.base import Table, dtypes, empty, promise_of
from schemas.cohort_last_returns import CohortLastReturns
from schemas.cohort_retention import CohortRetention
from schemas.cohort_returns import CohortReturns
from schemas.cohort_sizes import CohortSizes
from schemas.definition_days import DefinitionDays
from schemas.definition_months import DefinitionMonths
from schemas.definition_users import DefinitionUsers
from schemas.events import Events
from schemas.first_week_engagement import FirstWeekEngagement
from schemas.lifecycle import Lifecycle
from schemas.plan_months import PlanMonths
from schemas.segments import Segments
from schemas.stitches import Stitches
from schemas.user_months import UserMonths
from schemas.users import Users
from transforms.active_days_histogram import active_days_histogram
from transforms.active_users_daily import active_users_daily
from transforms.active_users_periodic import active_users_periodic
from transforms.cohort_last_returns import cohort_last_returns
from transforms.cohort_retention import cohort_retention
from transforms.cohort_returns import cohort_returns
from transforms.cohort_sizes import cohort_sizes
from transforms.cohorts import months_before
from transforms.definition_days import definition_days
from transforms.definition_months import definition_months
from transforms.definition_users import definition_users
from transforms.first_week_engagement import first_week_engagement
from transforms.lifecycle import lifecycle
from transforms.segments import segments
from transforms.user_days import user_days
from transforms.user_months import user_months
from transforms.users import users

TRANSFORMS: dict[str, Any] = {
    function.__name__: function
    for function in (
        active_users_daily,
        active_users_periodic,
        active_days_histogram,
        lifecycle,
        first_week_engagement,
        cohort_sizes,
        cohort_returns,
        cohort_last_returns,
        cohort_retention,
    )
}
MODELS: dict[str, type[Table]] = {
    "definition_days": DefinitionDays,
    "definition_months": DefinitionMonths,
    "definition_users": DefinitionUsers,
    "plan_months": PlanMonths,
    "user_months": UserMonths,
    "users": Users,
    "segments": Segments,
    "active_users_daily": ActiveUsersDaily,
    "active_users_periodic": ActiveUsersPeriodic,
    "active_days_histogram": ActiveDaysHistogram,
    "lifecycle": Lifecycle,
    "first_week_engagement": FirstWeekEngagement,
    "cohort_sizes": CohortSizes,
    "cohort_returns": CohortReturns,
    "cohort_last_returns": CohortLastReturns,
    "cohort_retention": CohortRetention,
}
METRICS = [
    "active_users_daily",
    "active_users_periodic",
    "active_days_histogram",
    "lifecycle",
    "first_week_engagement",
    "cohort_retention",
]
SETTINGS = {
    "active_users_daily": ("dimensions", "wau_window_days", "mau_window_days", "data_through"),
    "active_users_periodic": ("dimensions", "week_start", "data_through"),
    "active_days_histogram": ("week_start", "data_through"),
    "lifecycle": ("dimensions", "week_start", "data_through"),
    "first_week_engagement": ("data_through",),
    "cohort_sizes": ("retentions", "week_start", "data_through"),
    "cohort_returns": ("retentions", "week_start", "retention_periods", "data_through"),
    "cohort_last_returns": ("retentions", "week_start", "retention_periods", "data_through"),
    "cohort_retention": ("retention_periods", "data_through"),
}
EVER = 10_000


def inputs_of(table: str, home: Mapping[str, Any]) -> dict[str, tuple[int, int]]:
    """Which months of its inputs a month of a table needs: so many before, so many after."""
    window = max(home["wau_window_days"], home["mau_window_days"])
    run = months_before(home["retention_periods"])
    return {
        "active_users_daily": {
            "user_months": (2 if window > 29 else 1, 0),
            "users": (0, 0),
            "segments": (EVER, 0),
            "plan_months": (0, 0),
        },
        "active_users_periodic": {"user_months": (0, 1), "segments": (EVER, 1)},
        "active_days_histogram": {"user_months": (0, 1)},
        "lifecycle": {"user_months": (1, 1), "users": (0, 1), "segments": (EVER, 1)},
        "first_week_engagement": {"user_months": (0, 1), "users": (0, 0), "segments": (EVER, 0)},
        "cohort_sizes": {
            "users": (0, 1),
            "definition_users": (0, 1),
            "definition_months": (0, 1),
        },
        "cohort_returns": {
            "users": (run, 0),
            "user_months": (0, 1),
            "definition_users": (run, 0),
            "definition_months": (run, 1),
        },
        "cohort_last_returns": {
            "users": (run, 0),
            "user_months": (run, 0),
            "definition_users": (run, 0),
            "definition_months": (run, 0),
        },
    }[table]


# Month ends, leap days, turns of years, weeks across months, and gaps of months and years.
DAYS = [
    *(day(f"2023-{text}") for text in ("01-30", "01-31", "02-01", "02-28", "03-01", "03-02")),
    *(day(f"2023-12-{text}") for text in ("25", "30", "31")),
    *(day(f"2024-{text}") for text in ("01-01", "01-02", "01-07", "01-08", "02-28", "02-29")),
    *(day(f"2024-{text}") for text in ("03-01", "03-30", "03-31", "04-01", "04-30", "05-01")),
]
RETENTIONS = [
    {
        "name": "clicks",
        "start_events": ["click"],
        "return_events": ["view"],
        "entry": "recurring",
    },
    {"name": "anything", "start_events": [], "return_events": [], "entry": "recurring"},
    {"name": "first_click", "start_events": ["click"], "return_events": [], "entry": "first_time"},
]


@st.composite
def event_rows(draw: st.DrawFn) -> pl.DataFrame:
    """Events of few people on few days, so that they return; some without a platform."""
    some = st.tuples(
        st.sampled_from(DAYS),
        st.integers(0, 3),
        st.sampled_from(["view", "view", "click", "email_sent"]),
        st.sampled_from("uvwxy"),
        st.sampled_from([None, "web", "ios"]),
        st.sampled_from([None, "DE"]),
        st.sampled_from([None, "export"]),
    )
    rows = [
        {
            "event_id": f"e{number}",
            "event_name": name,
            "event_ts": at(f"{when} 0{hour}:00"),
            "user_id": person,
            "platform": platform,
            "country": country,
            "feature": feature,
            "event_date": when,
        }
        for number, (when, hour, name, person, platform, country, feature) in enumerate(
            draw(st.lists(some, max_size=40))
        )
    ]
    return frame(Events, rows).collect()


homes = st.fixed_dictionaries(
    {
        "week_start": st.sampled_from(["monday", "sunday", "wednesday"]),
        "wau_window_days": st.sampled_from([1, 7]),
        "mau_window_days": st.sampled_from([28, 29, 30, 31]),
        "active_events": st.sampled_from([[], ["click"]]),
        "key_features": st.sampled_from([[], ["export"]]),
        "dimensions": st.sampled_from(
            [["platform", "country"], [], ["country"], ["country", "plan"]]
        ),
        "plans": plan_rows.plans(DAYS, "uvwxyz", max_size=20),
        "retention_periods": st.sampled_from([(90, 52, 36), (3, 2, 1), (31, 5, 2)]),
        "retentions": st.sampled_from([[], RETENTIONS, RETENTIONS[:1]]),
        "data_through": st.one_of(
            st.sampled_from(DAYS), st.sampled_from([day("2022-12-31"), day("2024-06-09")])
        ),
    }
)


def spines(events: pl.DataFrame, home: Mapping[str, Any]) -> dict[str, pl.DataFrame]:
    dimensions = home["dimensions"]
    of_days = user_days(
        events.lazy(),
        empty(Stitches),
        active_events=home["active_events"],
        key_features=home["key_features"],
        dimensions=dimensions,
    )
    plan_months = plan_rows.plan_months(home["plans"])
    months = user_months(of_days, plan_months, dimensions=dimensions).collect()
    people = users(months.lazy(), empty(Users)).collect()
    named = definition_days(
        events.lazy(),
        empty(Stitches),
        retentions=home["retentions"],
        active_events=home["active_events"],
        dimensions=dimensions,
    )
    named_months = definition_months(named, dimensions=dimensions).collect()
    return {
        "definition_days": named.collect(),
        "definition_months": named_months,
        "definition_users": definition_users(named_months.lazy(), empty(DefinitionUsers)).collect(),
        "plan_months": plan_months.collect(),
        "user_months": months,
        "users": people,
        "segments": segments(people.lazy()).collect(),
    }


def made(table: str, tables: Mapping[str, pl.LazyFrame], home: Mapping[str, Any]) -> pl.LazyFrame:
    chosen = {name: home[name] for name in SETTINGS[table]}
    result: pl.LazyFrame = TRANSFORMS[table](**tables, **chosen)
    return result


def build(events: pl.DataFrame, home: Mapping[str, Any]) -> dict[str, pl.DataFrame]:
    """Every table in one go."""
    tables = spines(events, home)
    for table in TRANSFORMS:
        names = (
            ["cohort_sizes", "cohort_returns", "cohort_last_returns"]
            if table == "cohort_retention"
            else list(inputs_of(table, home))
        )
        inputs = {name: tables[name].lazy() for name in names}
        tables[table] = made(table, inputs, home).collect()
    return {name: collected(rows.lazy(), MODELS[name]) for name, rows in tables.items()}


@settings(max_examples=25 if LONG else 6, deadline=None)
@given(event_rows(), homes)
def test_every_cell_equals_the_sql_computation(events: pl.DataFrame, home: dict[str, Any]) -> None:
    tables = build(events, home)
    expected = in_sql(events, home)
    for table in METRICS:
        model = MODELS[table]
        wanted = expected[table].cast(dict(dtypes(model))).select(list(dtypes(model)))
        assert_same(tables[table], wanted.sort(promise_of(model).order))


def in_sql(events: pl.DataFrame, home: dict[str, Any]) -> dict[str, pl.DataFrame]:
    # Instants without a zone: with one, DuckDB wants an extension that is not there everywhere.
    naive = events.with_columns(pl.col("event_ts").dt.replace_time_zone(None))
    with duckdb.connect(config={"threads": 1}) as con:
        con.register("ev", naive.rename({"user_id": "person"}).to_arrow())
        return activity_oracle(con, **{**home, "plans": plan_rows.plan_days(home["plans"])})


def shifted(month: date, months: int) -> date:
    number = month.year * 12 + month.month - 1 + months
    return date(number // 12, number % 12 + 1, 1) if 12 <= number < 12 * 9999 else date.min


@settings(max_examples=10 if LONG else 3, deadline=None)
@given(event_rows(), homes, st.integers(1, 3))
def test_a_range_equals_its_months(
    events: pl.DataFrame, home: dict[str, Any], months_at_once: int
) -> None:
    """Each stretch of months is made from no more than what the engine hands it."""
    tables = build(events, home)
    for table in TRANSFORMS:
        model = MODELS[table]
        if table == "cohort_retention":
            continue
        slice_by = promise_of(model).slice_by
        parts = []
        first = day("2022-12-01")
        while first <= day("2024-06-01"):
            last = shifted(first, months_at_once - 1)
            inputs = {
                name: filed_between(tables[name], MODELS[name], first, last, reach)
                for name, reach in inputs_of(table, home).items()
            }
            filed = pl.col(slice_by).dt.month_start().is_between(first, last)
            parts.append(made(table, inputs, home).filter(filed))
            first = shifted(last, 1)
        assert_same(collected(pl.concat(parts), model), tables[table])


def filed_between(
    rows: pl.DataFrame, model: type[Table], first: date, last: date, reach: tuple[int, int]
) -> pl.LazyFrame:
    before, after = reach
    low = date.min if before == EVER else shifted(first, -before)
    filed = pl.col(promise_of(model).slice_by).is_between(low, shifted(last, after))
    return rows.lazy().filter(filed)


@settings(max_examples=40 if LONG else 10, deadline=None)
@given(event_rows(), homes)
def test_what_the_tables_say_of_the_same_people_agrees(
    events: pl.DataFrame, home: dict[str, Any]
) -> None:
    tables = build(events, home)
    states = tables["lifecycle"]
    key = ["grain", "dimension", "segment"]
    before = pl.col("active_users").shift(1).over(key, order_by="period_start").fill_null(0)
    assert states.filter(pl.col("dormant_users") != before - pl.col("retained_users")).is_empty()

    periodic = tables["active_users_periodic"].filter(pl.col("active_users") > 0)
    counted = (
        tables["active_days_histogram"]
        .group_by("grain", "period_start")
        .agg(
            active_users=pl.col("users").sum(),
            active_user_days=(pl.col("users") * pl.col("active_days")).sum(),
        )
    )
    everybody = periodic.filter(pl.col("dimension") == "all").select(counted.columns)
    assert_same(counted.sort("grain", "period_start"), everybody)
    in_lifecycle = states.filter(pl.col("grain") != "day", pl.col("active_users") > 0)
    columns = ["grain", "period_start", "dimension", "segment", "active_users", "is_complete"]
    assert_same(in_lifecycle.select(columns), periodic.select(columns))

    daily = tables["active_users_daily"]
    of_days = states.filter(pl.col("grain") == "day").select(
        pl.col("period_start").alias("date"),
        "dimension",
        "segment",
        pl.col("active_users").alias("dau"),
        "new_users",
    )
    assert_same(of_days, daily.select(of_days.columns))

    cells = tables["cohort_retention"]
    whole = cells.filter(pl.col("period_index") == 0)
    assert (whole["active_users"] == whole["cohort_users"]).all()
    assert (cells["rolling_users"] >= cells["active_users"]).all()
    entered = whole.filter(
        pl.col("definition") == "activity", pl.col("grain") == "day", pl.col("dimension") == "all"
    ).select(cohort_date="cohort_start", cohort_users="cohort_users")
    first_weeks = tables["first_week_engagement"].filter(pl.col("cohort_users") > 0)
    assert_same(entered, first_weeks.select(entered.columns))


@settings(max_examples=30 if LONG else 8, deadline=None)
@given(event_rows(), homes)
def test_first_starts_found_month_by_month_are_those_found_at_once(
    events: pl.DataFrame, home: dict[str, Any]
) -> None:
    tables = spines(events, home)
    months = tables["definition_months"]
    earlier = empty(DefinitionUsers).collect()
    for month in months["month"].unique().sort():
        found = definition_users(
            months.lazy().filter(pl.col("month") == month), earlier.lazy()
        ).collect()
        earlier = pl.concat([earlier, found])
    assert_same(
        collected(earlier.lazy(), DefinitionUsers),
        collected(tables["definition_users"].lazy(), DefinitionUsers),
    )


@pytest.mark.parametrize("table", METRICS)
def test_no_activity_gives_no_rows(table: str) -> None:
    home = {
        "week_start": "monday",
        "wau_window_days": 7,
        "mau_window_days": 28,
        "active_events": [],
        "key_features": [],
        "dimensions": ["platform"],
        "retention_periods": (90, 52, 36),
        "retentions": [],
        "plans": {},
        "data_through": day("2024-01-01") + timedelta(days=1),
    }
    assert build(empty(Events).collect(), home)[table].is_empty()
