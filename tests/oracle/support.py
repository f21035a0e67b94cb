"""The support table computed a second time, in SQL, from the tickets as they landed.

Written from METRICS.md and not from the transform: totals by CUBE, periods from a spine of days.
"""

from datetime import date

import duckdb
import polars as pl
from oracle.activity import Calendar


def support_oracle(
    con: duckdb.DuckDBPyConnection, *, week_start: str, data_through: date
) -> pl.DataFrame:
    """``support_tickets`` from ``landed_tickets``: the contract's columns, landing_date, file,
    line and item; ``opened_date``, ``resolved_date`` and ``closed_date`` are local days.
    """
    con.execute("""
        CREATE OR REPLACE TEMP TABLE ticket AS
        SELECT opened_date AS opened_day, coalesce(resolved_date, closed_date) AS resolved_day,
            CASE channel WHEN 'all' THEN '(all)' ELSE coalesce(channel, '(none)') END AS channel,
            CASE tier WHEN 'all' THEN '(all)' ELSE coalesce(tier, '(none)') END AS tier,
            coalesce(reopened_count, 0) > 0 AS reopened,
            date_diff('us', opened_ts, coalesce(resolved_ts, closed_ts)) AS took,
            date_diff('us', opened_ts, first_reply_ts) AS waited
        FROM landed_tickets
        QUALIFY row_number() OVER (PARTITION BY ticket_id ORDER BY updated_ts DESC NULLS LAST,
            landing_date DESC, file DESC, line DESC, item DESC) = 1""")
    calendar = Calendar(week_start)
    return pl.concat(
        _of_grain(con, grain, calendar, data_through) for grain in ("day", "week", "month")
    )


def _of_grain(
    con: duckdb.DuckDBPyConnection, grain: str, calendar: Calendar, data_through: date
) -> pl.DataFrame:
    place = (
        "CASE grouping(channel) WHEN 1 THEN 'all' ELSE channel END AS channel, "
        "CASE grouping(tier) WHEN 1 THEN 'all' ELSE tier END AS tier"
    )
    day = f"DATE '{data_through}'"
    times = ", ".join(
        f"""coalesce(sum({time}) FILTER ({time} >= 0), 0) / 1e6 AS {name}_seconds,
            sum({time}) FILTER ({time} >= 0) / 1e6
                / count(*) FILTER ({time} >= 0) AS mean_{name}_seconds,
            quantile_cont({time}, 0.5) FILTER ({time} >= 0) / 1e6 AS median_{name}_seconds,
            quantile_cont({time}, 0.9) FILTER ({time} >= 0) / 1e6 AS p90_{name}_seconds"""
        for time, name in (("took", "resolution"), ("waited", "first_reply"))
    )
    found = con.sql(f"""
        WITH firsts AS (
            SELECT {place}, min(least(opened_day, coalesce(resolved_day, opened_day))) AS first
            FROM ticket GROUP BY CUBE (channel, tier)),
        days AS (
            SELECT channel, tier, unnest(generate_series(
                first::TIMESTAMP, TIMESTAMP '{data_through}', INTERVAL 1 DAY))::DATE AS day
            FROM firsts),
        periods AS (
            SELECT DISTINCT channel, tier, {calendar.start(grain, "day")} AS period_start
            FROM days),
        opened AS (
            SELECT {place}, {calendar.start(grain, "opened_day")} AS period_start,
                count(*) AS opened,
                count(*) FILTER (resolved_day IS NULL OR resolved_day > {day}) AS still_open
            FROM ticket WHERE opened_day <= {day}
            GROUP BY CUBE (channel, tier), period_start),
        resolved AS (
            SELECT {place}, {calendar.start(grain, "resolved_day")} AS period_start,
                count(*) AS resolved, count(*) FILTER (reopened) AS reopened,
                count(*) FILTER (took >= 0) AS timed_resolved,
                count(*) FILTER (waited >= 0) AS replied, {times}
            FROM ticket WHERE resolved_day <= {day}
            GROUP BY CUBE (channel, tier), period_start)
        SELECT '{grain}' AS grain, * REPLACE (
            coalesce(opened, 0) AS opened, coalesce(still_open, 0) AS still_open,
            coalesce(resolved, 0) AS resolved, coalesce(reopened, 0) AS reopened,
            coalesce(timed_resolved, 0) AS timed_resolved, coalesce(replied, 0) AS replied,
            coalesce(resolution_seconds, 0) AS resolution_seconds,
            coalesce(first_reply_seconds, 0) AS first_reply_seconds),
            {calendar.end(grain, "period_start")} <= {day} AS is_complete
        FROM periods LEFT JOIN opened USING (channel, tier, period_start)
        LEFT JOIN resolved USING (channel, tier, period_start)""")
    return pl.DataFrame(found.to_arrow_table())
