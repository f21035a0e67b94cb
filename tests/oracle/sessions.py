"""The session tables computed a second time, in SQL, from events with their person.

Written from METRICS.md and not from the transforms: one session starts where the one before it has
ended, found one after the other by recursion; no days are cut apart and nothing is carried over.
"""

from collections.abc import Sequence
from datetime import date

import duckdb
import polars as pl
from oracle.activity import INACTIVE, Calendar
from oracle.channels import channels_sql

TABLES = ("sessions", "sessions_daily", "sessions_periodic")

_SESSIONS = """
CREATE OR REPLACE TEMP TABLE part AS
    SELECT *, {source} AS source_id,
        event_ts - lag(event_ts) OVER (PARTITION BY person, source_id ORDER BY event_ts)
            > to_minutes({timeout}) AND source_id IS NULL AS is_gap
    FROM ev WHERE event_name NOT IN ({inactive});

CREATE OR REPLACE TEMP TABLE begin AS
    WITH RECURSIVE start AS (
        SELECT person, source_id, min(event_ts) AS started FROM part GROUP BY ALL
        UNION ALL
        SELECT s.person, s.source_id, min(p.event_ts)
        FROM start s JOIN part p
            ON p.person = s.person AND p.source_id IS NOT DISTINCT FROM s.source_id
        WHERE p.event_ts > s.started
            AND (p.is_gap OR p.event_ts > s.started + to_hours({hours}))
        GROUP BY s.person, s.source_id, s.started)
    SELECT * FROM start;

CREATE OR REPLACE TEMP TABLE belonging AS
    SELECT p.*, max(b.started) AS started
    FROM part p JOIN begin b
        ON p.person = b.person AND p.source_id IS NOT DISTINCT FROM b.source_id
            AND b.started <= p.event_ts
    GROUP BY ALL;

CREATE OR REPLACE TEMP TABLE visit AS
    SELECT person AS user_id, source_id, started AS started_ts, max(event_ts) AS ended_ts,
        min(event_date) AS date, epoch_us(ended_ts) - epoch_us(started_ts) AS micros,
        person || '@' || epoch_us(started_ts) || coalesce('.' || source_id, '') AS session_id,
        micros / 1000000 AS duration_seconds,
        count(*) AS events,
        count(*) FILTER (event_name = 'page_view') AS page_views,
        sum(round(engaged_seconds * 1000000)::BIGINT) / 1000000 AS engaged,
        first(page_url ORDER BY event_ts, event_id) FILTER (event_name = 'page_view')
            AS entry_page,
        last(page_url ORDER BY event_ts, event_id) FILTER (event_name = 'page_view') AS exit_page,
        {known},
        first(utm_source ORDER BY event_ts, event_id) FILTER ({has_utm}) AS tagged_source,
        first(utm_medium ORDER BY event_ts, event_id) FILTER ({has_utm}) AS tagged_medium,
        coalesce(
            first(campaign ORDER BY event_ts, event_id) FILTER (campaign IS NOT NULL),
            first(utm_campaign ORDER BY event_ts, event_id) FILTER ({has_utm})) AS campaign,
        CASE WHEN page_views > 0
            THEN first(referrer ORDER BY event_ts, event_id) FILTER (event_name = 'page_view')
            ELSE first(referrer ORDER BY event_ts, event_id) FILTER (referrer IS NOT NULL)
            END AS referrer,
        CASE WHEN page_views > 0 THEN entry_page
            ELSE first(page_url ORDER BY event_ts, event_id) FILTER (referrer IS NOT NULL)
            END AS landing,
        page_views = 1 AS is_single_page,
        count(*) FILTER (list_contains({goals}::VARCHAR[], event_name)) > 0 AS is_converting,
        coalesce(engaged, duration_seconds) > 10 OR page_views >= 2 OR is_converting AS is_engaged
    FROM belonging GROUP BY person, source_id, started;

{channels}

CREATE OR REPLACE TEMP TABLE visits AS
    SELECT * EXCLUDE (said_channel), engaged AS engaged_seconds,
        row_number() OVER (PARTITION BY user_id ORDER BY started_ts, session_id) = 1
            AS is_new_visitor
    FROM sourced;

CREATE OR REPLACE TEMP TABLE placed AS {placed};

CREATE OR REPLACE TEMP TABLE first_visit AS
    SELECT dimension, segment, user_id, min(date) AS first_date FROM placed GROUP BY ALL;
"""


_BY_PLAN = """
    SELECT *, 'plan' AS dimension, coalesce(
        (SELECT b.plan FROM bearing b WHERE b.user_id = v.user_id
            AND b.month = date_trunc('month', v.date) AND day(v.date) <= b.until), 'none')
        AS segment
    FROM visits v WHERE date_trunc('month', v.date) IN (SELECT month FROM bearing)
"""


def session_oracle(
    con: duckdb.DuckDBPyConnection,
    *,
    session_timeout_minutes: int,
    session_max_hours: int,
    use_source_sessions: bool,
    goal_events: Sequence[str],
    dimensions: Sequence[str],
    week_start: str,
    data_through: date,
    own_domains: Sequence[str] = (),
    payment_providers: Sequence[str] = (),
) -> dict[str, pl.DataFrame]:
    """The tables of ``TABLES`` from the table ``ev``: events, with ``person`` for their user.

    ``dimensions`` are columns of sessions that bear the name of the events' column, and ``plan``,
    which is read from the table ``bearing(month, user_id, plan, until)``.
    """
    known = ",\n".join(
        f"first({name} ORDER BY event_ts, event_id) FILTER ({name} IS NOT NULL) AS {alias}"
        for name, alias in (
            ("channel", "said_channel"),
            ("platform", "platform"),
            ("country", "country"),
        )
    )
    labels = {"all": "'all'"} | {
        name: f"coalesce({name}, 'unknown')" for name in dimensions if name != "plan"
    }
    parts = [
        f"SELECT *, '{name}' AS dimension, {segment} AS segment FROM visits"
        for name, segment in labels.items()
    ]
    placed = " UNION ALL ".join([*parts, _BY_PLAN] if "plan" in dimensions else parts)
    con.execute(
        _SESSIONS.format(
            source="session_id" if use_source_sessions else "NULL::VARCHAR",
            timeout=session_timeout_minutes,
            hours=session_max_hours,
            inactive=", ".join(f"'{name}'" for name in INACTIVE),
            known=known,
            has_utm="utm_source IS NOT NULL OR utm_medium IS NOT NULL OR utm_campaign IS NOT NULL",
            goals=list(goal_events),
            channels=channels_sql(own_domains, payment_providers),
            placed=placed,
        )
    )
    calendar = Calendar(week_start)
    counts = {
        grain: _counts(con, grain, calendar, data_through) for grain in ("day", "week", "month")
    }
    daily = counts["day"].rename({"period_start": "date"}).drop("grain")
    return {
        "sessions": con.sql(f"SELECT * FROM visits WHERE date <= DATE '{data_through}'").pl(),
        "sessions_daily": daily,
        "sessions_periodic": pl.concat([counts["week"], counts["month"]]),
    }


def frequency_oracle(
    con: duckdb.DuckDBPyConnection, *, week_start: str, data_through: date
) -> pl.DataFrame:
    """engagement_frequency, from what :func:`session_oracle` has left in ``con``.

    Active events are those of sessions here: all but the inactive ones.
    """
    calendar = Calendar(week_start)
    return pl.concat(_frequency(con, grain, calendar, data_through) for grain in ("week", "month"))


def _counts(
    con: duckdb.DuckDBPyConnection, grain: str, calendar: Calendar, data_through: date
) -> pl.DataFrame:
    key = "period_start, dimension, segment"
    return con.sql(f"""
        WITH day AS (
            SELECT unnest(generate_series((SELECT min(date) FROM visits), DATE '{data_through}',
                INTERVAL 1 DAY))::DATE AS day),
        period AS (SELECT DISTINCT {calendar.start(grain, "day")} AS period_start FROM day),
        opened AS (
            SELECT dimension, segment, min(first_date) AS first_date FROM first_visit
            WHERE first_date <= DATE '{data_through}' GROUP BY ALL),
        cell AS (
            SELECT {key} FROM period JOIN opened
                ON period_start >= {calendar.start(grain, "first_date")}),
        counted AS (
            SELECT {calendar.start(grain, "date")} AS period_start, dimension, segment,
                count(*) AS n, count(DISTINCT user_id) AS people, sum(page_views) AS views,
                sum(micros) / 1000000 AS spent, median(duration_seconds) AS middle,
                count(*) FILTER (page_views > 0) AS viewing,
                count(*) FILTER (page_views = 1) AS bounced,
                count(*) FILTER (NOT is_engaged) AS unengaged
            FROM placed WHERE date <= DATE '{data_through}' GROUP BY ALL),
        fresh AS (
            SELECT {calendar.start(grain, "first_date")} AS period_start, dimension, segment,
                count(*) AS new_people
            FROM first_visit WHERE first_date <= DATE '{data_through}' GROUP BY ALL)
        SELECT '{grain}' AS grain, {key}, coalesce(n, 0) AS sessions,
            coalesce(people, 0) AS visitors, coalesce(new_people, 0) AS new_visitors,
            coalesce(people, 0) - coalesce(new_people, 0) AS returning_visitors,
            coalesce(new_people, 0) / people AS new_visitor_share,
            coalesce(views, 0) AS page_views, views / n AS pages_per_session,
            spent / n AS mean_session_seconds, middle AS median_session_seconds,
            coalesce(spent, 0) AS time_spent_seconds, coalesce(viewing, 0) AS page_view_sessions,
            coalesce(bounced, 0) AS bounced_sessions, bounced / nullif(viewing, 0) AS bounce_rate,
            coalesce(unengaged, 0) AS unengaged_sessions, unengaged / n AS unengaged_rate,
            {calendar.end(grain, "period_start")} <= DATE '{data_through}' AS is_complete
        FROM cell LEFT JOIN counted USING ({key}) LEFT JOIN fresh USING ({key})""").pl()


def _frequency(
    con: duckdb.DuckDBPyConnection, grain: str, calendar: Calendar, data_through: date
) -> pl.DataFrame:
    return con.sql(f"""
        WITH known AS (SELECT * FROM part WHERE event_date <= DATE '{data_through}'),
        day AS (
            SELECT unnest(generate_series((SELECT min(event_date) FROM known),
                DATE '{data_through}', INTERVAL 1 DAY))::DATE AS day),
        period AS (SELECT DISTINCT {calendar.start(grain, "day")} AS period_start FROM day),
        ended AS (SELECT *, {calendar.end(grain, "period_start")} AS period_end FROM period),
        counted AS (
        SELECT '{grain}' AS grain, period_start,
            (SELECT count(*) FROM known WHERE event_date BETWEEN period_start AND period_end)
                AS events,
            (SELECT count(*) FROM visits
             WHERE date BETWEEN period_start AND least(period_end, DATE '{data_through}'))
                AS sessions,
            (SELECT count(DISTINCT person) FROM known
             WHERE event_date BETWEEN period_start AND period_end) AS active_users,
            (SELECT count(DISTINCT person) FROM known WHERE event_date <= period_end) AS customers,
            period_end <= DATE '{data_through}' AS is_complete
        FROM ended)
        SELECT *, events / nullif(active_users, 0) AS events_per_active_user,
            sessions / nullif(active_users, 0) AS sessions_per_active_user,
            events / nullif(customers, 0) AS events_per_customer,
            sessions / nullif(customers, 0) AS sessions_per_customer
        FROM counted""").pl()
