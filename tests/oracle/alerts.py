"""Alerts computed a second time, in SQL, from the tables that they watch.

Written from METRICS.md and the schema, and not from the transform.
"""

from collections.abc import Mapping

import duckdb
import polars as pl

_ALL = "dimension = 'all' AND segment = 'all'"
_KEY = "{'date': date::VARCHAR, 'dimension': 'all', 'segment': 'all'}"
_GOAL = "{'date': date::VARCHAR, 'goal': goal, 'dimension': 'all', 'segment': 'all'}"
_TICKETS = """{'grain': 'day', 'period_start': period_start::VARCHAR,
    'channel': 'all', 'tier': 'all'}"""
_LANDED = "{'landing_date': date::VARCHAR, 'source': source}"


def alerts_oracle(
    tables: Mapping[str, pl.DataFrame], *, lag_days: int, deviations: float, min_change: float
) -> pl.DataFrame:
    """``metric_alerts`` from the published tables that it reads, by name."""
    with duckdb.connect(config={"threads": 1}) as con:
        for name, rows in tables.items():
            con.register(name, rows.to_arrow())
        con.execute(f"CREATE TEMP TABLE landed AS {_landed(lag_days)}")
        con.execute(f"CREATE TEMP TABLE fact AS {' UNION ALL '.join(_facts())}")
        return pl.DataFrame(con.sql(_judged(deviations, min_change)).to_arrow_table())


def _landed(lag_days: int) -> str:
    return f"""
        WITH reach AS (SELECT source, min(landing_date) AS first,
                max(landing_date) - {lag_days} AS last FROM ingest_ledger GROUP BY source),
        days AS (SELECT source, unnest(generate_series(first, last, INTERVAL 1 DAY))::DATE AS date
            FROM reach)
        SELECT d.source, d.date, coalesce(sum(l.read_rows), 0)::BIGINT AS read_rows,
            coalesce(sum(l.quarantined_rows), 0)::BIGINT AS quarantined_rows
        FROM days d LEFT JOIN ingest_ledger l
            ON l.source = d.source AND l.landing_date = d.date GROUP BY ALL"""


def _facts() -> list[str]:
    def count(table: str, metric: str, key: str, series: str, where: str, day: str) -> str:
        return f"""SELECT '{table}' AS "table", '{metric}' AS metric, to_json({key}) AS row_key,
            {series} AS series, {day} AS date, {metric}::DOUBLE AS value, NULL::DOUBLE AS chances
            FROM {table} WHERE {where} AND {metric} IS NOT NULL"""

    def share(
        table: str, metric: str, parts: tuple[str, str], key: str, series: str, where: str
    ) -> str:
        return f"""SELECT '{table}', '{metric}', to_json({key}), {series}, date,
            {parts[0]}::DOUBLE / {parts[1]}, {parts[1]}::DOUBLE
            FROM {"landed" if table == "ingest_ledger" else table}
            WHERE {where} AND {parts[1]} > 0"""

    tickets = "grain = 'day' AND channel = 'all' AND tier = 'all'"
    bounced = ("bounced_sessions", "page_view_sessions")
    converting = ("converting_sessions", "sessions")
    refused = ("quarantined_rows", "read_rows")
    everybody = ("sessions_daily", "bounce_rate", bounced, _KEY, "''", _ALL)
    goals = ("conversions_daily", "session_conversion_rate", converting, _GOAL, "goal", _ALL)
    return [
        count("active_users_daily", "dau", _KEY, "''", _ALL, "date"),
        count("active_users_daily", "new_users", _KEY, "''", _ALL, "date"),
        count("sessions_daily", "sessions", _KEY, "''", _ALL, "date"),
        count("sessions_daily", "page_views", _KEY, "''", _ALL, "date"),
        count("conversions_daily", "conversions", _GOAL, "goal", _ALL, "date"),
        count("support_tickets", "opened", _TICKETS, "''", tickets, "period_start"),
        count("support_tickets", "resolved", _TICKETS, "''", tickets, "period_start"),
        f"""SELECT 'ingest_ledger', 'read_rows', to_json({_LANDED}), source, date,
            read_rows::DOUBLE, NULL FROM landed""",
        share(*everybody),
        share(*goals),
        share("ingest_ledger", "quarantined_share", refused, _LANDED, "source", "true"),
    ]


def _judged(deviations: float, min_change: float) -> str:
    series = '"table", metric, series'

    def before(days: int, *more: str) -> str:
        by = ", ".join((series, *more))
        return f"""OVER (PARTITION BY {by} ORDER BY date
            RANGE BETWEEN INTERVAL {days} DAYS PRECEDING AND INTERVAL 1 DAYS PRECEDING)"""

    weekday = before(56, "isodow(date)")
    plain = """if(chances IS NULL, greatest(({0} / 2) ** 2 - 0.375, 0),
        sin(least({0} / 2, pi() / 2)) ** 2)"""
    return f"""
        WITH scaled AS (SELECT *, if(chances IS NULL, 2 * sqrt(value + 0.375),
                2 * asin(sqrt(value))) AS y, if(chances IS NULL, 1, 1 / sqrt(chances)) AS chance
            FROM fact),
        usual AS (SELECT *, median(y) {weekday} AS m FROM scaled
            QUALIFY count(*) {weekday} >= 4),
        levelled AS (SELECT *, m + median(y - m) {before(7)} AS centre FROM usual
            QUALIFY count(*) {before(7)} >= 4),
        spread AS (SELECT *, count(*) {before(56)} AS history_days, {deviations} * greatest(
                chance, 1.4826 * median(abs(y - centre)) {before(56)}) AS reach FROM levelled
            QUALIFY history_days >= 28),
        expected AS (SELECT *, round({plain.format("greatest(centre, 0)")}, 6) AS expected_value
            FROM spread),
        bounded AS (SELECT *,
                round(greatest(least({plain.format("greatest(centre - reach, 0)")},
                    expected_value * (1 - {min_change})), 0), 6) AS expected_low,
                round(least(greatest({plain.format("greatest(centre + reach, 0)")},
                    expected_value * (1 + {min_change})), if(chances IS NULL, 'inf'::DOUBLE, 1)),
                    6) AS expected_high
            FROM expected),
        alert AS (SELECT *, if(value > expected_high, 'high', 'low') AS direction,
                {deviations} * (y - centre) / reach AS deviations,
                value - if(value > expected_high, expected_high, expected_low) AS outside
            FROM bounded WHERE value > expected_high OR value < expected_low),
        runs AS (SELECT *, date - (row_number() OVER (PARTITION BY {series}, direction
            ORDER BY date))::INTEGER AS run FROM alert)
        SELECT date, "table", metric, row_key::VARCHAR AS row_key, value, expected_value,
            expected_low, expected_high, outside, deviations, direction, history_days,
            min(date) OVER (PARTITION BY {series}, direction, run) AS first_date,
            true AS is_complete
        FROM runs"""
