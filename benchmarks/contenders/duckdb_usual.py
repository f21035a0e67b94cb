"""DuckDB SQL as an analytics engineer writes it.

One statement per table, a date spine that is joined for rolling windows, ``count(DISTINCT ...)``,
window functions. Each table is stated in the plainest way that gives the right numbers.
"""

from datetime import date
from pathlib import Path

import duckdb

from benchmarks.contenders import landed_events
from benchmarks.names import (
    DIMENSIONS,
    INACTIVE,
    MAU_DAYS,
    OUTPUTS,
    RETENTION_PERIODS,
    SESSION_DIMENSIONS,
    SESSION_GAP_MINUTES,
    SESSION_MAX_HOURS,
    WAU_DAYS,
)

_STARTS = {
    "day": "{0}",
    "week": "date_trunc('week', {0})::DATE",
    "month": "date_trunc('month', {0})::DATE",
}
_MEMORY_LIMIT = "12GB"
_LONGEST = f"INTERVAL {SESSION_MAX_HOURS} HOUR"
_OF_SESSION = """
    min(event_date) AS date, person AS user_id, min(event_ts) AS started_ts,
    max(event_ts) AS ended_ts, count(*) AS events,
    count(*) FILTER (event_name = 'page_view') AS page_views,
    first(page_url ORDER BY event_ts, event_id) FILTER (event_name = 'page_view') AS entry_page,
    last(page_url ORDER BY event_ts, event_id) FILTER (event_name = 'page_view') AS exit_page,
    first(platform ORDER BY event_ts, event_id) FILTER (platform IS NOT NULL) AS platform,
    first(country ORDER BY event_ts, event_id) FILTER (country IS NOT NULL) AS country"""


def stored(events: Path, out: Path, through: date) -> None:
    """The tables from stored events."""
    with _connected(out) as con:
        con.execute(f"CREATE VIEW ev AS SELECT * FROM read_parquet('{events}/*.parquet')")
        _write_tables(con, out, through)


def landed(landing: Path, form: str, out: Path, through: date) -> None:
    """The tables from landed files: read, each event once, machines left out, people stitched."""
    with _connected(out) as con:
        for statement in landed_events.statements(landing, form, through):
            con.execute(statement)
        _write_tables(con, out, through)


def _connected(out: Path) -> duckdb.DuckDBPyConnection:
    con = duckdb.connect()
    con.execute(f"SET temp_directory = '{out}/.spill'")
    con.execute(f"SET memory_limit = '{_MEMORY_LIMIT}'")
    con.execute("SET TimeZone = 'UTC'")
    con.execute("SET preserve_insertion_order = false")
    return con


def _write_tables(con: duckdb.DuckDBPyConnection, out: Path, through: date) -> None:
    _prepare(con, through)
    queries = {
        "user_days": """
            SELECT event_date, person AS user_id, count(*) AS active_events
            FROM active GROUP BY ALL""",
        "active_users_daily": _daily(),
        "cohort_retention": " UNION ALL ".join(
            _retention(grain, last, through) for grain, last in RETENTION_PERIODS.items()
        ),
        "sessions": f"SELECT {', '.join(OUTPUTS['sessions'])} FROM session",
        "sessions_daily": _sessions_daily(),
        "feature_usage": " UNION ALL ".join(_features(grain) for grain in RETENTION_PERIODS),
    }
    for name, query in queries.items():
        con.execute(f"COPY ({query}) TO '{out}/{name}.parquet' (COMPRESSION zstd)")


def _by_dimension(columns: str, dimensions: tuple[str, ...], source: str) -> str:
    parts = [f"SELECT {columns}, 'all' AS dimension, 'all' AS segment FROM {source}"]
    parts += [
        f"SELECT {columns}, '{name}', coalesce({name}, 'unknown') FROM {source}"
        for name in dimensions
    ]
    return " UNION ALL ".join(parts)


def _prepare(con: duckdb.DuckDBPyConnection, through: date) -> None:
    inactive = ", ".join(f"'{name}'" for name in INACTIVE)
    con.execute(f"""
        CREATE TABLE active AS
        SELECT event_date, event_ts, event_id, event_name, person, platform, country, channel,
            feature, page_url
        FROM ev WHERE event_name NOT IN ({inactive}) AND event_date <= DATE '{through}'""")
    con.execute(f"""
        CREATE TABLE seen AS SELECT DISTINCT *
        FROM ({_by_dimension("event_date AS day, person", DIMENSIONS, "active")})""")
    con.execute("""
        CREATE TABLE first_seen AS
        SELECT dimension, segment, person, min(day) AS first_day FROM seen GROUP BY ALL""")
    con.execute(f"""
        CREATE TABLE calendar AS
        SELECT unnest(generate_series(min(day), DATE '{through}', INTERVAL 1 DAY))::DATE AS day
        FROM seen""")
    _prepare_sessions(con)


def _prepare_sessions(con: duckdb.DuckDBPyConnection) -> None:
    con.execute(f"""
        CREATE TABLE session AS
        WITH gaps AS (
            SELECT *, event_ts - lag(event_ts) OVER (PARTITION BY person ORDER BY event_ts)
                > INTERVAL {SESSION_GAP_MINUTES} MINUTE AS is_gap
            FROM active),
        numbered AS (
            SELECT *, sum(coalesce(is_gap, true)::INT) OVER (
                PARTITION BY person ORDER BY event_ts RANGE UNBOUNDED PRECEDING) AS number
            FROM gaps)
        SELECT {_OF_SESSION} FROM numbered GROUP BY person, number""")
    _cut_sessions(con)


def _cut_sessions(con: duckdb.DuckDBPyConnection) -> None:
    """Cut the sessions that last too long, each at its first event after that, and so on."""
    con.execute(f"""
        CREATE TABLE long_event AS
        SELECT a.*, s.started_ts AS chain FROM active a JOIN session s
            ON a.person = s.user_id AND a.event_ts BETWEEN s.started_ts AND s.ended_ts
        WHERE s.ended_ts > s.started_ts + {_LONGEST}""")
    con.execute(f"DELETE FROM session WHERE ended_ts > started_ts + {_LONGEST}")
    con.execute(f"""
        INSERT INTO session
        WITH RECURSIVE start AS (
            SELECT DISTINCT person, chain, chain AS begun_ts FROM long_event
            UNION ALL
            SELECT s.person, s.chain, min(e.event_ts)
            FROM start s JOIN long_event e USING (person, chain)
            WHERE e.event_ts > s.begun_ts + {_LONGEST} GROUP BY s.person, s.chain),
        placed AS (
            SELECT e.*, s.begun_ts FROM long_event e ASOF JOIN start s
                ON e.person = s.person AND e.chain = s.chain AND e.event_ts >= s.begun_ts)
        SELECT {_OF_SESSION} FROM placed GROUP BY person, begun_ts""")


def _daily() -> str:
    def window(name: str, days: int) -> str:
        return f"""{name} AS (
            SELECT c.day, s.dimension, s.segment, count(DISTINCT s.person) AS {name}
            FROM calendar c JOIN seen s ON s.day BETWEEN c.day - {days - 1} AND c.day
            GROUP BY ALL)"""

    return f"""
        WITH {window("dau", 1)}, {window("wau", WAU_DAYS)}, {window("mau", MAU_DAYS)},
        fresh AS (
            SELECT first_day AS day, dimension, segment, count(*) AS new_users
            FROM first_seen GROUP BY ALL),
        begun AS (
            SELECT dimension, segment, min(first_day) AS first_day FROM first_seen GROUP BY ALL)
        SELECT c.day AS date, b.dimension, b.segment, coalesce(dau, 0) AS dau,
            coalesce(wau, 0) AS wau, coalesce(mau, 0) AS mau, coalesce(new_users, 0) AS new_users
        FROM calendar c JOIN begun b ON c.day >= b.first_day
            LEFT JOIN dau USING (day, dimension, segment)
            LEFT JOIN wau USING (day, dimension, segment)
            LEFT JOIN mau USING (day, dimension, segment)
            LEFT JOIN fresh USING (day, dimension, segment)"""


def _retention(grain: str, last: int, through: date) -> str:
    key = "cohort_start, dimension, segment"
    cohort = _STARTS[grain].format("event_date")
    interval = f"INTERVAL 1 {grain.upper()}"
    return f"""
        (WITH entry AS (
            SELECT {cohort} AS cohort_start, person, {", ".join(DIMENSIONS)} FROM active
            QUALIFY row_number() OVER (PARTITION BY person ORDER BY event_ts, event_id) = 1),
        entered AS ({_by_dimension("cohort_start, person", DIMENSIONS, "entry")}),
        back AS (SELECT DISTINCT person, {cohort} AS later_start FROM active),
        returned AS (
            SELECT {key}, person, date_diff('{grain}', cohort_start, later_start) AS later
            FROM entered JOIN back USING (person)
            WHERE later_start > cohort_start AND later <= {last}),
        sizes AS (SELECT {key}, count(*) AS cohort_users FROM entered GROUP BY ALL),
        came AS (
            SELECT {key}, later AS period_index, count(DISTINCT person) AS came
            FROM returned GROUP BY ALL),
        final AS (SELECT {key}, person, max(later) AS later FROM returned GROUP BY ALL),
        cells AS (
            SELECT *, (cohort_start + period_index * {interval})::DATE AS period_start
            FROM sizes, (SELECT unnest(range({last} + 1)) AS period_index)
            WHERE cohort_start + period_index * {interval} <= DATE '{through}'),
        stayed AS (
            SELECT {key}, period_index, count(*) AS stayed
            FROM cells JOIN final USING ({key}) WHERE later >= period_index GROUP BY ALL)
        SELECT '{grain}' AS grain, cohort_start, period_index, dimension, segment, cohort_users,
            CASE WHEN period_index = 0 THEN cohort_users ELSE coalesce(came, 0) END
                AS active_users,
            CASE WHEN cohort_start + {last + 1} * {interval} > DATE '{through}' + 1 THEN NULL
                WHEN period_index = 0 THEN cohort_users ELSE coalesce(stayed, 0) END
                AS rolling_users
        FROM cells LEFT JOIN came USING ({key}, period_index)
            LEFT JOIN stayed USING ({key}, period_index))"""


def _sessions_daily() -> str:
    key = "date, dimension, segment"
    labelled = _by_dimension("*", SESSION_DIMENSIONS, "session")
    return f"""
        WITH labelled AS ({labelled}),
        first_visit AS (
            SELECT dimension, segment, user_id, min(date) AS date FROM labelled GROUP BY ALL),
        fresh AS (SELECT {key}, count(*) AS new_visitors FROM first_visit GROUP BY ALL),
        begun AS (
            SELECT dimension, segment, min(date) AS first_date FROM first_visit GROUP BY ALL),
        counted AS (
            SELECT {key}, count(*) AS sessions, count(DISTINCT user_id) AS visitors,
                sum(page_views) AS page_views, count(*) FILTER (page_views = 1) AS bounced,
                median(epoch_us(ended_ts) - epoch_us(started_ts)) / 1000000 AS middle
            FROM labelled GROUP BY ALL)
        SELECT date, dimension, segment, coalesce(sessions, 0) AS sessions,
            coalesce(visitors, 0) AS visitors, coalesce(new_visitors, 0) AS new_visitors,
            coalesce(page_views, 0) AS page_views, coalesce(bounced, 0) AS bounced_sessions,
            middle AS median_session_seconds
        FROM (SELECT day AS date, dimension, segment FROM calendar JOIN begun ON day >= first_date)
            LEFT JOIN counted USING ({key}) LEFT JOIN fresh USING ({key})"""


def _features(grain: str) -> str:
    start = _STARTS[grain].format("event_date")
    key = "period_start, dimension, segment"
    labelled = _by_dimension("event_date, person, feature", DIMENSIONS, "active")
    return f"""
        (WITH labelled AS ({labelled}),
        used AS (
            SELECT {start} AS period_start, feature, dimension, segment, count(*) AS events,
                count(DISTINCT person) AS feature_users
            FROM labelled WHERE feature IS NOT NULL GROUP BY ALL),
        here AS (
            SELECT {start} AS period_start, dimension, segment,
                count(DISTINCT person) AS active_users
            FROM labelled GROUP BY ALL),
        periods AS (SELECT DISTINCT {_STARTS[grain].format("day")} AS period_start FROM calendar),
        begun AS (
            SELECT feature, dimension, segment, min(period_start) AS first_period
            FROM used GROUP BY ALL)
        SELECT '{grain}' AS grain, period_start, feature, dimension, segment,
            coalesce(events, 0) AS events, coalesce(feature_users, 0) AS feature_users,
            coalesce(active_users, 0) AS active_users
        FROM begun JOIN periods ON period_start >= first_period
            LEFT JOIN used USING ({key}, feature) LEFT JOIN here USING ({key}))"""
