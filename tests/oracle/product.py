"""The product tables computed a second time, in SQL, from events with their person.

Written from METRICS.md and not from the transforms: features from plain events and a calendar, each
funnel by one walk over all events, one step after the other, without spines.
"""

from collections.abc import Mapping, Sequence
from datetime import date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import duckdb
import polars as pl
from oracle.activity import INACTIVE, Calendar


def feature_oracle(
    con: duckdb.DuckDBPyConnection,
    *,
    week_start: str,
    data_through: date,
    active_events: Sequence[str] = (),
    dimensions: Sequence[str] = ("platform", "country", "channel"),
    plans: pl.DataFrame | None = None,
) -> pl.DataFrame:
    """``feature_usage`` from ``ev(event_date, event_name, person, feature)`` and the dimensions.

    ``plans`` holds event_date, user_id and plan day by day; the dimension ``plan`` exists in months
    in which it has a row.
    """
    con.execute("CREATE OR REPLACE TEMP TABLE bears (event_date DATE, user_id VARCHAR, plan TEXT)")
    if plans is not None:
        con.register("all_plans", plans.to_arrow())
        con.execute("INSERT INTO bears SELECT event_date, user_id, plan FROM all_plans")
    names = ", ".join(f"'{name}'" for name in active_events or INACTIVE)
    con.execute(f"""
        CREATE OR REPLACE TEMP TABLE act AS
        SELECT ev.* , CASE WHEN strftime(ev.event_date, '%Y%m') IN
            (SELECT strftime(event_date, '%Y%m') FROM bears) THEN coalesce(b.plan, 'none') END
            AS plan
        FROM ev LEFT JOIN bears b ON b.event_date = ev.event_date AND b.user_id = person
        WHERE event_name {"" if active_events else "NOT"} IN ({names})
            AND ev.event_date <= DATE '{data_through}'""")
    labels = ["SELECT *, 'all' AS dimension, 'all' AS segment FROM act"]
    labels += [
        f"SELECT *, '{name}', coalesce({name}, 'unknown') FROM act"
        f"{' WHERE plan IS NOT NULL' if name == 'plan' else ''}"
        for name in dimensions
    ]
    con.execute(f"CREATE OR REPLACE TEMP TABLE labelled AS {' UNION ALL '.join(labels)}")
    calendar = Calendar(week_start)
    return pl.concat(
        _usage(con, grain, calendar, data_through) for grain in ("day", "week", "month")
    )


def _usage(
    con: duckdb.DuckDBPyConnection, grain: str, calendar: Calendar, data_through: date
) -> pl.DataFrame:
    start = calendar.start(grain, "event_date")
    key = "period_start, dimension, segment"
    return con.sql(f"""
        WITH used AS (
            SELECT {start} AS period_start, feature, dimension, segment, count(*) AS events,
                count(DISTINCT person) AS feature_users
            FROM labelled WHERE feature IS NOT NULL GROUP BY ALL),
        active AS (
            SELECT {start} AS period_start, dimension, segment,
                count(DISTINCT person) AS active_users
            FROM labelled GROUP BY ALL),
        launch AS (SELECT feature, min(event_date) AS first_seen_date FROM act GROUP BY ALL),
        days AS (
            SELECT unnest(generate_series(min(event_date), DATE '{data_through}',
                INTERVAL 1 DAY))::DATE AS event_date FROM act),
        periods AS (SELECT DISTINCT {start} AS period_start FROM days),
        begun AS (
            SELECT feature, dimension, segment, min(period_start) AS first_period
            FROM used GROUP BY ALL)
        SELECT '{grain}' AS grain, period_start, feature, dimension, segment,
            coalesce(events, 0) AS events, coalesce(feature_users, 0) AS feature_users,
            coalesce(active_users, 0) AS active_users,
            coalesce(feature_users, 0) / nullif(active_users, 0) AS adoption_rate, first_seen_date,
            {calendar.end(grain, "period_start")} <= DATE '{data_through}' AS is_complete
        FROM begun JOIN periods ON period_start >= first_period JOIN launch USING (feature)
            LEFT JOIN used USING ({key}, feature) LEFT JOIN active USING ({key})""").pl()


def funnel_oracle(
    con: duckdb.DuckDBPyConnection,
    funnels: Sequence[Mapping[str, Any]],
    *,
    timezone: str,
    data_through: date,
) -> pl.DataFrame:
    """``funnel_daily`` from ``ev(event_date, event_ts, event_id, event_name, person)``."""
    parts = []
    for funnel in funnels:
        _walk(con, funnel, data_through)
        parts += [
            _step(con, funnel, number, timezone, data_through)
            for number in range(1, len(funnel["steps"]) + 1)
        ]
    return pl.concat(parts)


def _walk(con: duckdb.DuckDBPyConnection, funnel: Mapping[str, Any], data_through: date) -> None:
    """Tables reached1, reached2, ...: each entry with the instant and id of its latest step."""
    for number, step in enumerate(funnel["steps"], 1):
        names = ", ".join(f"'{name}'" for name in step["events"])
        known = f"event_name IN ({names}) AND event_date <= DATE '{data_through}'"
        if number == 1:
            rows = f"""
                SELECT person, event_date AS entry_date, event_ts AS entered_ts, event_ts, event_id,
                    NULL AS took
                FROM ev WHERE {known}
                QUALIFY row_number() OVER (
                    PARTITION BY person, event_date ORDER BY event_ts, event_id) = 1"""
        else:
            rows = f"""
                SELECT person, r.entry_date, r.entered_ts, e.event_ts, e.event_id,
                    epoch_us(e.event_ts) - epoch_us(r.event_ts) AS took
                FROM reached{number - 1} r JOIN (SELECT * FROM ev WHERE {known}) e USING (person)
                WHERE (e.event_ts > r.event_ts
                        OR (e.event_ts = r.event_ts AND e.event_id > r.event_id))
                    AND e.event_ts <= r.entered_ts + to_hours({funnel["window_hours"]})
                QUALIFY row_number() OVER (
                    PARTITION BY person, entry_date ORDER BY e.event_ts, e.event_id) = 1"""
        con.execute(f"CREATE OR REPLACE TEMP TABLE reached{number} AS {rows}")


def _step(
    con: duckdb.DuckDBPyConnection,
    funnel: Mapping[str, Any],
    number: int,
    timezone: str,
    data_through: date,
) -> pl.DataFrame:
    def people(step: int) -> str:
        return f"(SELECT count(*) FROM reached{step} r WHERE r.entry_date = d.entry_date)"

    counts = con.sql(f"""
        WITH days AS (
            SELECT unnest(generate_series(min(entry_date), DATE '{data_through}',
                INTERVAL 1 DAY))::DATE AS entry_date FROM reached1),
        counted AS (
            SELECT entry_date, {people(number)} AS entered_users, {people(1)} AS first_users,
                {people(number - 1) if number > 1 else "NULL::BIGINT"} AS previous_users,
                (SELECT quantile_cont(took, 0.5) FROM reached{number} r
                    WHERE r.entry_date = d.entry_date) AS median
            FROM days d)
        SELECT *, '{funnel["name"]}' AS funnel, {number} AS step,
            '{funnel["steps"][number - 1]["name"]}' AS step_name,
            previous_users - entered_users AS dropped_users,
            entered_users / nullif(previous_users, 0) AS step_rate,
            entered_users / nullif(first_users, 0) AS overall_rate,
            median::DOUBLE / 1000000 AS median_seconds_from_previous
        FROM counted""").pl()
    zone = ZoneInfo(timezone)
    ends = _begin(data_through + timedelta(1), zone)
    passed = [
        _begin(day + timedelta(1), zone) + timedelta(hours=funnel["window_hours"]) <= ends
        for day in counts["entry_date"]
    ]
    return counts.with_columns(pl.Series("is_complete", passed, dtype=pl.Boolean))


def _begin(day: date, zone: ZoneInfo) -> datetime:
    return datetime.combine(day, time(), zone).astimezone(ZoneInfo("UTC"))
